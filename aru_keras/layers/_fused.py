"""Layers that can run a whole sequence under one hand-derived gradient."""

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import keras
from keras import ops

from aru_keras._util import numerics
from aru_keras._util.arguments import shown, whole
from aru_keras._util.backends import checked_backend
from aru_keras._util.types import Tensor
from aru_keras.fused.plan import default_checkpoint_every
from aru_keras.fused.recurrent_dropout import RecurrentDropout
from aru_keras.fused.restarts import with_starts
from aru_keras.layers._signals import checked_drive_size, checked_starts
from aru_keras.layers.cell import DrivenRNNCell
from aru_keras.layers.rnn import DrivenRNN

MEMORY_BUDGET = 2**30
"""Bytes of residuals that checkpoint_every="auto" keeps of a sequence at most."""

ASSUMED_BATCH = 128
"""Number of sequences that checkpoint_every="auto" assumes in a graph of unknown batch."""


class FusedRNN(DrivenRNN):
    """A `DrivenRNN` that can run a whole sequence under one hand-derived gradient.

    Its values and gradients are those of the loop that goes step by step. It is faster, and takes
    less memory.

    Layers with unroll=True and cells with equations of their own go step by step. On TensorFlow, so
    does an eager call, because compiling it would take longer than it saves, and a graph that is
    traced outside of `fit`, `evaluate` and `predict` without training=True, because an exported
    model should consist of plain operations.

    A subclass has the arguments `fused` and `checkpoint_every`, and hands them to `_init_around`.
    """

    def _init_around(
        self,
        cell: DrivenRNNCell,
        *,
        fused: bool | str = "auto",
        checkpoint_every: int | str | None = "auto",
        **kwargs: Any,
    ) -> None:
        if not (_is(fused, "auto") or isinstance(fused, bool)):
            raise ValueError(f'`fused` must be "auto", True or False. Received: {shown(fused)}.')
        if not (checkpoint_every is None or _is(checkpoint_every, "auto")):
            checkpoint_every = whole(
                "checkpoint_every", checkpoint_every, 1, hint='Or give "auto" or None.'
            )
        super()._init_around(cell, **kwargs)
        self.fused, self.checkpoint_every = fused, checkpoint_every

    def inner_loop(
        self,
        sequences: Tensor,
        initial_state: Sequence[Tensor],
        mask: Tensor | None,
        training: bool | None = None,
        drive: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Run the loop over time, for the whole sequence at once or step by step."""
        obstacle = self._obstacle()
        if self.fused is True and obstacle:
            raise ValueError(
                "fused=True needs a call that can run the whole sequence at once. "
                f'Received: one where {obstacle}. Use fused="auto".'
            )
        if self.fused is False or obstacle or (self.fused == "auto" and _not_worth_it(training)):
            return super().inner_loop(sequences, initial_state, mask, training, drive, starts)
        return self._whole_sequence(sequences, initial_state, mask, drive, starts, training)

    @property
    def _goes_at_once(self):
        """Whether a call may run the whole sequence at once."""
        return self.fused is not False and not self._obstacle()

    def _obstacle(self):
        """The reason why a call cannot run the whole sequence at once; None if it can."""
        if "fused_step" not in vars(type(self.cell)):
            return f"the cell {type(self.cell).__name__} may have equations of its own"
        if self.unroll:
            return "unroll=True asks for step by step"
        return None

    def _whole_sequence(self, sequences, state, mask, drive, starts, training):
        cell = self.cell
        dtype = numerics.working_dtype(cell.compute_dtype)
        u = self._steps_first(ops.cast(inputs_of_steps(cell, sequences, drive, training), dtype))
        if mask is not None:
            mask = self._steps_first(mask)
        if starts is not None:
            starts = self._steps_first(checked_starts(sequences, starts))
        step, count = cell.fused_step, len(state)
        if training and cell.recurrent_dropout:
            step = RecurrentDropout(step)
            state = [*state, cell.get_recurrent_dropout_mask(state[0])]
        step, masks = with_starts(step, mask, starts)
        h, states = loops_of_backend().sequence(
            step,
            u,
            [ops.cast(value, dtype) for value in state],
            cell.fused_weights(dtype),
            mask=masks,
            checkpoint_every=self._checkpoint_every(u, training),
            with_state=self.return_state,
        )
        h = h if mask is None else self._outputs(h, mask)
        return h[-1], ops.swapaxes(h, 0, 1), list(states[:count])

    def _steps_first(self, values):
        """(B, T, …) as (T, B, …), in the order in which the layer reads the steps."""
        return ops.swapaxes(ops.flip(values, axis=1) if self.go_backwards else values, 0, 1)

    def _outputs(self, h, mask):
        """What Keras' loop puts out of h, which masked sequences have kept.

        A masked step emits 0 where `zero_output_for_mask`. Before the first step that a sequence
        takes, it emits the initial h on JAX, and 0 on the other backends.
        """
        if self.zero_output_for_mask:
            emits = mask
        elif keras.config.backend() == "jax":
            return h
        else:
            emits = ops.cumsum(ops.cast(mask, "int32"), 0) > 0
        return ops.where(emits[..., None], h, ops.zeros_like(h))

    def _checkpoint_every(self, u, training):
        """Number of steps between checkpoints; None to keep all residuals."""
        steps, batch = u.shape[:2]
        if not training:  # A gradient is unlikely: one checkpoint, from which all is recomputed.
            return steps or 1
        if steps is None:
            return None
        if self.checkpoint_every != "auto":
            return self.checkpoint_every
        numbers = steps * (batch or ASSUMED_BATCH) * sum(self.cell.signal_sizes.values())
        size = 8 if keras.backend.standardize_dtype(u.dtype) == "float64" else 4
        return None if numbers * size <= MEMORY_BUDGET else default_checkpoint_every(steps)

    def get_config(self) -> dict[str, Any]:
        config = {"fused": self.fused, "checkpoint_every": self.checkpoint_every}
        return {**super().get_config(), **config}


def loops_of_backend() -> ModuleType:
    """The module of `aru_keras.fused` with the loops over whole sequences of this backend."""
    return importlib.import_module(f"aru_keras.fused.{checked_backend()}")


def _is(value, text):
    """Whether a value is this text. With `==` alone, an array would be compared by its elements."""
    return isinstance(value, str) and value == text


def _not_worth_it(training):
    """Whether this is an eager call on TensorFlow, or a graph that may be exported."""
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


def inputs_of_steps(cell, sequences, drive, training):
    """U = W_xh x + b + ξ, (B, T, N), in training with the dropout of the input."""
    x, kernel = (ops.cast(value, cell.compute_dtype) for value in (sequences, cell.kernel))
    if training and cell.dropout:
        x = x * ops.cast(cell.get_dropout_mask(x[:, 0]), x.dtype)[:, None]
    u = x @ kernel
    if cell.bias is not None:
        u = u + ops.cast(cell.bias, u.dtype)
    if drive is None:
        return u
    drive = ops.convert_to_tensor(drive, dtype=cell.compute_dtype)
    checked_drive_size(cell.units, sequences.shape, drive.shape)
    return u + drive
