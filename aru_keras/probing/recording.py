"""Recording: run a network over whole sequences and keep the signals of every unit."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from aru_keras import numerics
from aru_keras.arguments import array, flag, one_of, shown, whole
from aru_keras.layers.signals import (
    SignalCell,
    append_drive,
    append_mask,
    checked_drive_size,
)
from aru_keras.probing import networks
from aru_keras.probing.compiled import check_process, without_gradients
from aru_keras.probing.masks import checked_mask, counted

MEMORY_LIMIT = 2**30
"""Bytes that a recording may hold in flight, beside the arrays that it returns."""

DEFAULT_SIGNALS = ("h", "n", "s")
"""What is recorded, as far as the network has it, where nothing else is asked for."""


MASKED = ("hold", "nan")
"""What can stand at the steps that a mask skips."""


@dataclass(frozen=True)
class Record:
    """What to keep of a run over whole sequences.

    Args:
        signals: Names of signals: "a" the pre-activation, "n", "s", "h", and, for an ARU, "g" the
            controller states; one name or several. None: h, n and s, as far as there are such.
        steps: Which steps to keep: None for all, a slice, or their numbers in any order, from 0,
            negative ones from the end.
        isolated: Whether each unit hears only itself: W_hh reduced to its diagonal, as in a slice
            experiment with the synapses blocked (Geadah et al. 2024, Fig 4).
        masked: What stands at the steps that a mask skips: "hold", the values of the last step
            before that counts (0 where there is none), or "nan".

    Raises:
        ValueError: If `signals` is empty, or for another `masked`.
    """

    signals: str | Sequence[str] | None = None
    steps: slice | Sequence[int] | None = None
    isolated: bool = False
    masked: str = "hold"

    def __post_init__(self):
        object.__setattr__(self, "isolated", flag("isolated", self.isolated))
        if self.steps is not None and not isinstance(self.steps, slice):
            object.__setattr__(self, "steps", self._listed_steps())
        one_of("masked", self.masked, MASKED)
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
        """Names of the signals to keep, of those that a network has.

        Raises:
            ValueError: If there is no such signal.
        """
        if self.signals is None:
            return tuple(name for name in DEFAULT_SIGNALS if name in known)
        return tuple(one_of("signals", name, known) for name in self.signals)

    def chosen(self, timesteps: int) -> slice | np.ndarray:
        """What to index the time axis of `timesteps` steps with.

        Raises:
            ValueError: If a step is not a whole number or lies outside.
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
        what = "None, a slice or a list of whole numbers"
        steps = array("steps", self.steps, ("K",), (0,), dtype=None, what=what)
        if steps.size and steps.dtype.kind not in "iu":
            raise ValueError(f"`steps` must be {what}. Received: {shown(self.steps)}.")
        return tuple(int(step) for step in steps)


def record(
    network,
    x,
    signals=None,
    drive=None,
    *,
    mask=None,
    memory_limit: int = MEMORY_LIMIT,
    progress: bool = False,
) -> dict[str, np.ndarray]:
    """The signals of a recurrent layer, or of the one in a model, while it reads sequences.

    Args:
        network: `ARU`, `GammaRNN`, `DrivenRNN`, a `keras.layers.RNN` around one of their cells, a
            functional or sequential model that holds exactly one such layer, or the folder of a
            run.
        x: The sequences, (B, T, I); for a model, what its pixel input takes.
        signals: Names of what to keep, or a `Record`.
        drive: ξ, broadcastable to (B, T, N), added to the pre-activation.
        mask: (B, T), False at the steps to skip; a model that masks has its own already, and skips
            what either does.
        memory_limit: Bytes to hold in flight: so many sequences are run at once.
        progress: Show a progress bar.

    Returns:
        One array a name: (B, T, N), and (B, T, N·G) for "g", in the order in which the layer
        reads (from the end under `go_backwards`), from the initial states; T is the number of
        steps kept. Where steps are masked, "mask" too, (B, T) bool, in the same order: False at
        the steps skipped, at which states stay, and signals stand as `Record.masked` says (h is 0
        there if the layer's `zero_output_for_mask` makes it so).

    Raises:
        ValueError: If there is no such layer or signal, or a shape does not fit.
    """
    recorder = Recorder(network, signals)
    return recorder(x, drive, mask=mask, memory_limit=memory_limit, progress=progress)


