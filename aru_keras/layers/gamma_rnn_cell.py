"""RNN+γ: a recurrent network whose activation is γ with a static n and s."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from aru_keras import activations
from aru_keras._util.arguments import flag
from aru_keras._util.types import Shape, Tensor
from aru_keras.fused.derivation import GammaRNNStep, StaticWeights
from aru_keras.fused.step import StepWeights
from aru_keras.initializers import InitializerLike
from aru_keras.layers._gamma_weights import add_gamma_weights, gain_initializer
from aru_keras.layers._weight_options import (
    ConstraintLike,
    RegularizerLike,
    set_weight_options,
)
from aru_keras.layers.cell import DrivenRNNCell


@keras.saving.register_keras_serializable(package="aru_keras")
class GammaRNNCell(DrivenRNNCell):
    """h_t = γ(W_xh x_t + W_hh h_{t−1} + b + ξ_t; n, s), with n and s constant in time.

    Weights: `kernel` (I, N), `recurrent_kernel` (N, N), `bias` (N,), `n` and `s`, (N,) or scalar.
    State: [h], (B, N). Signals: a, n, s, h.

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
        **kwargs: Arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: Input x_t, (B, I).
        states: List of the state h_{t−1}, (B, N).
        drive: External drive ξ_t, broadcastable to (B, N), which is added to the pre-activation.
        training: Whether to apply the dropout.

    Raises:
        ValueError: If an argument is none of these, or the cell is built for whole sequences.
    """

    fused_step = GammaRNNStep()

    _initializer_names = (
        *DrivenRNNCell._initializer_names,
        "n_initializer",
        "s_initializer",
    )

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
        **kwargs: Any,
    ):
        super().__init__(
            units,
            activation=None,
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
            **kwargs,
        )
        self.shared, self.fixed = flag("shared", shared), flag("fixed", fixed)
        self.n_initializer = gain_initializer(n_initializer, shared)
        set_weight_options(
            self,
            s_initializer=s_initializer,
            n_regularizer=n_regularizer,
            s_regularizer=s_regularizer,
            n_constraint=n_constraint,
            s_constraint=s_constraint,
        )

    @property
    def signal_sizes(self) -> dict[str, int]:
        return {name: self.units for name in ("a", "n", "s", "h")}

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        add_gamma_weights(self, self.units)

    def fused_weights(self, dtype: str) -> StepWeights[StaticWeights]:
        """The weights as a `GammaRNNStep` reads them, in a dtype."""
        kernel, n, s = (ops.cast(value, dtype) for value in (self.recurrent_kernel, self.n, self.s))
        zeros = ops.zeros_like(kernel[0])
        return StepWeights(kernel, StaticWeights(zeros + n, zeros + s))

    def respond(
        self, a: Tensor, memory: Sequence[Tensor]
    ) -> tuple[dict[str, Tensor], list[Tensor]]:
        a = self._in_working_dtype(a)
        n, s = (ops.zeros_like(a) + self._in_working_dtype(value) for value in (self.n, self.s))
        return {"n": n, "s": s, "h": activations.gamma_same_shape(a, n, s)}, []

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "shared": self.shared, "fixed": self.fixed}
        del config["activation"]
        return config
