"""A cell that takes drives in and gives its signals out: the driven loop and the probes run it."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from aru_keras._util import numerics
from aru_keras._util.types import Shape, Tensor


class SignalCell(keras.layers.Layer):
    """A cell around another one, with input and drive in one tensor, and its signals in another.

    `keras.layers.RNN` takes one input tensor and gives one output tensor at each step. So x_t, ξ_t
    and the mask are concatenated on the last axis, and the signals are, too.

    Args:
        cell: Cell with `step` and `signal_sizes`.
        signals: Names of the signals to emit, in this order. h alone keeps the dtype of the cell;
            several signals are in float32, or float64 if the cell is.
        drive_size: Number of trailing input features that are the drive ξ_t.
        isolated: Whether each unit hears only itself: W_hh is reduced to its diagonal.
        masked: Whether the last input feature is a mask. Where it is 0 the states stay as they
            were, and the outputs are undefined.
    """

    def __init__(
        self,
        cell: Any,
        signals: tuple[str, ...] = ("h",),
        drive_size: int = 0,
        isolated: bool = False,
        masked: bool = False,
    ):
        super().__init__(
            name="signals",
            dtype=numerics.working_dtype(cell.compute_dtype),
            autocast=False,
        )
        self.cell = cell
        self.signals = signals
        self.drive_size = drive_size
        self.isolated = isolated
        self.masked = masked
        self.state_size = cell.state_size
        self.output_size = sum(cell.signal_sizes[name] for name in signals)

    def build(self, input_shape: Any) -> None:
        if not self.cell.built:
            beside = self.drive_size + self.masked
            self.cell.build((input_shape[0], input_shape[-1] - beside))
        self.built = True

    def get_initial_state(self, batch_size: int | None = None) -> list[Tensor]:
        return self.cell.get_initial_state(batch_size)

    def call(
        self, inputs: Tensor, states: Sequence[Tensor], training: bool = False
    ) -> tuple[Tensor, list[Tensor]]:
        inputs, drive, mask = self.separated(inputs)
        signals, new_states = self.cell.step(
            inputs, states, drive, self.isolated, training=training
        )
        new_states = [ops.cast(new, old.dtype) for new, old in zip(new_states, states, strict=True)]
        if mask is not None:
            pairs = zip(new_states, states, strict=True)
            new_states = [ops.where(mask > 0, new, old) for new, old in pairs]
        if self.signals == ("h",):
            return signals["h"], new_states
        chosen = [ops.cast(signals[name], self.compute_dtype) for name in self.signals]
        return ops.concatenate(chosen, axis=-1), new_states

    def separated(self, inputs: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Input, drive and mask, of a step or of whole sequences; None where there is none."""
        drive = mask = None
        if self.masked:
            inputs, mask = inputs[..., :-1], inputs[..., -1:]
        if self.drive_size:
            inputs, drive = inputs[..., : -self.drive_size], inputs[..., -self.drive_size :]
        return inputs, drive, mask


def append_drive(cell: Any, sequences: Tensor, drive: Tensor) -> tuple[Tensor, int]:
    """Concatenate a drive with its sequences, as `SignalCell` takes them.

    Args:
        cell: Driven cell of N units.
        sequences: Input x, (B, T, I).
        drive: External drive ξ, broadcastable to (B, T, N).

    Returns:
        `(driven, drive_size)`: (B, T, I + drive_size), and drive_size, 1 or N.

    Raises:
        ValueError: If the drive does not broadcast.
    """
    sequences, drive = (
        ops.convert_to_tensor(value, dtype=cell.compute_dtype) for value in (sequences, drive)
    )
    drive_size = checked_drive_size(cell.units, sequences.shape, drive.shape)
    batch, steps = ops.shape(sequences)[:2]
    drive = ops.broadcast_to(drive, (batch, steps, drive_size))
    return ops.concatenate([sequences, drive], axis=-1), drive_size


def append_mask(sequences: Tensor, mask: Tensor) -> Tensor:
    """Concatenate a mask (B, T) with its sequences (B, T, …), as `SignalCell` takes them."""
    mask = ops.cast(mask, sequences.dtype)
    return ops.concatenate([sequences, mask[..., None]], axis=-1)


def checked_drive_size(units: int, sequences_shape: Shape, drive_shape: Shape) -> int:
    """The number of features of a drive, 1 or N.

    Raises:
        ValueError: If the drive does not broadcast to (B, T, N).
    """
    target = (sequences_shape[0], sequences_shape[1], units)
    shape = (1,) * (3 - len(drive_shape)) + tuple(drive_shape)
    fits = len(shape) == 3 and all(
        size in (1, None, wanted) or wanted is None
        for size, wanted in zip(shape, target, strict=True)
    )
    if not fits:
        raise ValueError(
            f"`drive` must broadcast to (batch, time, units) = {target}. Received: drive.shape="
            f"{tuple(drive_shape)}. Give a scalar, (T, 1), (B, T, 1) or (B, T, N)."
        )
    return shape[-1] or units


def checked_starts(sequences: Tensor, starts: Tensor) -> Tensor:
    """The starts of episodes as booleans, (B, T).

    Raises:
        ValueError: If they do not broadcast to the steps of the sequences.
    """
    starts = ops.cast(ops.convert_to_tensor(starts), "bool")
    target, shape = sequences.shape[:2], (1,) * (2 - len(starts.shape)) + tuple(starts.shape)
    if len(shape) != 2 or any(
        size not in (1, None, wanted) and wanted is not None
        for size, wanted in zip(shape, target, strict=True)
    ):
        raise ValueError(
            f"`starts` must broadcast to (batch, time) = {tuple(target)}. Received: starts.shape="
            f"{tuple(starts.shape)}. Give True at the steps at which an episode begins."
        )
    return ops.broadcast_to(starts, ops.shape(sequences)[:2])


def refuse_ragged(sequences: Tensor) -> None:
    """Refuse a `tf.RaggedTensor`, as no recurrent layer of Keras 3 takes one.

    Raises:
        ValueError: If the sequences are ragged.
    """
    if type(sequences).__name__ == "RaggedTensor":
        raise ValueError(
            "`sequences` must be a dense tensor (batch, time, features). Received: a ragged one. "
            "Pad it with sequences.to_tensor(value), and mask the value with keras.layers.Masking."
        )
