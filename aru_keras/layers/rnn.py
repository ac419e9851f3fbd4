"""Whole sequences through a driven cell: `keras.layers.RNN` with an external drive."""

import keras
from keras import ops

from aru_keras.layers.cell import DrivenRNNCell
from aru_keras.layers.signals import SignalCell, append_drive, checked_drive_size


@keras.saving.register_keras_serializable(package="aru_keras")
class DrivenRNN(keras.layers.RNN):
    """`keras.layers.RNN` around a `DrivenRNNCell`, with an external drive for each step.

    Args:
        *cell_args: Of the cell, first its `units`.
        return_sequences: Return h at every step, (B, T, N), instead of the last one, (B, N).
        return_state: Return the last states too.
        go_backwards: Read the sequence, and its drive, from the end.
        stateful: Start each batch from the states in which the last one ended.
        unroll: Unroll the loop; fast for short sequences, large in memory.
        zero_output_for_mask: Emit 0, not the previous output, at masked steps.
        name, dtype, trainable, activity_regularizer: Of `keras.layers.Layer`.
        **cell_kwargs: Further arguments of the cell.

    Call arguments:
        sequences: x, (B, T, I).
        initial_state: List of states to start from; zeros if None.
        mask: (B, T), False at the steps to skip.
        training: Whether it is called to train; Keras says so in `fit`, `evaluate` and `predict`.
        drive: ξ, broadcastable to (B, T, N), added to the pre-activation at its input's step.
        sequences_mask: Like `mask`; Keras itself fills it where several tensors are passed.
    """

    cell_class: type[DrivenRNNCell] = DrivenRNNCell

    def __init__(
        self,
        *cell_args,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        name: str | None = None,
        dtype=None,
        trainable: bool = True,
        activity_regularizer=None,
        **cell_kwargs,
    ):
        super().__init__(
            self.cell_class(*cell_args, name="cell", dtype=dtype, **cell_kwargs),
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            zero_output_for_mask=zero_output_for_mask,
            name=name,
            dtype=dtype,
            trainable=trainable,
            activity_regularizer=activity_regularizer,
        )
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def build(self, sequences_shape, initial_state_shape=None):
        super().build(sequences_shape, initial_state_shape)
        self.input_spec = keras.layers.InputSpec(ndim=3, axes={-1: sequences_shape[-1]})

    def compute_output_shape(self, sequences_shape, initial_state_shape=None, drive_shape=None):
        if drive_shape is not None:
            checked_drive_size(self.cell.units, sequences_shape, drive_shape)
        return super().compute_output_shape(sequences_shape, initial_state_shape)

    def call(
        self,
        sequences,
        initial_state=None,
        mask=None,
        training=None,
        drive=None,
        sequences_mask=None,
    ):
        if self.unroll and sequences.shape[1] is None:
            raise ValueError(
                "unroll=True needs sequences of known length. Received: sequences.shape="
                f"{tuple(sequences.shape)}. Fix the length in the model's Input, or set "
                "unroll=False."
            )
        unknown_batch = sequences.shape[0] is None
        if self.stateful:
            sequences = _with_batch(sequences, self.states[0].shape[0])
        last, outputs, states = self.inner_loop(
            sequences,
            self._starting_states(sequences, initial_state),
            mask if mask is not None else sequences_mask,
            training,
            drive,
        )
        if self.stateful:
            for variable, state in zip(self.states, states, strict=True):
                variable.assign(ops.cast(state, variable.dtype))
        output = ops.cast(outputs if self.return_sequences else last, self.compute_dtype)
        if self.stateful and unknown_batch:
            output = _of_unknown_batch(output)
        if self.return_state:
            return output, *(ops.cast(state, self.compute_dtype) for state in states)
        return output

    def inner_loop(self, sequences, initial_state, mask, training=False, drive=None):
        """The loop over time; a faster path for whole sequences takes its place here."""
        if drive is None:
            return super().inner_loop(sequences, initial_state, mask, training)
        driven, drive_size = append_drive(self.cell, sequences, drive)
        loop = keras.layers.RNN(
            SignalCell(self.cell, drive_size=drive_size),
            return_sequences=self.return_sequences,
            go_backwards=self.go_backwards,
            stateful=self.stateful,
            unroll=self.unroll,
            zero_output_for_mask=self.zero_output_for_mask,
            name="driven_loop",
        )
        return loop.inner_loop(driven, initial_state, mask, training)

    def reset_state(self):
        """Set the states of a stateful layer back to the cell's initial states."""
        if self.states is None:
            return
        fresh = self.get_initial_state(self.states[0].shape[0])
        for variable, state in zip(self.states, fresh, strict=True):
            variable.assign(ops.cast(state, variable.dtype))

    def _starting_states(self, sequences, initial_state):
        if initial_state is None and self.stateful:
            initial_state = self.states
        if initial_state is None:
            initial_state = self.get_initial_state(batch_size=ops.shape(sequences)[0])
        if not isinstance(initial_state, list | tuple):
            initial_state = [initial_state]
        dtypes = self.cell.state_dtypes
        if len(initial_state) != len(dtypes):
            raise ValueError(
                f"`initial_state` must be a list of {len(dtypes)} state tensors, of widths "
                f"{self.state_size}. Received: {len(initial_state)} tensors."
            )
        return [
            ops.convert_to_tensor(state, dtype=dtype)
            for state, dtype in zip(initial_state, dtypes, strict=True)
        ]

    def get_config(self):
        config = super().get_config()
        del config["cell"]
        cell_config = self.cell.get_config()
        for name in ("name", "dtype", "trainable"):
            cell_config.pop(name)
        return {**config, **cell_config}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def _with_batch(sequences, expected):
    """The sequences, refused unless they are as many as a stateful layer has states."""
    batch = sequences.shape[0]
    rule = f"A stateful layer keeps one state a sequence: the batch must stay at {expected} "
    if batch is not None and batch != expected:
        raise ValueError(f"{rule}sequences. Received: {batch}. Drop the last partial batch.")
    if batch is not None or keras.config.backend() != "tensorflow":
        return sequences
    import tensorflow as tf

    # A graph knows its batch only when it runs. XLA drops assertions: there the shape must fail, of
    # an operation whose name says why. A fixed shape would let TensorFlow optimize the check away.
    shape = tf.shape(sequences)
    fits = shape[0] == expected
    words = [f"{rule}sequences. Received:", shape[0], "Drop the last partial batch."]
    with tf.control_dependencies([tf.debugging.Assert(fits, words)]):
        shape = tf.where(fits, shape, [-2, -2, -2])
        checked = tf.reshape(sequences, shape, name="Drop_the_last_partial_batch")
    checked.set_shape((expected, *sequences.shape[1:]))
    return checked


def _of_unknown_batch(output):
    """The output without its fixed batch, which the loss would hold against its targets first."""
    if keras.config.backend() != "tensorflow":
        return output
    import tensorflow as tf

    return tf.compat.v1.placeholder_with_default(output, (None, *output.shape[1:]))
