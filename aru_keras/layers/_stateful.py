"""The batch of a stateful layer, which has to stay that of its states."""

import keras

from aru_keras._util.types import Tensor


def with_batch(sequences: Tensor, expected: int) -> Tensor:
    """The sequences, or an error unless they are as many as the states of a stateful layer."""
    batch = sequences.shape[0]
    rule = f"A stateful layer keeps one state per sequence: the batch must stay at {expected} "
    if batch is not None and batch != expected:
        raise ValueError(f"{rule}sequences. Received: {batch}. Drop the last partial batch.")
    if batch is not None or keras.config.backend() != "tensorflow":
        return sequences
    import tensorflow as tf

    # A graph knows its batch only when it runs. XLA drops assertions, so that an operation whose
    # name gives the reason must fail by its shape. The shape must not be fixed, as TensorFlow would
    # optimize that check away.
    shape = tf.shape(sequences)
    fits = shape[0] == expected
    words = [f"{rule}sequences. Received:", shape[0], "Drop the last partial batch."]
    with tf.control_dependencies([tf.debugging.Assert(fits, words)]):
        shape = tf.where(fits, shape, [-2, -2, -2])
        checked = tf.reshape(sequences, shape, name="Drop_the_last_partial_batch")
    checked.set_shape((expected, *sequences.shape[1:]))
    return checked


def of_unknown_batch(output: Tensor) -> Tensor:
    """The output with an unknown batch: with a fixed one, a loss would refuse its targets first."""
    if keras.config.backend() != "tensorflow":
        return output
    import tensorflow as tf

    return tf.compat.v1.placeholder_with_default(output, (None, *output.shape[1:]))
