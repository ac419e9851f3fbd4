"""Files with the arrays that an experiment measured of a network."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from aru_keras._util import checked_files
from aru_keras._util.checked_files import writing
from aru_keras._util.files import replacing
from aru_keras._util.numerics import NetworkOverflowError
from aru_keras.runners.experiments.experiment import Array
from aru_keras.runners.experiments.presets import Preset
from aru_keras.runners.run_folder import RunError

REVISION = "revision"
"""Name of the array with the revision of the measurement in its file."""

DIVERGED = "diverged"
"""Name of the array that is saved in place of a measurement if the training diverged."""


def check_arrays(
    arrays: Mapping[str, np.ndarray], keeps: Mapping[str, Array], preset: Preset, path: Path
) -> None:
    """Check arrays from a file against the descriptions of an experiment.

    Args:
        arrays: Arrays by name.
        keeps: Descriptions of the arrays, as in `Experiment.keeps`.
        preset: Preset with the grids.
        path: Path of the file, for the message.

    Raises:
        RunError: An array is missing, of another shape, or out of its range.
    """
    sizes = preset.sizes()
    try:
        for name, array in keeps.items():
            array.check(name, arrays.get(name), sizes)
    except ValueError as error:
        raise RunError(
            f"{path} is damaged ({error}): it must hold a measurement. Remove it to measure anew."
        ) from error


def checked(arrays: Mapping) -> dict[str, np.ndarray]:
    """Measurements converted to arrays, which must not contain NaN.

    Raises:
        NetworkOverflowError: A number is NaN.
    """
    arrays = {name: np.asarray(value) for name, value in arrays.items()}
    broken = [name for name, value in arrays.items() if _has_nan(value)]
    if broken:
        raise NetworkOverflowError(
            f"The network's activity overflows, so there is no value of {', '.join(broken)}."
        )
    return arrays


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays to an .npz file, completely or not at all.

    Raises:
        NetworkOverflowError: A number is NaN.
        RunError: The file cannot be written.
    """
    arrays = checked(arrays)
    with writing(path, RunError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            np.savez_compressed(temporary, **arrays)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays of an .npz file.

    Raises:
        RunError: The file is damaged.
    """
    return checked_files.read_arrays(
        path, holds="a measurement", way_out="Remove it to measure anew.", error=RunError
    )


def _has_nan(value):
    return value.dtype.kind in "fc" and bool(np.isnan(value).any())
