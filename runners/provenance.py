"""What a run was made with: the backend, and the versions of the packages."""

import importlib.metadata
import platform

import keras

from aru_keras._version import __version__


def versions() -> dict[str, str]:
    """The backend, and the versions of the packages that a run depends on."""
    backend = keras.config.backend()
    numbers = {name: importlib.metadata.version(name) for name in ("keras", "numpy", backend)}
    numbers |= {"aru-keras": __version__, "python": platform.python_version()}
    return {"backend": backend, **numbers}
