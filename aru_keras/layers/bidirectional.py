"""Both directions of a driven layer: `keras.layers.Bidirectional` that passes a drive on."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from aru_keras._util.types import Tensor


@keras.saving.register_keras_serializable(package="aru_keras")
class Bidirectional(keras.layers.Bidirectional):
    """`keras.layers.Bidirectional` around a `DrivenRNN`, with an external drive for each step.

    Args:
        layer: Layer that reads forwards: an `ARU`, `GammaRNN` or `DrivenRNN`.
        merge_mode: Combination of the two outputs: "concat", "sum", "mul", "ave", or None for a
            tuple of both.
        weights: List of initial weights.
        backward_layer: Layer that reads backwards; None for one of the configuration of `layer`.
        **kwargs: Arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Call arguments:
        sequences: Input x, (B, T, I).
        initial_state: List of the states of the forward and then of the backward layer.
        mask: Mask (B, T), False at the steps to skip.
        training: Whether the call is part of training.
        drive: External drive ξ, broadcastable to (B, T, N), which is added in both directions at
            the step of its input.
        sequences_mask: Another name of `mask`, which Keras fills where several tensors are passed.

    It takes no `starts`: backwards, an episode begins at its last step.

    Example:
        >>> x = np.ones((8, 20, 3), "float32")
        >>> keras.ops.shape(Bidirectional(ARU(64, 16))(x, drive=0.5))
        (8, 128)
    """

    def __init__(
        self,
        layer: keras.layers.Layer,
        merge_mode: str | None = "concat",
        weights: list[Any] | None = None,
        backward_layer: keras.layers.Layer | None = None,
        **kwargs: Any,
    ):
        super().__init__(layer, merge_mode, weights, backward_layer, **kwargs)

    def call(
        self,
        sequences: Tensor,
        initial_state: Sequence[Tensor] | None = None,
        mask: Tensor | None = None,
        training: bool | None = None,
        drive: Tensor | None = None,
        sequences_mask: Tensor | None = None,
    ) -> Any:
        mask = mask if mask is not None else sequences_mask
        if drive is None:
            return super().call(sequences, initial_state, mask, training)
        # Keras would call the two layers without a drive, so that they are called here.
        states_before = list(initial_state or ())
        half = len(states_before) // 2
        pairs = (
            (self.forward_layer, states_before[:half] if half else None),
            (self.backward_layer, states_before[half:] if half else None),
        )
        results = [
            layer(sequences, initial_state=state, mask=mask, training=training, drive=drive)
            for layer, state in pairs
        ]
        states = ()
        if self.return_state:
            states = (*results[0][1:], *results[1][1:])
            results = [result[0] for result in results]
        forward, backward = (ops.cast(result, self.compute_dtype) for result in results)
        if self.return_sequences:
            backward = ops.flip(backward, axis=1)
        output = _merge(self.merge_mode, forward, backward)
        if self.merge_mode is None:
            return *output, *states
        return (output, *states) if states else output


def _merge(mode, forward, backward):
    if mode == "concat":
        return ops.concatenate([forward, backward], axis=-1)
    if mode == "sum":
        return forward + backward
    if mode == "ave":
        return (forward + backward) / 2
    return forward * backward if mode == "mul" else (forward, backward)
