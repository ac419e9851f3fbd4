"""Recordings as `xarray.Dataset`: the names of dimensions, coordinates and attributes."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from aru_keras._util import checked_files
from aru_keras._util.extras import import_xarray
from aru_keras._version import __version__
from aru_keras.models.pretrained import run_path
from aru_keras.perturbations import Perturbation
from aru_keras.probing._run_order import CONFIG_FILE

SEQUENCE, STEP, UNIT, CONTROLLER_UNIT = "sequence", "step", "unit", "controller_unit"
CHANNEL, OUTPUT = "channel", "output"
"""The names of the dimensions."""

_OF_UNITS = (SEQUENCE, STEP, UNIT)
VARIABLES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("a", "n", "s", "h"), _OF_UNITS),
    "g": (*_OF_UNITS, CONTROLLER_UNIT),
    "x": (SEQUENCE, STEP, CHANNEL),
    **dict.fromkeys(("y", "probability"), (SEQUENCE, STEP, OUTPUT)),
}
"""The dimensions of the variables: signals, the input x and the output."""

Coordinates = dict[str, tuple]
"""Coordinates by name: dimensions, values and, if there are any, attributes."""


def labelled(
    variables: Mapping[str, np.ndarray],
    coordinates: Coordinates,
    task: Any = None,
    attributes: Mapping[str, Any] | None = None,
) -> Any:
    """A Dataset of variables (B, T, …) with named dimensions.

    Args:
        variables: The variables by name, g among them as (B, T, N, G).
        coordinates: The coordinates, beside the numbers or names along each dimension.
        task: The `tasks.Task`, which names channels and classes, or None.
        attributes: The attributes beside the versions.
    """
    xarray = import_xarray()
    named = {name: (VARIABLES[name], values) for name, values in variables.items()}
    sizes = {
        dimension: size
        for dimensions, values, *_ in (*named.values(), *coordinates.values())
        for dimension, size in zip(dimensions, np.shape(values), strict=True)
    }
    numbered = {dimension: np.arange(size) for dimension, size in sizes.items()}
    along = {name: (name, values) for name, values in numbered.items()}
    along |= {name: (name, list(values)) for name, values in _names(task, sizes).items()}
    attributes = {**(attributes or {}), **versions()}
    return xarray.Dataset(named, along | coordinates, attributes)


def task_coordinates(task: Any, index: Any, label: Any, steps: Any, mask: Any) -> Coordinates:
    """The coordinates of sequences of a task.

    Args:
        task: The `tasks.Task`.
        index: The indices of the sequences in their split, (B,).
        label: Their targets at the recorded steps, as `Task.examples` gives them otherwise.
        steps: The numbers of the recorded steps, (T′,).
        mask: A mask (B, T′), False where a sequence has ended.
    """
    spec = task.spec
    dimensions = (SEQUENCE, *([STEP] * spec.every_step), *([OUTPUT] if spec.values else []))
    label = np.asarray(label, "float32" if spec.values else "int32")
    if spec.every_step:
        hidden = label.dtype.type(np.nan if spec.values else -1)
        label = np.where(mask[..., None] if spec.values else mask, label, hidden)
    made: Coordinates = {
        "index": ((SEQUENCE,), np.asarray(index, "int64")),
        "label": (dimensions, label),
        "time": ((STEP,), steps * float(spec.interval), {"units": spec.unit}),
    }
    if task.image_shape and spec.sequential:
        made["pixel_index"] = ((STEP,), np.array([task.pixel_index(t) for t in steps], "int32"))
    return made


def drive_coordinate(drive: np.ndarray, mask: np.ndarray) -> tuple:
    """The drive ξ, (B, T, 1 or N), as a coordinate; NaN where a sequence has ended."""
    drive = np.where(mask[..., None], drive, np.float32(np.nan))
    return ((SEQUENCE, STEP), drive[..., 0]) if drive.shape[2] == 1 else (_OF_UNITS, drive)


def by_controller_unit(signals: Mapping[str, np.ndarray], units: int) -> dict[str, np.ndarray]:
    """The signals, with the controller states g (…, N, G) in place of (…, N·G)."""
    if "g" not in signals:
        return dict(signals)
    g = signals["g"]
    return {**signals, "g": g.reshape(*g.shape[:-1], units, -1)}


def contrast_factors(perturbation: Perturbation, task: Any) -> np.ndarray:
    """The factor on positive inputs at every step, without noise, float32.

    Args:
        perturbation: The perturbation.
        task: The `tasks.Task`, of T steps and I channels.

    Returns:
        An array (T,), or (T, I) where the channels differ.
    """
    channels = task.spec.channels
    x = np.ones((1, task.timesteps, len(channels)), "float32")
    for component in perturbation.components:
        if component.bounded:  # A contrast leaves negative values as they are, so the order counts.
            x = component.changed_pixels(x, channels=channels)
    return x[0, :, 0] if (x == x[..., :1]).all() else x[0]


def contrast_coordinate(factors: np.ndarray) -> tuple:
    """The factors of `contrast_factors` as a coordinate."""
    return ((STEP, CHANNEL)[: factors.ndim], factors)


def of_reading(
    reading: Any,
    signals: Mapping[str, np.ndarray] | None = None,
    contrast: np.ndarray | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> Any:
    """A Dataset of the single sequence of a `Reading`.

    Args:
        reading: The `Reading`, of T steps.
        signals: Signals by name, (T, N) each, in place of those of the reading.
        contrast: The factor on positive inputs at every step, (T,) or (T, I), or None.
        attributes: The attributes beside task, split and versions.
    """
    task, steps = reading.task, np.arange(reading.timesteps)
    mask = np.ones((1, len(steps)), bool)
    drive = np.zeros((len(steps), 1), "float32") if reading.drive is None else reading.drive
    coordinates = task_coordinates(task, [reading.index], [reading.label], steps, mask)
    coordinates |= {
        "mask": ((SEQUENCE, STEP), mask),
        "drive": drive_coordinate(drive[None], mask),
    }
    if contrast is not None:
        coordinates["contrast"] = contrast_coordinate(contrast)
    output = "y" if reading.of_values else "probability"
    variables = {**(signals or reading.signals), "x": reading.pixels}
    variables[output] = reading.probabilities
    attributes = task_attributes(task, reading.split) | dict(attributes or {})
    return labelled(
        {name: values[None] for name, values in variables.items()}, coordinates, task, attributes
    )


def task_attributes(task: Any, split: str) -> dict[str, Any]:
    """The attributes that say which data was read."""
    return {"task": json.dumps(task.config()), "split": split}


def network_attributes(
    run: str | os.PathLike | None, perturbation: Perturbation | None = None, isolated: bool = False
) -> dict[str, Any]:
    """The attributes that say which network read, and under what.

    Args:
        run: The path of the network, or `pretrained:NAME`; None for one in memory.
        perturbation: The perturbation, or None where there is no task.
        isolated: Whether each unit hears only itself.
    """
    made: dict[str, Any] = {"isolated": int(isolated)}
    if run is not None:
        made |= {"run": os.fspath(run), **_seed(run)}
    if perturbation is not None:
        made["perturbation"] = json.dumps(perturbation.to_config())
    return made


def versions() -> dict[str, str]:
    """The attributes that say what made the recording."""
    numpy = np.__version__
    made = {"aru_keras_version": __version__, "keras_version": keras.__version__}
    return {**made, "numpy_version": numpy, "backend": keras.config.backend()}


def _seed(run):
    """The seed with which a run was trained, if its folder has a configuration."""
    path = run_path(run)
    path = (path if path.is_dir() else Path(path).parent) / CONFIG_FILE
    if not path.exists():
        return {}
    way_out = "Put back what was there, or give the network itself."
    config = checked_files.read_json(
        path, checked_files.record({}), holds="values by name", way_out=way_out
    )
    return {"seed": int(config["seed"])} if "seed" in config else {}


def _names(task, sizes):
    """The names along the dimensions that have some."""
    if task is None:
        return {}
    names = {CHANNEL: task.spec.channels, OUTPUT: task.spec.class_names}
    return {dim: values for dim, values in names.items() if len(values) == sizes.get(dim)}
