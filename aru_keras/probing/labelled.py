"""Recordings with named dimensions: `xarray.Dataset`s of the signals of a network."""

import dataclasses
import math
import os
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from aru_keras._util.arguments import one_of, shown, wholes
from aru_keras._util.extras import import_xarray
from aru_keras.perturbations import as_perturbation
from aru_keras.probing import _datasets, graph
from aru_keras.probing._datasets import SEQUENCE, STEP
from aru_keras.probing.recording import MEMORY_LIMIT, Record, Recorder


def record_dataset(
    network: keras.layers.Layer | str | os.PathLike,
    x: Any,
    signals: str | Sequence[str] | Record | None = None,
    drive: Any = None,
    *,
    mask: Any = None,
    memory_limit: int = MEMORY_LIMIT,
    progress: bool = False,
) -> Any:
    """The signals of a network while it reads sequences, as an `xarray.Dataset`.

    It has the dimensions `sequence`, `step`, `unit`, `controller_unit` of g, `channel` of the input
    x, and `output` of y. Its coordinates number them, and are `mask` (B, T), False at the skipped
    steps, and `drive`. Its attributes are the run, its seed, and the versions. It needs xarray.

    Args:
        network: The network, as in `record`.
        x: The sequences, (B, T, I), or the values of the model's pixel input.
        signals: The name or names of the signals, or a `Record`. Beside those of `record` a model
            has "y", its output at this step, or if the sequence ended at this step. None stands for
            all but "g". Without a `Record`, the values at skipped steps are NaN.
        drive: The drive ξ, broadcastable to (B, T, N).
        mask: A mask (B, T), False at the steps to skip.
        memory_limit: The number of bytes that limits how many sequences are run at once.
        progress: Whether to show a progress bar.

    Raises:
        ImportError: If xarray is not installed.
        ValueError: If there is no such layer or signal, or a shape does not fit.

    Example:
        >>> dataset = record_dataset(ARU(64, 8), x)
        >>> dataset.n.mean("unit").plot.line(x="step")
        >>> dataset.to_netcdf("recording.nc")
    """
    import_xarray()
    source = _Source(network, signals)
    recorded = source.read(x, drive, mask, memory_limit=memory_limit, progress=progress)
    attributes = _datasets.network_attributes(source.run, isolated=source.record.isolated)
    x = keras.ops.convert_to_numpy(x)
    return recorded.dataset(x, drive, attributes=attributes)


def record_task(
    network: keras.layers.Layer | str | os.PathLike,
    task: Any,
    split: str = "test",
    indices: Sequence[int] | None = None,
    signals: str | Sequence[str] | Record | None = None,
    perturbation: Any = None,
    *,
    memory_limit: int = MEMORY_LIMIT,
    progress: bool = False,
) -> Any:
    """The signals of a network while it reads sequences of a task, as an `xarray.Dataset`.

    Dimensions and attributes are those of `record_dataset`, with the names of the channels and
    classes along `channel` and `output`. Coordinates are also `time`, with the task's unit,
    `index`, the index of each sequence in the split, `label`, `contrast`, the factor on positive
    inputs without noise (over step, and over channel where channels differ), and of images
    `pixel_index`. Attributes are also task, split and perturbation. The steps end with the longest
    sequence. Where a shorter one has ended, `mask` is False, the class of a step is −1, and other
    numbers are NaN.

    Args:
        network: The network, as in `record`.
        task: The `tasks.Task`.
        split: The split: "train", "validation" or "test".
        indices: The indices of the sequences in the split; None for all.
        signals: The signals, as in `record_dataset`.
        perturbation: A `perturbations` value, or another form that `as_perturbation` takes.
        memory_limit: The number of bytes that limits how many sequences are run at once.
        progress: Whether to show a progress bar.

    Raises:
        ImportError: If xarray is not installed.
        ValueError: If there is no such layer, signal or sequence, or the perturbation does not fit.
    """
    import_xarray()
    if not hasattr(task, "examples"):
        raise ValueError(
            f"`task` must be a task, as tasks.load_task gives it. Received: {shown(task)}."
        )
    source, perturbation = _Source(network, signals), as_perturbation(perturbation)
    one_of("split", split, task.sizes)
    chosen = np.arange(task.sizes[split]) if indices is None else wholes("indices", indices, 0)
    x, label = task.examples(split, chosen)
    x, drive = task.perturbed(x, chosen, perturbation, source.layer.cell.units)
    mask = None if task.padding is None else task.mask(split)[chosen]
    recorded = source.read(x, drive, mask, memory_limit=memory_limit, progress=progress)
    recorded = recorded.until(mask)
    steps = recorded.steps
    label = label[:, steps] if task.spec.every_step else label
    coordinates = _datasets.task_coordinates(task, chosen, label, steps, recorded.mask)
    contrast = _datasets.contrast_factors(perturbation, task)
    coordinates["contrast"] = _datasets.contrast_coordinate(contrast[steps])
    attributes = _datasets.task_attributes(task, split) | _datasets.network_attributes(
        source.run, perturbation, source.record.isolated
    )
    drive = np.zeros((1, 1, 1), "float32") if drive is None else drive
    return recorded.dataset(x, drive, coordinates, task, attributes)


