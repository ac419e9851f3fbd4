"""Recordings of the signals of every unit of a network over whole sequences."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from aru_keras._util import numerics
from aru_keras._util.arguments import array, flag, one_of, shown, whole
from aru_keras._util.compiled import check_process, without_gradients
from aru_keras.layers._recording import recording_loop, records_at_once
from aru_keras.layers._signals import (
    SignalCell,
    append_drive,
    append_mask,
    checked_drive_size,
)
from aru_keras.probing import graph
from aru_keras.probing._masks import checked_mask, filled, zeroed

MEMORY_LIMIT = 2**30
"""The default number of bytes that a recording may use, beside the arrays that it returns."""

DEFAULT_SIGNALS = ("h", "n", "s")
"""The signals that are recorded by default, as far as the network has them."""

_MASKED = ("hold", "nan")
"""The names of the values at the steps that a mask skips."""


@dataclass(frozen=True)
class Record:
    """The signals and steps to record.

    Args:
        signals: The name or names of the signals: the pre-activation "a", "n", "s", "h", and the
            controller states "g" of an ARU. None stands for h, n and s, as far as they exist.
        steps: The steps to record: None for all, a slice, or their numbers in any order, from 0,
            where negative numbers count from the end.
        isolated: Whether each unit receives input from itself alone: W_hh is reduced to its
            diagonal, like in a slice whose synapses are blocked (Geadah et al. 2024, Fig 4).
        masked: The values at the steps that a mask skips: "hold" for those of the last step that
            was not skipped (0 if there is none), or "nan".

    Raises:
        ValueError: If `signals` is empty, or an argument has a wrong value.
    """

    signals: str | Sequence[str] | None = None
    steps: slice | Sequence[int] | None = None
    isolated: bool = False
    masked: str = "hold"

    def __post_init__(self):
        object.__setattr__(self, "isolated", flag("isolated", self.isolated))
        if self.steps is not None and not isinstance(self.steps, slice):
            object.__setattr__(self, "steps", self._listed_steps())
        one_of("masked", self.masked, _MASKED)
        if self.signals is None:
            return
        names = (self.signals,) if isinstance(self.signals, str) else self.signals
        named = isinstance(names, Sequence) and all(isinstance(name, str) for name in names)
        if not named or not len(names):
            raise ValueError(
                "`signals` must name at least one signal: a, n, s, h or g. "
                f"Received: {shown(self.signals)}."
            )
        object.__setattr__(self, "signals", tuple(names))

    def of(self, known: Sequence[str]) -> tuple[str, ...]:
        """The names of the signals to record.

        Args:
            known: The signals that the network has.

        Raises:
            ValueError: If there is no such signal.
        """
        if self.signals is None:
            return tuple(name for name in DEFAULT_SIGNALS if name in known)
        return tuple(one_of("signals", name, known) for name in self.signals)

    def chosen(self, timesteps: int) -> slice | np.ndarray:
        """The index of the recorded steps on the time axis.

        Args:
            timesteps: The number of steps T of the sequences.

        Raises:
            ValueError: If a step is outside of the sequence.
        """
        if self.steps is None or isinstance(self.steps, slice):
            return self.steps or slice(None)
        steps = np.asarray(self.steps, "int64")
        if len(steps) and (steps.min() < -timesteps or steps.max() >= timesteps):
            raise ValueError(
                f"`steps` must lie below T = {timesteps}. Received: {steps.min()}…{steps.max()}."
            )
        return steps

    def _listed_steps(self):
        expected = "None, a slice or a list of whole numbers"
        steps = array("steps", self.steps, ("K",), (0,), dtype=None, what=expected)
        if steps.size and steps.dtype.kind not in "iu":
            raise ValueError(f"`steps` must be {expected}. Received: {shown(self.steps)}.")
        return tuple(int(step) for step in steps)


def record(
    network: keras.layers.Layer | str | os.PathLike,
    x: Any,
    signals: str | Sequence[str] | Record | None = None,
    drive: Any = None,
    *,
    mask: Any = None,
    memory_limit: int = MEMORY_LIMIT,
    progress: bool = False,
) -> dict[str, np.ndarray]:
    """The signals of a recurrent layer, alone or in a model, while it reads sequences.

    Args:
        network: An `ARU`, `GammaRNN` or `DrivenRNN`, a `keras.layers.RNN` around one of their
            cells, a functional or sequential model that contains exactly one such layer, a
            `.keras` file, the folder of a run, or `pretrained:NAME`.
        x: The sequences, (B, T, I), or the values of the model's pixel input.
        signals: The name or names of the signals, or a `Record`.
        drive: The drive ξ, broadcastable to (B, T, N), which is added to the pre-activation.
        mask: A mask (B, T), False at the steps to skip. It is combined with the mask of a model
            that has one: a step is skipped if either of them is False.
        memory_limit: The number of bytes that limits how many sequences are run at once.
        progress: Whether to show a progress bar.

    Returns:
        An array (B, T, N) for each signal, (B, T, N·G) for "g", where T is the number of recorded
        steps. The layer starts from its initial states, and the steps are in the order in which it
        reads them, which is from the end under `go_backwards`. If steps are masked, "mask",
        (B, T) bool in the same order, is False at the skipped steps. There the states do not
        change, and the signals are as `Record.masked` says; but h is 0 if the layer has
        `zero_output_for_mask`.

    Raises:
        ValueError: If there is no such layer or signal, or a shape does not fit.
        RuntimeError: If the process was forked from one that had loaded the backend.

    Example:
        >>> signals = record(ARU(64, 8), x, ("n", "s"))
        >>> signals["n"].shape == (*x.shape[:2], 64)
        True
    """
    recorder = Recorder(network, signals)
    return recorder(x, drive, mask=mask, memory_limit=memory_limit, progress=progress)


class Recorder:
    """`record` for many calls, traced and compiled once for each shape of the input.

    Args:
        network: The network, as in `record`.
        signals: The name or names of the signals, or a `Record`.
    """

    def __init__(
        self,
        network: keras.layers.Layer | str | os.PathLike,
        signals: str | Sequence[str] | Record | None = None,
    ):
        check_process()
        self._network = network = graph.load_network(network)
        self.record = signals if isinstance(signals, Record) else Record(signals)
        self.layer = graph.recurrent_layer(network)
        self.signals = self.record.of(list(self.layer.cell.signal_sizes))
        encoder = None if network is self.layer else graph.encoder(network, self.layer)
        self._encoder = encoder
        self._encode = without_gradients(encoder) if encoder else lambda x: x
        self._loops: dict = {}

    def __deepcopy__(self, memo: dict) -> "Recorder":
        return self

    def __reduce__(self) -> tuple:
        return Recorder, (self._network, self.record)

    def __call__(
        self,
        x: Any,
        drive: Any = None,
        *,
        mask: Any = None,
        memory_limit: int = MEMORY_LIMIT,
        progress: bool = False,
    ) -> dict[str, np.ndarray]:
        """The signals for `x` and `drive`; arguments and results are those of `record`."""
        check_process()
        whole("memory_limit", memory_limit, 1, hint="It is a number of bytes.")
        what, progress = "finite real numbers, the pixels alone", flag("progress", progress)
        x = array("x", zeroed(x, mask), dtype=None, what=what)
        self._check_shape(x)
        if drive is not None:
            drive = array("drive", drive, dtype=None)
            checked_drive_size(self.layer.cell.units, (len(x), None), drive.shape)
        mask = None if mask is None else checked_mask(mask, len(x))
        signals: dict[str, np.ndarray] = {}
        bar = keras.utils.Progbar(len(x), unit_name="sequence") if progress else None
        batched = drive is not None and drive.ndim == 3 and len(drive) > 1
        for chunk in self._chunks(x, memory_limit):
            rows = np.minimum(np.arange(chunk.start, chunk.stop), len(x) - 1) if len(x) else chunk
            options = {} if mask is None else {"mask": mask[rows]}
            results = self._run(x[rows], drive[rows] if batched else drive, len(x), **options)
            for name, values in results.items():
                if name not in signals:
                    signals[name] = np.empty((len(x), *values.shape[1:]), values.dtype)
                signals[name][chunk] = values[: len(x) - chunk.start]
            if bar:
                bar.update(min(chunk.stop, len(x)))
        return signals

    def _check_shape(self, x):
        # Checked before encoding, because Keras adds a missing last axis and would take the axis
        # of time for that of the batch.
        cell = self.layer.cell
        features = cell.kernel.shape[0] if cell.built else None
        expected = self._encoder.input.shape if self._encoder else (None, None, features)
        if x.ndim != len(expected):
            raise ValueError(
                f"`x` must have {len(expected)} axes: sequences (batch, time, features), or what "
                f"the model's pixel input takes. Received: x.shape={x.shape}. A single example "
                "needs a batch axis: x[None]."
            )
        pairs = zip(x.shape[1:], expected[1:], strict=True)
        other = any(size not in (wanted, None) and wanted is not None for size, wanted in pairs)
        if other or not x.shape[1]:
            raise ValueError(
                f"`x` must have the shape that the network reads, {tuple(expected)}, None being "
                f"free, and at least one step. Received: x.shape={x.shape}."
            )

    def _chunks(self, x, memory_limit):
        """Slices of the batch that fit the memory, at least one, all of one size.

        The last one may end behind the batch. So every chunk runs in the same compiled program.
        """
        width = sum(self.layer.cell.signal_sizes[name] for name in self.signals)
        steps = x.shape[1] if x.ndim < 4 else np.prod(x.shape[1:-1])
        # The loop's outputs, their copy in one array, and the copy of that in NumPy.
        sequence = 3 * 4 * int(steps) * (width + self.layer.cell.units)
        batch = max(len(x), 1)
        count = -(-batch // max(memory_limit // sequence, 1))
        size = -(-batch // count)
        return [slice(first, first + size) for first in range(0, batch, size)]

    def _run(self, x, drive, count, mask=None):
        cell = self.layer.cell
        x = ops.convert_to_tensor(x, dtype=self._input_dtype())
        sequences, *own = keras.tree.flatten(self._encode(x))
        for own_mask in map(ops.convert_to_numpy, own):  # The model's mask, if it has one.
            mask = own_mask if mask is None else own_mask & checked_mask(mask, *own_mask.shape)
        drive_size = 0
        if drive is not None:
            sequences, drive_size = append_drive(cell, sequences, drive)
        if mask is not None:
            sequences = append_mask(sequences, checked_mask(mask, *sequences.shape[:2]))
        at_once = records_at_once(self.layer, count, sequences.shape[1])
        kind = drive_size, mask is not None, at_once
        if kind not in self._loops:
            self._loops[kind] = self._loop(sequences.shape, *kind)
        return self._separated(ops.convert_to_numpy(self._loops[kind](sequences)), mask)

    def _separated(self, together, mask):
        """The recorded steps of each signal, and the mask, from the output of the loop."""
        if mask is not None:
            mask = mask[:, ::-1] if self.layer.go_backwards else mask
            together = filled(together, mask, self.record.masked)
        steps = self.record.chosen(together.shape[1])
        ends = np.cumsum([self.layer.cell.signal_sizes[name] for name in self.signals])
        values = np.split(together[:, steps], ends[:-1], axis=-1)
        signals = dict(zip(self.signals, values, strict=True))
        if mask is None:
            return signals
        signals["mask"] = mask[:, steps]
        if "h" in signals and self.layer.zero_output_for_mask and self.record.masked == "hold":
            signals["h"] = np.where(signals["mask"][..., None], signals["h"], 0)
        return signals

    def _input_dtype(self):
        dtype = self._encoder.input.dtype if self._encoder else "float32"
        return numerics.input_dtype(dtype, self.layer.cell.compute_dtype)

    def _loop(self, shape, drive_size, masked, at_once):
        cell = SignalCell(
            self.layer.cell, self.signals, drive_size, self.record.isolated, masked=masked
        )
        loop = recording_loop(self.layer, cell, at_once)
        loop.build(shape)
        return without_gradients(loop)
