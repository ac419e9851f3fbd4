"""Both directions of a driven layer: `keras.layers.Bidirectional` that passes a drive on."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="aru_keras")
class Bidirectional(keras.layers.Bidirectional):
    """`keras.layers.Bidirectional` around a `DrivenRNN`, with an external drive for each step.

    Args:
        layer: `ARU`, `GammaRNN` or `DrivenRNN`.
        merge_mode: "concat", "sum", "mul", "ave", or None for the two outputs by themselves.
        **kwargs: `backward_layer` and those of `keras.layers.Layer`.

    Call arguments:
        sequences, initial_state, mask: As in `keras.layers.Bidirectional`.
        drive: ξ, broadcastable to (B, T, N), added at its input's step in both directions.
        sequences_mask: Like `mask`; Keras itself fills it where several tensors are passed.
    """

    def call(
        self,
        sequences,
        initial_state=None,
        mask=None,
        training=None,
        drive=None,
        sequences_mask=None,
    ):
        mask = mask if mask is not None else sequences_mask
        if drive is None:
            return super().call(sequences, initial_state, mask, training)
        # Keras calls the two layers without further arguments: the same by hand, with the drive.
        half = len(initial_state or ()) // 2
        pairs = (
            (self.forward_layer, initial_state[:half] if half else None),
            (self.backward_layer, initial_state[half:] if half else None),
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
