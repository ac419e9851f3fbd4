"""Layers that can run a whole sequence under one hand-derived gradient."""

import importlib

import keras
from keras import ops

from aru_keras import numerics
from aru_keras.arguments import shown, whole
from aru_keras.fused.plan import border_every
from aru_keras.layers.rnn import DrivenRNN
from aru_keras.layers.signals import checked_drive_size

MEMORY_BUDGET = 2**30
"""Bytes that checkpoint_every="auto" lets a sequence keep for the way back."""

ASSUMED_BATCH = 128
"""Sequences that it reckons with in a graph that does not know its batch."""


class FusedRNN(DrivenRNN):
    """A `DrivenRNN` whose loop, forwards and backwards, is one compiled program where it can be.

    Values and gradients are those of the loop step by step; the way there is faster and smaller in
    memory. Masked sequences, unroll=True and cells with equations of their own go step by step. So
    do, on TensorFlow, eager calls, for which compiling would take longer than it saves, and graphs
    that are traced neither to train nor by `evaluate` and `predict`: an export consists of
    TensorFlow's plain operations.

    Args:
        *cell_args: Of the cell.
        fused: "auto": the whole sequence at once where that applies; True: the same, and an error
            where it does not apply; False: step by step always.
        checkpoint_every: What is kept of the forward pass for the gradient: None everything, K the
            states at every K-th step, from which the steps between are run again, "auto" everything
            if that takes at most 1 GiB, otherwise the states at about every √T-th step.
        **options: Of `DrivenRNN` and of the cell.

    Raises:
        ValueError: For a value that there is not, or where fused=True does not apply.
    """

    def __init__(self, *cell_args, fused="auto", checkpoint_every="auto", **options):
        if not (_is(fused, "auto") or isinstance(fused, bool)):
            raise ValueError(f'`fused` must be "auto", True or False. Received: {shown(fused)}.')
        if not (checkpoint_every is None or _is(checkpoint_every, "auto")):
            checkpoint_every = whole(
                "checkpoint_every", checkpoint_every, 1, hint='Or give "auto" or None.'
            )
        super().__init__(*cell_args, **options)
        self.fused, self.checkpoint_every = fused, checkpoint_every

    def inner_loop(self, sequences, initial_state, mask, training=None, drive=None):
        """The loop over time: the whole sequence at once, or step by step."""
        obstacle = self._obstacle(mask)
        if self.fused is True and obstacle:
            raise ValueError(
                "fused=True needs a call that can run the whole sequence at once. "
                f'Received: one where {obstacle}. Use fused="auto".'
            )
        if self.fused is False or obstacle or (self.fused == "auto" and _not_worth_it(training)):
            return super().inner_loop(sequences, initial_state, mask, training, drive)
        return self._whole_sequence(sequences, initial_state, drive, training)

    def _obstacle(self, mask):
        """Why a call cannot run the whole sequence at once; None if it can."""
        if "fused_step" not in vars(type(self.cell)):
            return f"the cell {type(self.cell).__name__} may have equations of its own"
        if mask is not None:
            return "a mask skips steps"
        if self.unroll:
            return "unroll=True asks for step by step"
        return None

    def _whole_sequence(self, sequences, state, drive, training):
        cell = self.cell
        dtype = numerics.working_dtype(cell.compute_dtype)
        u = ops.cast(_inputs(cell, sequences, drive), dtype)
        u = ops.transpose(ops.flip(u, axis=1) if self.go_backwards else u, (1, 0, 2))
        backend = importlib.import_module(f"aru_keras.fused.{keras.config.backend()}")
        h, states = backend.sequence(
            cell.fused_step,
            u,
            [ops.cast(value, dtype) for value in state],
            cell.fused_weights(dtype),
            every=self._border_every(u, training),
            with_state=self.return_state,
        )
        return h[-1], ops.transpose(h, (1, 0, 2)), list(states)

    def _border_every(self, u, training):
        """Steps between the borders that are kept for the way back; None to keep everything."""
        steps, batch = u.shape[:2]
        if not training:  # No gradient is likely: one border, from which all could be run again.
            return steps or 1
        if steps is None:
            return None
        if self.checkpoint_every != "auto":
            return self.checkpoint_every
        numbers = steps * (batch or ASSUMED_BATCH) * sum(self.cell.signal_sizes.values())
        wide = keras.backend.standardize_dtype(u.dtype) == "float64"
        return None if numbers * (8 if wide else 4) <= MEMORY_BUDGET else border_every(steps)

    def get_config(self):
        config = {"fused": self.fused, "checkpoint_every": self.checkpoint_every}
        return {**super().get_config(), **config}


def _is(value, text):
    """Whether a value is this text; arrays compare by their elements."""
    return isinstance(value, str) and value == text


def _not_worth_it(training):
    """Whether this is an eager call of TensorFlow, or a graph that may be for others to run."""
    if keras.config.backend() != "tensorflow":
        return False
    import tensorflow as tf

    if tf.executing_eagerly():
        return True
    return not training and not _within_a_step_of_keras(tf.compat.v1.get_default_graph())


def _within_a_step_of_keras(graph):
    """Whether `fit`, `evaluate` or `predict` traces this graph, and not an export.

    Keras traces its steps in functions named `one_step_on_data`, `multi_step_on_iterator`, ….
    """
    while graph is not None:
        if "_step_on_" in getattr(graph, "name", ""):
            return True
        graph = getattr(graph, "outer_graph", None)
    return False


def _inputs(cell, sequences, drive):
    """u = W_xh x + b + ξ, (B, T, N)."""
    x, kernel, bias = (
        ops.cast(value, cell.compute_dtype) for value in (sequences, cell.kernel, cell.bias)
    )
    u = x @ kernel + bias
    if drive is None:
        return u
    drive = ops.convert_to_tensor(drive, dtype=cell.compute_dtype)
    checked_drive_size(cell.units, sequences.shape, drive.shape)
    return u + drive
