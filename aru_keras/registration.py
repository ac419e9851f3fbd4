"""The ids of the environments, known to Gymnasium without an import of it here.

`import aru_keras` registers them at once where Gymnasium is loaded, else as soon as it is: in
whatever order the two are imported, `gymnasium.register_envs(aru_keras)` keeps its promise.
"""

import importlib.abc
import importlib.util
import sys

TASK_IDS = {
    "digits": "aru/Digits-v0",
    "smnist": "aru/sMNIST-v0",
    "psmnist": "aru/psMNIST-v0",
    "scifar10": "aru/sCIFAR10-v0",
}
"""Task -> id of its environment."""

RIG_ID = "aru/UnitRig-v0"


def register_envs(gymnasium) -> None:
    """Register the environments with a loaded Gymnasium; those that are there stay.

    Args:
        gymnasium: The module.
    """
    for task, name in TASK_IDS.items():
        _register(
            gymnasium, name, "sequences:SequenceEnv", "sequence_lanes:SequenceVectorEnv", task=task
        )
    _register(gymnasium, RIG_ID, "rig:UnitRigEnv", "rig:UnitRigVectorEnv")


def register_when_loaded() -> None:
    """Register the environments now, or right after the first import of Gymnasium."""
    gymnasium = sys.modules.get("gymnasium")
    if hasattr(gymnasium, "register"):
        register_envs(gymnasium)
    elif "gymnasium" not in sys.modules:
        sys.meta_path.insert(0, _AfterGymnasium())


def _register(gymnasium, name, scalar, vector, **kwargs):
    if name not in gymnasium.registry:
        gymnasium.register(
            name,
            entry_point=f"aru_keras.envs.{scalar}",
            vector_entry_point=f"aru_keras.envs.{vector}",
            kwargs=kwargs,
        )


class _AfterGymnasium(importlib.abc.MetaPathFinder):
    """Finds Gymnasium as Python would, and registers the environments when it has run."""

    def find_spec(self, name, path=None, target=None):
        if name != "gymnasium":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(importlib.abc.Loader):
    """Gymnasium's own loader, and the registration behind it."""

    def __init__(self, loader):
        self._loader = loader

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        register_envs(module)
