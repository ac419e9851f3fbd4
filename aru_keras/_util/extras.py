"""The packages of the extras `labels`, `cluster` and `search`, loaded where they are used."""

import importlib
import importlib.util
from typing import Any

INSTALL_LABELS = "pip install xarray h5netcdf"
INSTALL_CLUSTER = 'pip install "dask[distributed]"'
INSTALL_SEARCH = "pip install optuna"
"""The commands that install the packages of the extras."""

_NO_LABELS = (
    "A recording with named dimensions needs the package xarray, which is not installed. "
    f'Install it with {INSTALL_LABELS}, or install aru-keras with its extra "labels".'
)
_NO_CLUSTER = (
    "Work on several processes or machines needs the package distributed, which is not installed. "
    f'Install it with {INSTALL_CLUSTER}, or install aru-keras with its extra "cluster".'
)
_NO_SEARCH = (
    "A search needs the package optuna, which is not installed. "
    f'Install it with {INSTALL_SEARCH}, or install aru-keras with its extra "search".'
)


def has_xarray() -> bool:
    """Whether xarray is installed. It is not loaded."""
    return importlib.util.find_spec("xarray") is not None


def import_xarray() -> Any:
    """The package xarray.

    Raises:
        ImportError: If it is not installed. The message says how to install it.
    """
    return _imported("xarray", _NO_LABELS)


def check_distributed() -> None:
    """Check that Dask distributed is installed. It is not loaded.

    Raises:
        ValueError: It is not installed. The message says how to install it.
    """
    if importlib.util.find_spec("distributed") is None:
        raise ValueError(_NO_CLUSTER)


def import_distributed() -> Any:
    """The package distributed.

    Raises:
        ImportError: If it is not installed. The message says how to install it.
    """
    return _imported("distributed", _NO_CLUSTER)


def check_optuna() -> None:
    """Check that Optuna is installed. It is not loaded.

    Raises:
        ValueError: It is not installed. The message says how to install it.
    """
    if importlib.util.find_spec("optuna") is None:
        raise ValueError(_NO_SEARCH)


def import_optuna() -> Any:
    """The package optuna.

    Raises:
        ImportError: If it is not installed. The message says how to install it.
    """
    return _imported("optuna", _NO_SEARCH)


def _imported(name, missing):
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(missing) from error
