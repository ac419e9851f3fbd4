"""RNN+γ over whole sequences: γ with a static n and s as the activation."""

from collections.abc import Sequence
from typing import Any

import keras

from aru_keras.initializers import InitializerLike
from aru_keras.layers._cell_attributes import cell_options
from aru_keras.layers._fused import FusedRNN
from aru_keras.layers._weight_options import ConstraintLike, RegularizerLike
from aru_keras.layers.gamma_rnn_cell import GammaRNNCell


@keras.saving.register_keras_serializable(package="aru_keras")
class GammaRNN(FusedRNN):
    """RNN+γ over whole sequences: `keras.layers.RNN` around a `GammaRNNCell`.

    Args:
        units: Number of units N.
        shared: Whether all units share one scalar n and s (homogeneous). Otherwise every unit has a
            pair of its own (heterogeneous).
        fixed: Whether n and s do not train: a short form of frozen=("n", "s").
        use_bias: Whether the units have a bias b.
        kernel_initializer: Initializer of W_xh, or a number.
        recurrent_initializer: Initializer of W_hh, or a number.
        bias_initializer: Initializer of b, or a number.
        n_initializer: Initializer of n, or a number. None is the paper's choice: one draw of
            5 + 2·U(0, 1) if `shared`, else N(5, 2²) for each unit.
        s_initializer: Initializer of s, or a number.
        kernel_regularizer: Regularizer of W_xh.
        recurrent_regularizer: Regularizer of W_hh.
        bias_regularizer: Regularizer of b.
        n_regularizer: Regularizer of n.
        s_regularizer: Regularizer of s.
        kernel_constraint: Constraint on W_xh.
        recurrent_constraint: Constraint on W_hh.
        bias_constraint: Constraint on b.
        n_constraint: Constraint on n.
        s_constraint: Constraint on s.
        dropout: Fraction of the input features to drop in training, the same at every step.
        recurrent_dropout: Fraction of the units whose h_{t−1} does not reach the other units in
            training, the same at every step.
        seed: Seed of the dropout; None for a random one.
        frozen: Names of the weights that do not train.
        fused: Whether to run the whole sequence under one hand-derived gradient: "auto" where that
            is possible and pays, True always, with an error where it is not possible, False never.
        checkpoint_every: What the forward pass keeps for the gradient: None all residuals; K the
            state at every K-th step, from which the steps between are recomputed; "auto" all
            residuals if they take at most 1 GiB, else the state at about every √T-th step.
        return_sequences: Whether to return h at every step, (B, T, N), instead of the last, (B, N).
        return_state: Whether to return the last states too.
        go_backwards: Whether to read the sequence, and its drive, from the end.
        stateful: Whether each batch starts from the states in which the last one ended.
        unroll: Whether to unroll the loop, which is fast for short sequences and large in memory.
        zero_output_for_mask: Whether masked steps emit 0 instead of the previous output.
        **kwargs: Arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`,
            `activity_regularizer`.

    Call arguments, input and output are those of `DrivenRNN`. Layers with unroll=True go step by
    step. On TensorFlow so do eager calls, and graphs that neither train nor are traced by
    `evaluate` or `predict`, such as an export.

    Raises:
        ValueError: If an argument is none of these, shapes do not fit, or fused=True is not
            possible.

    Example:
        >>> x = np.ones((8, 20, 3), "float32")
        >>> keras.ops.shape(GammaRNN(64, return_sequences=True)(x, drive=0.5))
        (8, 20, 64)
    """

    cell_class: type[GammaRNNCell] = GammaRNNCell

    def __init__(
        self,
        units: int,
        shared: bool = False,
        fixed: bool = False,
        *,
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "kaiming_normal",
        recurrent_initializer: InitializerLike = "henaff_orthogonal",
        bias_initializer: InitializerLike = "zeros",
        n_initializer: InitializerLike | None = None,
        s_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        recurrent_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        n_regularizer: RegularizerLike = None,
        s_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        recurrent_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        n_constraint: ConstraintLike = None,
        s_constraint: ConstraintLike = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        frozen: Sequence[str] = (),
        fused: bool | str = "auto",
        checkpoint_every: int | str | None = "auto",
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
            shared,
            fixed,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            n_initializer=n_initializer,
            s_initializer=s_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            n_regularizer=n_regularizer,
            s_regularizer=s_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            n_constraint=n_constraint,
            s_constraint=s_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            frozen=frozen,
            **cell_options(kwargs),
        )
        self._init_around(
            cell,
            fused=fused,
            checkpoint_every=checkpoint_every,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            zero_output_for_mask=zero_output_for_mask,
            **kwargs,
        )