@dataclasses.dataclass(frozen=True, eq=False)
class _Recorded:
    """Variables (B, T′, …), the numbers of their steps (T′,), of T, and their mask (B, T′)."""

    variables: dict
    steps: np.ndarray
    timesteps: int
    mask: np.ndarray

    def until(self, mask):
        """The steps before the end of the longest sequence."""
        last = self.timesteps if mask is None else np.flatnonzero(mask.any(axis=0)).max() + 1
        before = self.steps < last
        variables = {name: values[:, before] for name, values in self.variables.items()}
        return _Recorded(variables, self.steps[before], self.timesteps, self.mask[:, before])

    def dataset(self, x, drive, coordinates=None, task=None, attributes=None):
        variables = dict(self.variables)
        if x.ndim == 3 and x.shape[1] == self.timesteps:
            shown = x[:, self.steps].astype("float32")
            variables["x"] = np.where(self.mask[..., None], shown, np.float32(np.nan))
        made = {"mask": ((SEQUENCE, STEP), self.mask), STEP: ((STEP,), self.steps)}
        if drive is not None:
            made["drive"] = _datasets.drive_coordinate(self._drive(drive), self.mask)
        return _datasets.labelled(variables, made | (coordinates or {}), task, attributes)

    def _drive(self, drive):
        drive = np.asarray(keras.ops.convert_to_numpy(drive), "float32")
        drive = drive.reshape((1,) * (3 - drive.ndim) + drive.shape)
        shape = len(self.mask), self.timesteps, drive.shape[2]
        return np.broadcast_to(drive, shape)[:, self.steps]


class _Source:
    """A network, with what is to be recorded of it, the output y among that."""

    def __init__(self, network, signals):
        self.run = network if isinstance(network, str | os.PathLike) else None
        self._model = model = graph.load_network(network)
        self.record = signals if isinstance(signals, Record) else Record(signals, masked="nan")
        self.layer = graph.recurrent_layer(model)
        self._head = None if self.layer.go_backwards else graph.read_out(model, self.layer)
        known = [*self.layer.cell.signal_sizes, *(["y"] if self._head else [])]
        usual = tuple(name for name in known if name != "g")
        self.signals = usual if self.record.signals is None else self.record.of(known)
        within = [name for name in self.signals if name != "y"]
        if "y" in self.signals and "h" not in within:
            within.append("h")
        self._recorder = Recorder(model, dataclasses.replace(self.record, signals=within))

    def read(self, x, drive, mask, memory_limit, progress):
        """The signals for an input, a `_Recorded`."""
        options = {"memory_limit": memory_limit, "progress": progress}
        signals = self._recorder(x, drive, mask=mask, **options)
        mask = signals.pop("mask", None)
        if "y" in self.signals:
            signals["y"] = self._outputs(signals["h"], memory_limit)
        signals = _datasets.by_controller_unit(signals, self.layer.cell.units)
        variables = {name: signals[name] for name in self.signals}
        first = next(iter(variables.values()))
        timesteps = self._timesteps(x)
        order = np.arange(timesteps)[:: -1 if self.layer.go_backwards else 1]
        mask = np.ones(first.shape[:2], bool) if mask is None else mask
        return _Recorded(variables, order[self.record.chosen(timesteps)], timesteps, mask)

    def _timesteps(self, x):
        """The number of steps T, of which some may not have been recorded."""
        if self._model is self.layer:
            return np.shape(x)[1]
        encoder = graph.encoder(self._model, self.layer)
        if encoder is None:
            return np.shape(x)[1]
        sequences = encoder.compute_output_shape(np.shape(x))
        return keras.tree.flatten(sequences)[1]

    def _outputs(self, h, memory_limit):
        """The outputs y, (B, T, outputs), made from as many steps at once as fit the memory."""
        rows = h.reshape(-1, h.shape[-1])
        count = -(-len(rows) // self._rows_at_once(h, memory_limit)) or 1
        size = -(-len(rows) // count) or 1
        starts = range(0, max(len(rows), 1), size)
        y = np.concatenate([self._chunk(rows[start : start + size], size) for start in starts])
        return y.reshape(*h.shape[:2], math.prod(y.shape[1:]))

    def _chunk(self, rows, size):
        """The outputs of some rows, filled up, so that all chunks run in the same programs."""
        filled = np.pad(rows, ((0, size - len(rows)), (0, 0)))
        return keras.ops.convert_to_numpy(self._head(filled))[: len(rows)]

    def _rows_at_once(self, h, memory_limit):
        """The number of rows of h whose way through the layers above fits the memory."""
        axes = 2 if self.layer.return_sequences else 1  # Those of the batch, and of time.
        outputs = keras.tree.flatten([layer.output for layer in self._head.layers])
        numbers = [math.prod(size or 1 for size in output.shape[axes:]) for output in outputs]
        # Each is in the memory of the backend, and the last one is copied to NumPy.
        return max(memory_limit // (2 * h.itemsize * (h.shape[-1] + sum(numbers))), 1)
