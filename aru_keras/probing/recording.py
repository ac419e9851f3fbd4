"""Recording: run a network over whole sequences and keep the signals of every unit."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from aru_keras import numerics
from aru_keras.arguments import one_of, whole
from aru_keras.layers.signals import SignalCell, append_drive, checked_drive_size
from aru_keras.probing import networks
from aru_keras.probing.compiled import check_process, without_gradients

MEMORY_LIMIT = 2**30
"""Bytes that a recording may hold in flight, beside the arrays that it returns."""

DEFAULT_SIGNALS = ("h", "n", "s")
"""What is recorded, as far as the network has it, where nothing else is asked for."""


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

    Raises:
        ValueError: If `signals` is empty.
    """

    signals: str | Sequence[str] | None = None
    steps: slice | Sequence[int] | None = None
    isolated: bool = False

    def __post_init__(self):
        if self.signals is None:
            return
        names = (self.signals,) if isinstance(self.signals, str) else self.signals
        if not isinstance(names, Sequence) or not names:
            raise ValueError(
                "`signals` must name at least one signal: a, n, s, h or g. "
                f"Received: {self.signals!r}."
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
        steps = np.asarray(self.steps)
        steps = steps if steps.size else steps.astype(int)
        if steps.ndim != 1 or steps.dtype.kind not in "iu":
            raise ValueError(
                "`steps` must be None, a slice or a list of whole numbers. "
                f"Received: {self.steps!r}."
            )
        if len(steps) and (steps.min() < -timesteps or steps.max() >= timesteps):
            raise ValueError(
                f"`steps` must lie below T = {timesteps}. Received: {steps.min()}…{steps.max()}."
            )
        return steps


def record(
    network,
    x,
    signals=None,
    drive=None,
    *,
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
        memory_limit: Bytes to hold in flight: so many sequences are run at once.
        progress: Show a progress bar.

    Returns:
        One array a name: (B, T, N), and (B, T, N·G) for "g", in the order in which the layer
        reads (from the end under `go_backwards`), from the initial states; T is the number of
        steps kept.

    Raises:
        ValueError: If there is no such layer or signal, or a shape does not fit.
    """
    return Recorder(network, signals)(x, drive, memory_limit=memory_limit, progress=progress)


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
        self._encode = without_gradients(encoder) if encoder else lambda x: x
        self._rank = len(encoder.input.shape) if encoder else 3
        self._loops = {}

    def __deepcopy__(self, memo) -> "Recorder":
        return self

    def __reduce__(self):
        return Recorder, (self._network, self.record)

    def __call__(
        self, x, drive=None, *, memory_limit: int = MEMORY_LIMIT, progress: bool = False
    ) -> dict[str, np.ndarray]:
        """The signals for `x` and `drive`, as `record` returns them."""
        check_process()
        whole("memory_limit", memory_limit, 1, hint="It is a number of bytes.")
        x = ops.convert_to_numpy(x)
        # Before encoding: Keras adds a last axis where one is missing, and would take the time for
        # the batch.
        if x.ndim != self._rank:
            raise ValueError(
                f"`x` must have {self._rank} axes: sequences (batch, time, features), or what the "
                f"model's pixel input takes. Received: x.shape={x.shape}. A single example "
                "needs a batch axis: x[None]."
            )
        if drive is not None:
            drive = ops.convert_to_numpy(drive)
            checked_drive_size(self.layer.cell.units, (len(x), None), drive.shape)
        found = None
        bar = keras.utils.Progbar(len(x), unit_name="sequence") if progress else None
        for part in self._parts(x, memory_limit):
            batched = drive is not None and drive.ndim == 3 and len(drive) > 1
            pieces = self._run(x[part], drive[part] if batched else drive)
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

    def _parts(self, x, memory_limit):
        """Slices of the batch, each small enough; one at least."""
        width = sum(self.layer.cell.signal_sizes[name] for name in self.signals)
        steps = x.shape[1] if self._rank == 3 else np.prod(x.shape[1:-1])
        # What is emitted, its copy in one array, and the same in numpy.
        sequence = 3 * 4 * int(steps) * (width + self.layer.cell.units)
        size = int(np.clip(memory_limit // sequence, 1, max(len(x), 1)))
        return [slice(first, first + size) for first in range(0, max(len(x), 1), size)]

    def _run(self, x, drive):
        cell = self.layer.cell
        x = ops.convert_to_tensor(x, dtype=numerics.working_dtype(cell.compute_dtype))
        sequences, drive_size = self._encode(x), 0
        if drive is not None:
            sequences, drive_size = append_drive(cell, sequences, drive)
        if drive_size not in self._loops:
            self._loops[drive_size] = self._loop(sequences.shape, drive_size)
        together = ops.convert_to_numpy(self._loops[drive_size](sequences))
        together = together[:, self.record.chosen(together.shape[1])]
        ends = np.cumsum([cell.signal_sizes[name] for name in self.signals])
        return dict(zip(self.signals, np.split(together, ends[:-1], axis=-1), strict=True))

    def _loop(self, shape, drive_size):
        loop = keras.layers.RNN(
            SignalCell(self.layer.cell, self.signals, drive_size, self.record.isolated),
            return_sequences=True,
            go_backwards=self.layer.go_backwards,
            name="recording_loop",
            dtype=numerics.working_dtype(self.layer.cell.compute_dtype),
        )
        loop.build(shape)
        return without_gradients(loop)
