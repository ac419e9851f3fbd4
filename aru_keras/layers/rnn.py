"""Whole sequences through a driven cell: `keras.layers.RNN` with an external drive."""

import contextlib
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from aru_keras._util.types import Shape, Tensor
from aru_keras.initializers import InitializerLike
from aru_keras.layers._call_arguments import checked_mask, checked_states
from aru_keras.layers._cell_attributes import CellAttributes, cell_options
from aru_keras.layers._signals import (
    SignalCell,
    append_drive,
    append_mask,
    checked_drive_size,
    checked_starts,
    refuse_ragged,
)
from aru_keras.layers._stateful import of_unknown_batch, with_batch
from aru_keras.layers._weight_options import ConstraintLike, RegularizerLike
from aru_keras.layers.cell import ActivationLike, DrivenRNNCell
from aru_keras.layers.restarting import Restarting


@keras.saving.register_keras_serializable(package="aru_keras")
class DrivenRNN(CellAttributes, keras.layers.RNN):
    """`keras.layers.RNN` around a `DrivenRNNCell`, with an external drive for each step.

    Args:
        units: Number of units N.
        activation: Activation f, as `keras.activations.get` takes it.
        use_bias: Whether the units have a bias b.
        kernel_initializer: Initializer of W_xh, or a number.
        recurrent_initializer: Initializer of W_hh, or a number.
        bias_initializer: Initializer of b, or a number.
        kernel_regularizer: Regularizer of W_xh.
        recurrent_regularizer: Regularizer of W_hh.
        bias_regularizer: Regularizer of b.
        kernel_constraint: Constraint on W_xh.
        recurrent_constraint: Constraint on W_hh.
        bias_constraint: Constraint on b.
        dropout: Fraction of the input features to drop in training, the same at every step.
        recurrent_dropout: Fraction of the units whose h_{t−1} does not reach the other units in
            training, the same at every step.
        seed: Seed of the dropout; None for a random one.
        frozen: Names of the weights that do not train.
        return_sequences: Whether to return h at every step, (B, T, N), instead of the last, (B, N).
        return_state: Whether to return the last states too.
        go_backwards: Whether to read the sequence, and its drive, from the end.
        stateful: Whether each batch starts from the states in which the last one ended.
        unroll: Whether to unroll the loop, which is fast for short sequences and large in memory.
        zero_output_for_mask: Whether masked steps emit 0 instead of the previous output.
        **kwargs: Arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`,
            `activity_regularizer`.

    Call arguments:
        sequences: Input x, (B, T, I).
        initial_state: List of the states before the first step, or None for zeros.
        mask: Mask (B, T), False at the steps to skip.
        training: Whether the call is part of training. Keras fills it in `fit`, `evaluate` and
            `predict`.
        drive: External drive ξ, broadcastable to (B, T, N), which is added to the pre-activation at
            the step of its input.
        sequences_mask: Another name of `mask`, which Keras fills where several tensors are passed.
        starts: Starts, broadcastable to (B, T), True at the steps at which an episode begins: there
            the initial state of the cell, zeros, stands in for the state after the step before.

    Raises:
        ValueError: If an argument is none of these, or shapes do not fit.

    Example:
        >>> x = np.ones((8, 20, 3), "float32")
        >>> keras.ops.shape(DrivenRNN(64, return_sequences=True)(x, drive=0.5))
        (8, 20, 64)
    """

    cell_class: type[DrivenRNNCell] = DrivenRNNCell

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "relu",
        *,
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "kaiming_normal",
        recurrent_initializer: InitializerLike = "henaff_orthogonal",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        recurrent_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        recurrent_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        frozen: Sequence[str] = (),
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ):
        cell = self.cell_class(
            units,
            activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            frozen=frozen,
            **cell_options(kwargs),
        )
        self._init_around(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            zero_output_for_mask=zero_output_for_mask,
            **kwargs,
        )

    def _init_around(self, cell: DrivenRNNCell, **kwargs: Any) -> None:
        """Initialize the layer around its cell: what the `__init__` of each subclass ends with.

        Args:
            cell: The cell.
            **kwargs: Arguments of `keras.layers.RNN`.
        """
        super().__init__(cell, **kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def build(self, sequences_shape: Shape, initial_state_shape: Any = None) -> None:
        super().build(sequences_shape, initial_state_shape)
        self.input_spec = keras.layers.InputSpec(ndim=3, axes={-1: sequences_shape[-1]})
        for state in self.states or []:
            # As by `keras.Variable(autocast=False)`: in half precision a state would be rounded
            # between batches, and on torch assigned to a copy.
            state._autocast = False

    @property
    def variables(self) -> list[keras.Variable]:
        # Keras leaves the states out, and so on JAX a model forgets them after each batch.
        known = super().variables
        states = getattr(self, "states", None) or []
        return known + [state for state in states if all(state is not other for other in known)]

    def compute_output_shape(
        self,
        sequences_shape: Shape,
        initial_state_shape: Any = None,
        drive_shape: Shape | None = None,
        starts_shape: Shape | None = None,
    ) -> Any:
        if drive_shape is not None:
            checked_drive_size(self.cell.units, sequences_shape, drive_shape)
        return super().compute_output_shape(sequences_shape, initial_state_shape)

    def call(
        self,
        sequences: Tensor,
        initial_state: Sequence[Tensor] | None = None,
        mask: Tensor | None = None,
        training: bool | None = None,
        drive: Tensor | None = None,
        sequences_mask: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> Any:
        refuse_ragged(sequences)
        if self.unroll and sequences.shape[1] is None:
            raise ValueError(
                "unroll=True needs sequences of known length. Received: sequences.shape="
                f"{tuple(sequences.shape)}. Fix the length in the model's Input, or set "
                "unroll=False."
            )
        unknown_batch = sequences.shape[0] is None
        if self.stateful:
            sequences = with_batch(sequences, self.states[0].shape[0])
        states = self._starting_states(sequences, initial_state)
        mask = checked_mask(mask if mask is not None else sequences_mask, sequences)
        with self._dropout_masks(sequences, states, training):
            last, outputs, states = self.inner_loop(
                sequences, states, mask, training, drive, starts
            )
        if self.stateful:
            for variable, state in zip(self.states, states, strict=True):
                variable.assign(ops.cast(state, variable.dtype))
        output = ops.cast(outputs if self.return_sequences else last, self.compute_dtype)
        if self.stateful and unknown_batch:
            output = of_unknown_batch(output)
        if self.return_state:
            return output, *(ops.cast(state, self.compute_dtype) for state in states)
        return output

    @contextlib.contextmanager
    def _dropout_masks(self, sequences, states, training):
        """Draw the dropout masks of a call outside of its loop over time, as Keras' layers do."""
        cell = self.cell
        try:
            if training and cell.dropout:
                cell.get_dropout_mask(sequences[:, 0])
            if training and cell.recurrent_dropout:
                cell.get_recurrent_dropout_mask(states[0])
            yield
        finally:
            cell.reset_dropout_mask()
            cell.reset_recurrent_dropout_mask()

    def inner_loop(
        self,
        sequences: Tensor,
        initial_state: Sequence[Tensor],
        mask: Tensor | None,
        training: bool | None = False,
        drive: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Run the loop over time: the last output, all outputs, and the last states."""
        if drive is None and starts is None:
            return super().inner_loop(sequences, initial_state, mask, training)
        cell, inputs = self.cell, sequences
        if drive is not None:
            inputs, drive_size = append_drive(cell, sequences, drive)
            cell = SignalCell(cell, drive_size=drive_size)
        if starts is not None:
            inputs = append_mask(inputs, checked_starts(sequences, starts))
            cell = _OwnRestarting(cell, dtype=self.dtype_policy, name="restarting")
        loop = keras.layers.RNN(
            cell,
            return_sequences=self.return_sequences,
            go_backwards=self.go_backwards,
            stateful=self.stateful,
            unroll=self.unroll,
            zero_output_for_mask=self.zero_output_for_mask,
            name="driven_loop",
        )
        return loop.inner_loop(inputs, initial_state, mask, training)

    def reset_state(self) -> None:
        """Set the states of a stateful layer back to the cell's initial states."""
        if self.states is None:
            return
        fresh = self.get_initial_state(self.states[0].shape[0])
        for variable, state in zip(self.states, fresh, strict=True):
            variable.assign(ops.cast(state, variable.dtype))

    def _starting_states(self, sequences, initial_state):
        if initial_state is None and self.stateful:
            # Torch would see the states change between the forward and the backward pass.
            initial_state = [ops.copy(state) for state in self.states]
        if initial_state is None:
            initial_state = self.get_initial_state(batch_size=ops.shape(sequences)[0])
        widths = [self.state_size] if isinstance(self.state_size, int) else self.state_size
        return checked_states(initial_state, sequences, widths, self.cell.state_dtypes)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["cell"]
        cell_config = self.cell.get_config()
        for name in ("name", "dtype", "trainable"):
            cell_config.pop(name)
        return {**config, **cell_config}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "DrivenRNN":
        return cls(**config)


class _OwnRestarting(Restarting):
    """`Restarting` inside a layer that renews the masks of the dropout itself."""

    def _check_dropout(self, cell):
        pass
