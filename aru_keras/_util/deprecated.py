"""Names of an earlier release: they work for one more, with a warning that says the new one."""

import functools
import importlib
import importlib.abc
import importlib.machinery
import sys
import warnings
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")

MOVED_MODULES = {
    "aru_keras.parts": "aru_keras.models.weight_groups",
    "aru_keras.sizes": "aru_keras.models.sizes",
    "aru_keras.composition": "aru_keras.perturbations.base",
    "aru_keras.reading": "aru_keras.probing.reading",
    "aru_keras.registration": "aru_keras._registration",
    "aru_keras.version": "aru_keras._version",
    "aru_keras.probing.compiled": "aru_keras._util.compiled",
    "aru_keras.layers.fused": "aru_keras.layers._fused",
    "aru_keras.layers.signals": "aru_keras.layers._signals",
    "aru_keras.probing.networks": "aru_keras.probing.graph",
    "aru_keras.analysis.boundary": "aru_keras.analysis.noise_boundary",
    "aru_keras.analysis.differences": "aru_keras.analysis._differences",
    "aru_keras.analysis.gamma_numpy": "aru_keras.analysis._gamma_numpy",
    "aru_keras.analysis.golden_section": "aru_keras.analysis._golden_section",
    "aru_keras.analysis.stationary": "aru_keras.analysis.stationary_distribution",
    "aru_keras.analysis.task_comparison": "aru_keras.analysis.fractional_tasks",
    "aru_keras.plots.fractional": "aru_keras.plots.fractional_order",
    "aru_keras.plots.fractional_fits": "aru_keras.plots.fractional_order",
    "aru_keras.envs.lanes": "aru_keras.envs.base",
    "aru_keras.envs.sequences": "aru_keras.envs.sequence",
    "aru_keras.envs.sequence_lanes": "aru_keras.envs.sequence",
    "aru_keras.envs.wrappers": "aru_keras.envs.perturb",
}
"""Modules of 0.1 -> where they are now."""

SPLIT_MODULES = {
    "aru_keras.runners.experiments.network": {
        "Network": "aru_keras.runners.experiments.trained_run:TrainedRun",
    },
    "aru_keras.plots.dynamics": {
        "jacobian_map": "aru_keras.plots.jacobian:jacobian_map",
        "noise_boundary": "aru_keras.plots.noise_boundary:noise_boundaries",
        "spectra": "aru_keras.plots.spectrum:eigenvalues",
        "stationary": "aru_keras.plots.stationary_distribution:state_distributions",
    },
}
"""Modules of 0.1 whose names went elsewhere, or have others -> where each name is now."""


def warn(old: str, new: str, stacklevel: int = 3) -> None:
    """Say that a name has another one now."""
    warnings.warn(
        f"{old} is called {new} now; the old name goes with the next release.",
        DeprecationWarning,
        stacklevel=stacklevel,
    )


def renamed(module: str, names: Mapping[str, str]) -> Callable:
    """A module's `__getattr__` for names that have changed.

    Args:
        module: `__name__` of the module.
        names: Old name -> new name in the same module, or "module:name" in another.
    """

    def get(name):
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        home, _, new = names[name].rpartition(":")
        home = home or module
        warn(f"{module}.{name}", f"{home}.{new}")
        return getattr(importlib.import_module(home), new)

    get.names = names  # type: ignore[attr-defined]
    return get


def renamed_argument(old: str, new: str) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
    """A decorator of a function that still takes an argument by the name that it had.

    Args:
        old: The name that the argument had.
        new: The name that it has.
    """

    def decorate(function):
        @functools.wraps(function)
        def call(*args, **options):
            if old in options and new not in options:
                warn(f"The argument `{old}` of {function.__qualname__}", f"`{new}`")
                options[new] = options.pop(old)
            return function(*args, **options)

        return call

    return decorate


class MovedModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules of 0.1 under their old names."""

    def find_spec(self, name, path=None, target=None):
        if name not in MOVED_MODULES and name not in SPLIT_MODULES:
            return None
        return importlib.machinery.ModuleSpec(name, self)

    def create_module(self, spec):
        if spec.name in SPLIT_MODULES:
            return _split(spec.name)
        new = MOVED_MODULES[spec.name]
        warn(spec.name, new)
        return _Alias(spec.name, importlib.import_module(new))

    def exec_module(self, module):
        pass


def _split(name):
    """A module under an old name, whose names are elsewhere; each warns when it is asked for."""
    module = ModuleType(name)
    module.__getattr__ = renamed(name, SPLIT_MODULES[name])  # type: ignore[method-assign]
    return module


class _Alias(ModuleType):
    """A module under an old name, whose attributes are those of the new one."""

    def __init__(self, name, module):
        super().__init__(name, module.__doc__)
        self.__dict__["_module"] = module

    def __getattr__(self, name):
        return getattr(self._module, name)


def find_moved_modules() -> None:
    """Let Python find the modules of 0.1 under their old names."""
    sys.meta_path.append(MovedModules())
