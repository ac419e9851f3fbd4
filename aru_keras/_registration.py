"""What Keras and Gymnasium must know of this package, in whatever order they are imported.

`import aru_keras` imports neither. Where one of them is loaded, it is told at once, else as soon as
it is loaded: Keras finds the layers that a saved model names, and Gymnasium the environments.
"""

import importlib
import importlib.abc
import importlib.util
import sys
import threading
from types import ModuleType

TASK_IDS = {
    "digits": "aru/Digits-v0",
    "smnist": "aru/sMNIST-v0",
    "psmnist": "aru/psMNIST-v0",
    "scifar10": "aru/sCIFAR10-v0",
}
"""Task -> id of its environment."""

SEQUENCE_ID, RIG_ID = "aru/Sequence-v0", "aru/UnitRig-v0"


def register_envs(gymnasium: ModuleType) -> None:
    """Register the environments with a loaded Gymnasium, except those that are registered already.

    `aru/Sequence-v0` has no default task: its argument `task` must be given.

    Args:
        gymnasium: The module.
    """
    for task, name in TASK_IDS.items():
        _register(gymnasium, name, "sequence:SequenceEnv", "sequence:SequenceVectorEnv", task=task)
    _register(
        gymnasium, SEQUENCE_ID, "sequence:SequenceEnv", "sequence:SequenceVectorEnv", task=None
    )
    _register(gymnasium, RIG_ID, "rig:UnitRigEnv", "rig:UnitRigVectorEnv")


def register_when_loaded() -> None:
    """Register layers and environments now, or when Keras or Gymnasium is first imported."""
    _when_loaded("keras", _register_layers)
    _when_loaded("gymnasium", register_envs)


def _when_loaded(name, register):
    module = sys.modules.get(name)
    if module is not None:
        if not _is_loading(module):
            register(module)
    elif not any(getattr(finder, "awaited", None) == name for finder in sys.meta_path):
        sys.meta_path.insert(0, _AfterImport(name, register))


def _register_layers(keras):
    """Import the layers and the score, whose classes tell Keras by what names they are saved.

    Not while a module of this package is loading, which they may need whole.
    """
    ours = [module for name, module in sys.modules.items() if name.startswith("aru_keras.")]
    if not any(map(_is_loading, ours)):
        importlib.import_module("aru_keras.layers")
        importlib.import_module("aru_keras.models.objectives")


def _is_loading(module):
    return getattr(getattr(module, "__spec__", None), "_initializing", False)


def _register(gymnasium, name, scalar, vector, **kwargs):
    if name not in gymnasium.registry:
        gymnasium.register(
            name,
            entry_point=f"aru_keras.envs.{scalar}",
            vector_entry_point=f"aru_keras.envs.{vector}",
            kwargs=kwargs,
        )


class _AfterImport(importlib.abc.MetaPathFinder):
    """Finds a module as the other finders would, and calls a function of it when it has run.

    It stays until the module has run, because `importlib.util.find_spec` looks for a module that
    it does not import.
    """

    def __init__(self, awaited, function):
        self.awaited, self.function = awaited, function
        self._searching = threading.local()

    def find_spec(self, name, path=None, target=None):
        if name != self.awaited or hasattr(self._searching, "now"):
            return None
        self._searching.now = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            del self._searching.now
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._has_run)
        return spec

    def _has_run(self, module):
        if self in sys.meta_path:
            sys.meta_path.remove(self)
            self.function(module)


class _Loader(importlib.abc.Loader):
    """A module's own loader, and a function of the module behind it."""

    def __init__(self, loader, function):
        self._loader, self._function = loader, function

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._function(module)