class Recorder:
    """`record` for many calls: traced and compiled once for each shape of input.

    Args:
        network: As in `record`.
        signals: As in `record`.
    """

    def __init__(self, network, signals=None):
        check_process()
        self._network = network = networks.load_network(network)
        self.record = signals if isinstance(signals, Record) else Record(signals)
        self.layer = networks.recurrent_layer(network)
        self.signals = self.record.of(list(self.layer.cell.signal_sizes))
        encoder = None if network is self.layer else networks.encoder(network, self.layer)
        self._encoder = encoder
        self._encode = without_gradients(encoder) if encoder else lambda x: x
        self._loops = {}

    def __deepcopy__(self, memo) -> "Recorder":
        return self

    def __reduce__(self):
        return Recorder, (self._network, self.record)

    def __call__(
        self,
        x,
        drive=None,
        *,
        mask=None,
        memory_limit: int = MEMORY_LIMIT,
        progress: bool = False,
    ) -> dict[str, np.ndarray]:
        """The signals for `x` and `drive`, as `record` returns them."""
        check_process()
        whole("memory_limit", memory_limit, 1, hint="It is a number of bytes.")
        x, progress = array("x", counted(x, mask), dtype=None), flag("progress", progress)
        self._check_shape(x)
        if drive is not None:
            drive = array("drive", drive, dtype=None)
            checked_drive_size(self.layer.cell.units, (len(x), None), drive.shape)
        mask = None if mask is None else checked_mask(mask, len(x))
        found = None
        bar = keras.utils.Progbar(len(x), unit_name="sequence") if progress else None
        for part in self._parts(x, memory_limit):
            batched = drive is not None and drive.ndim == 3 and len(drive) > 1
            options = {} if mask is None else {"mask": mask[part]}
            pieces = self._run(x[part], drive[part] if batched else drive, **options)
            if found is None:
                found = {
                    name: np.empty((len(x), *piece.shape[1:]), piece.dtype)
                    for name, piece in pieces.items()
                }
            for name, piece in pieces.items():
                found[name][part] = piece
            if bar:
                bar.update(min(part.stop, len(x)))
        return found

    def _check_shape(self, x):
        # Before encoding: Keras adds a last axis where one is missing, and would take the time for
        # the batch.
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
        if any(size not in (wanted, None) and wanted is not None for size, wanted in pairs):
            raise ValueError(
                f"`x` must have the shape that the network reads, {tuple(expected)}, None being "
                f"free. Received: x.shape={x.shape}."
            )

    def _parts(self, x, memory_limit):
        """Slices of the batch, each small enough; one at least."""
        width = sum(self.layer.cell.signal_sizes[name] for name in self.signals)
        steps = x.shape[1] if x.ndim < 4 else np.prod(x.shape[1:-1])
        # What is emitted, its copy in one array, and the same in numpy.
        sequence = 3 * 4 * int(steps) * (width + self.layer.cell.units)
        size = int(np.clip(memory_limit // sequence, 1, max(len(x), 1)))
        return [slice(first, first + size) for first in range(0, max(len(x), 1), size)]

    def _run(self, x, drive, mask=None):
        cell = self.layer.cell
        x = ops.convert_to_tensor(x, dtype=self._input_dtype())
        sequences, *own = keras.tree.flatten(self._encode(x))
        for one in own:  # The model's mask, if it has one.
            one = ops.convert_to_numpy(one)
            mask = one if mask is None else one & checked_mask(mask, *one.shape)
        drive_size = 0
        if drive is not None:
            sequences, drive_size = append_drive(cell, sequences, drive)
        if mask is not None:
            sequences = append_mask(sequences, checked_mask(mask, *sequences.shape[:2]))
        kind = drive_size, mask is not None
        if kind not in self._loops:
            self._loops[kind] = self._loop(sequences.shape, *kind)
        return self._found(ops.convert_to_numpy(self._loops[kind](sequences)), mask)

    def _found(self, together, mask):
        """The signals by name, of the chosen steps, and the mask, out of what the loop emits."""
        if mask is not None:
            mask = mask[:, ::-1] if self.layer.go_backwards else mask
            together = _filled(together, mask, self.record.masked)
        kept = self.record.chosen(together.shape[1])
        ends = np.cumsum([self.layer.cell.signal_sizes[name] for name in self.signals])
        pieces = np.split(together[:, kept], ends[:-1], axis=-1)
        found = dict(zip(self.signals, pieces, strict=True))
        if mask is None:
            return found
        found["mask"] = mask[:, kept]
        if "h" in found and self.layer.zero_output_for_mask and self.record.masked == "hold":
            found["h"] = np.where(found["mask"][..., None], found["h"], 0)
        return found

    def _input_dtype(self):
        """Of what the network reads: whole numbers, for an embedding, stay such."""
        dtype = self._encoder.input.dtype if self._encoder else "float32"
        if not keras.backend.is_float_dtype(dtype):
            return dtype
        return numerics.working_dtype(self.layer.cell.compute_dtype)

    def _loop(self, shape, drive_size, masked):
        loop = keras.layers.RNN(
            SignalCell(
                self.layer.cell, self.signals, drive_size, self.record.isolated, masked=masked
            ),
            return_sequences=True,
            go_backwards=self.layer.go_backwards,
            name="recording_loop",
            dtype=numerics.working_dtype(self.layer.cell.compute_dtype),
        )
        loop.build(shape)
        return without_gradients(loop)


def _filled(values, mask, how):
    """`values` (B, T, …), at masked steps NaN, or those of the last step before that counts."""
    if how == "nan":
        return np.where(mask[..., None], values, np.asarray(np.nan, values.dtype))
    last = np.maximum.accumulate(np.where(mask, np.arange(mask.shape[1]), -1), axis=1)
    held = np.take_along_axis(values, np.maximum(last, 0)[..., None], axis=1)
    return np.where(last[..., None] < 0, np.asarray(0, values.dtype), held)
