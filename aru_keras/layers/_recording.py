"""The signals of every step of a layer, in one pass through whole sequences."""

from typing import Any

import keras
from keras import ops

from aru_keras._util.types import Tensor
from aru_keras.fused.recorded import Recorded
from aru_keras.layers._fused import FusedRNN, inputs_of_steps, loops_of_backend
from aru_keras.layers._signals import SignalCell


def records_at_once(layer: Any, sequences: int, steps: int) -> bool:
    """Whether to record the whole sequence at once, and not step by step.

    On TensorFlow with fused="auto", a recording must be long enough to pay for its compilation. The
    answer depends on the recording alone, so that the same call always gives the same bits.

    Args:
        layer: A recurrent layer.
        sequences: Number of sequences of the recording.
        steps: Number of steps T.
    """
    if not isinstance(layer, FusedRNN) or not layer._goes_at_once:
        return False
    if layer.fused is True or keras.config.backend() != "tensorflow":
        return True
    from aru_keras.fused.tensorflow_shapes import recording_pays

    return recording_pays(steps, sequences, sum(keras.tree.flatten(layer.cell.state_size)))


def recording_loop(layer: Any, cell: SignalCell, at_once: bool) -> Any:
    """A layer that reads sequences as another one does, and puts out its signals.

    Args:
        layer: A recurrent layer.
        cell: A cell around the layer's, with the signals to put out, (B, T, width).
        at_once: Whether to run the whole sequence at once, if `records_at_once` allows it.
    """
    if at_once:
        return _WholeSequence(layer, cell)
    return keras.layers.RNN(
        cell,
        return_sequences=True,
        go_backwards=layer.go_backwards,
        name="recording_loop",
        dtype=cell.dtype_policy,
    )


class _WholeSequence(keras.layers.Layer):
    """The loop of a `SignalCell` around the cell of a `FusedRNN`, for the whole sequence at once.

    Args:
        layer: The layer.
        cell: The cell around the layer's.
    """

    def __init__(self, layer: FusedRNN, cell: SignalCell):
        super().__init__(name="recording_at_once", dtype=cell.dtype_policy, autocast=False)
        self.cell, self._steps_first = cell, layer._steps_first

    def build(self, input_shape: Any) -> None:
        self.cell.build((input_shape[0], input_shape[-1]))
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        cell, dtype = self.cell.cell, self.compute_dtype
        x, drive, mask = self.cell.separated(inputs)
        u = ops.cast(inputs_of_steps(cell, x, drive, training=False), dtype)
        state = cell.get_initial_state(ops.shape(x)[0])
        signals, _ = loops_of_backend().sequence(
            Recorded(cell.fused_step, self.cell.signals, self.cell.output_size, cell.compute_dtype),
            self._steps_first(u),
            [ops.cast(value, dtype) for value in state],
            self._weights(),
            mask=None if mask is None else self._steps_first(mask > 0),
            checkpoint_every=max(x.shape[1], 1),
        )
        return ops.swapaxes(signals, 0, 1)

    def _weights(self):
        weights = self.cell.cell.fused_weights(self.compute_dtype)
        if not self.cell.isolated:
            return weights
        diagonal = ops.diag(ops.diagonal(weights.recurrent_kernel))
        return weights._replace(recurrent_kernel=diagonal)
