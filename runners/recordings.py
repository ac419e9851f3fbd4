"""The recording of one sequence that a network read, as a netCDF file or a CSV table."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from aru_keras._util.arguments import one_of
from aru_keras._util.extras import INSTALL_LABELS, has_xarray
from aru_keras._util.files import replacing

FORMATS = {"netcdf": ".nc", "csv": ".csv"}
"""The formats of a recording, and the suffixes of their files."""


def checked_format(recording: str | None) -> str:
    """The format of a recording; for None netCDF where xarray is installed, and CSV elsewhere.

    Args:
        recording: The format, or None.

    Raises:
        ValueError: If there is no such format, or it needs a package that is not installed.
    """
    if recording is None:
        return "netcdf" if has_xarray() else "csv"
    if one_of("recording", recording, FORMATS) == "netcdf" and not has_xarray():
        raise ValueError(
            "`recording` must be csv where the package xarray is not installed. Received: "
            f"'netcdf'. Install it with {INSTALL_LABELS}."
        )
    return recording


@dataclass(frozen=True, eq=False)
class Recording:
    """A reading with the signals of all units.

    Attributes:
        reading: The `probing.Reading`, of T steps.
        signals: All signals of all units by name, (T, N) each.
        contrast: The factor on positive inputs at every step, (T,), or (T, I) where channels
            differ.
        attributes: The attributes beside task, split and versions.
    """

    reading: Any
    signals: Mapping[str, np.ndarray]
    contrast: np.ndarray
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def dataset(self) -> Any:
        """The recording as an `xarray.Dataset`, with the names of `probing.record_task`."""
        from aru_keras.probing._datasets import of_reading

        return of_reading(self.reading, self.signals, self.contrast, self.attributes)

    def table(self) -> str:
        """The recording as CSV: a row for each step, and a column for each number.

        The columns are t, the inputs, drive, contrast (that of each channel where they differ),
        `pixel_index` of images, the prediction, the probabilities `p_k` or values `value_k`, and
        the signals of unit k, such as `n_k`.
        """
        columns = self._columns()
        target = io.StringIO(newline="")
        writer = csv.writer(target)
        writer.writerow(["t", *columns])
        writer.writerows(zip(range(self.reading.timesteps), *columns.values(), strict=True))
        return target.getvalue()

    def write(self, path: Path) -> Path:
        """Write the recording in the format of the suffix of `path`.

        Args:
            path: The path, whose suffix is one of the values of `FORMATS`.
        """
        with replacing(path) as temporary:
            if path.suffix == FORMATS["netcdf"]:
                self.dataset().to_netcdf(temporary)
            else:
                temporary.write_text(self.table(), encoding="utf-8", newline="")
        return path

    def _columns(self):
        reading, task = self.reading, self.reading.task
        drive = np.zeros((reading.timesteps, 1)) if reading.drive is None else reading.drive
        names = ["pixel"] if task.image_shape else [f"x_{name}" for name in task.spec.channels]
        columns = dict(zip(names, reading.pixels.T, strict=True))
        columns |= {"drive": drive[:, 0]} if drive.shape[1] == 1 else _numbered("drive", drive)
        if self.contrast.ndim == 1:
            columns["contrast"] = self.contrast
        else:
            named = [f"contrast_{name}" for name in task.spec.channels]
            columns |= dict(zip(named, self.contrast.T, strict=True))
        if task.image_shape:
            columns["pixel_index"] = [task.pixel_index(t) for t in range(reading.timesteps)]
        if not reading.of_values:
            columns["prediction"] = reading.predictions
        columns |= _numbered("value" if reading.of_values else "p", reading.probabilities)
        for name, values in self.signals.items():
            columns |= _numbered(name, values)
        return columns


def _numbered(name, values):
    return {f"{name}_{k}": values[:, k] for k in range(values.shape[1])}
