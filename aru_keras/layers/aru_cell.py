"""The Adaptive Recurrent Unit: a controller RNN sets each unit's gain and saturation."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from aru_keras import activations
from aru_keras._util import numerics
from aru_keras._util.arguments import LARGEST_SIZE, whole
from aru_keras._util.types import Shape, Tensor
from aru_keras.fused.derivation import ARUStep, ControllerWeights
from aru_keras.fused.step import StepWeights
from aru_keras.initializers import InitializerLike
from aru_keras.layers._weight_options import (
    ConstraintLike,
    RegularizerLike,
    set_weight_options,
)
from aru_keras.layers.cell import DrivenRNNCell


@keras.saving.register_keras_serializable(package="aru_keras")
class ARUCell(DrivenRNNCell):
    """A recurrent cell whose units adapt their own gain n and saturation s at every step.

    For each unit i, with controller weights shared by all units and a private state g^i::

        a_t = W_xh x_t + W_hh h_{t−1} + b + ξ_t
        g_t^i = tanh(W_ag a_t^i + W_gg g_{t−1}^i + b_g)
        n_t^i = w_n·g_t^i + b_n,   s_t^i = w_s·g_t^i + b_s
        h_t^i = γ(a_t^i; n_t^i, s_t^i)

    (Geadah et al. 2024, equations of "Adaptive recurrent units".)

    Weights: `kernel` (I, N), `recurrent_kernel` (N, N), `bias` (N,), `controller_kernel` (1, G),
    `controller_recurrent_kernel` (G, G), `controller_bias` (G,), `readout_kernel` (G, 2) with the
    columns w_n and w_s, `readout_bias` (2,). States: [h, g], (B, N) and (B, N·G). Signals: a, n,
    s, h, g. Under mixed precision the controller, n and s stay in float32.

    Args:
        units: Number of units N.
        controller_units: Number of controller units G.
        use_bias: Whether the units have a bias b.
        kernel_initializer: Initializer of W_xh, or a number.
        recurrent_initializer: Initializer of W_hh, or a number.
        bias_initializer: Initializer of b, or a number.
        controller_kernel_initializer: Initializer of W_ag, or a number.
        controller_recurrent_initializer: Initializer of W_gg, or a number.
        controller_bias_initializer: Initializer of b_g, or a number.
        readout_kernel_initializer: Initializer of w_n and w_s, or a number.
        readout_bias_initializer: Initializer of b_n and b_s, or a number.
        kernel_regularizer: Regularizer of W_xh.
        recurrent_regularizer: Regularizer of W_hh.
        bias_regularizer: Regularizer of b.
        controller_kernel_regularizer: Regularizer of W_ag.
        controller_recurrent_regularizer: Regularizer of W_gg.
        controller_bias_regularizer: Regularizer of b_g.
        readout_kernel_regularizer: Regularizer of w_n and w_s.
        readout_bias_regularizer: Regularizer of b_n and b_s.
        kernel_constraint: Constraint on W_xh.
        recurrent_constraint: Constraint on W_hh.
        bias_constraint: Constraint on b.
        controller_kernel_constraint: Constraint on W_ag.
        controller_recurrent_constraint: Constraint on W_gg.
        controller_bias_constraint: Constraint on b_g.
        readout_kernel_constraint: Constraint on w_n and w_s.
        readout_bias_constraint: Constraint on b_n and b_s.
        dropout: Fraction of the input features to drop in training, the same at every step.
        recurrent_dropout: Fraction of the units whose h_{t−1} does not reach the other units in
            training, the same at every step.
        seed: Seed of the dropout; None for a random one.
        frozen: Names of the weights that do not train.
        **kwargs: Arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: Input x_t, (B, I).
        states: List of the states h_{t−1}, (B, N), and g_{t−1}, (B, N·G).
        drive: External drive ξ_t, broadcastable to (B, N), which is added to the pre-activation.
        training: Whether to apply the dropout.

    Raises:
        ValueError: If an argument is none of these, or the cell is built for whole sequences.
    """

    fused_step = ARUStep()

    _initializer_names = (
        *DrivenRNNCell._initializer_names,
        "controller_kernel_initializer",
        "controller_recurrent_initializer",
        "controller_bias_initializer",
        "readout_kernel_initializer",
        "readout_bias_initializer",
    )

    def __init__(
        self,
        units: int,
        controller_units: int,
        *,
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "kaiming_normal",
        recurrent_initializer: InitializerLike = "henaff_orthogonal",
        bias_initializer: InitializerLike = "zeros",
        controller_kernel_initializer: InitializerLike = "kaiming_normal",
        controller_recurrent_initializer: InitializerLike = "henaff_orthogonal",
        controller_bias_initializer: InitializerLike = "zeros",
        readout_kernel_initializer: InitializerLike = "readout_kernel",
        readout_bias_initializer: InitializerLike = "readout_bias",
        kernel_regularizer: RegularizerLike = None,
        recurrent_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        controller_kernel_regularizer: RegularizerLike = None,
        controller_recurrent_regularizer: RegularizerLike = None,
        controller_bias_regularizer: RegularizerLike = None,
        readout_kernel_regularizer: RegularizerLike = None,
        readout_bias_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        recurrent_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        controller_kernel_constraint: ConstraintLike = None,
        controller_recurrent_constraint: ConstraintLike = None,
        controller_bias_constraint: ConstraintLike = None,
        readout_kernel_constraint: ConstraintLike = None,
        readout_bias_constraint: ConstraintLike = None,
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
        self.controller_units = whole("controller_units", controller_units, 1, most=LARGEST_SIZE)
        set_weight_options(
            self,
            controller_kernel_initializer=controller_kernel_initializer,
            controller_recurrent_initializer=controller_recurrent_initializer,
            controller_bias_initializer=controller_bias_initializer,
            readout_kernel_initializer=readout_kernel_initializer,
            readout_bias_initializer=readout_bias_initializer,
            controller_kernel_regularizer=controller_kernel_regularizer,
            controller_recurrent_regularizer=controller_recurrent_regularizer,
            controller_bias_regularizer=controller_bias_regularizer,
            readout_kernel_regularizer=readout_kernel_regularizer,
            readout_bias_regularizer=readout_bias_regularizer,
            controller_kernel_constraint=controller_kernel_constraint,
            controller_recurrent_constraint=controller_recurrent_constraint,
            controller_bias_constraint=controller_bias_constraint,
            readout_kernel_constraint=readout_kernel_constraint,
            readout_bias_constraint=readout_bias_constraint,
        )
        self.state_size = [self.units, self.units * self.controller_units]

    @property
    def signal_sizes(self) -> dict[str, int]:
        sizes = {name: self.units for name in ("a", "n", "s", "h")}
        return {**sizes, "g": self.units * self.controller_units}

    @property
    def state_dtypes(self) -> list[str]:
        return [self.compute_dtype, numerics.working_dtype(self.compute_dtype)]

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        size = self.controller_units
        for name, shape in {
            "controller_kernel": (1, size),
            "controller_recurrent_kernel": (size, size),
            "controller_bias": (size,),
            "readout_kernel": (size, 2),
            "readout_bias": (2,),
        }.items():
            self._add_own_weight(name, shape, autocast=False)

    def fused_weights(self, dtype: str) -> StepWeights[ControllerWeights]:
        """The weights as an `ARUStep` reads them, in a dtype."""
        recurrent_kernel, kernel, matrix, bias, readout, readout_bias = (
            ops.cast(value, dtype)
            for value in (
                self.recurrent_kernel,
                self.controller_kernel,
                self.controller_recurrent_kernel,
                self.controller_bias,
                self.readout_kernel,
                self.readout_bias,
            )
        )
        controller = ControllerWeights(
            kernel=ops.transpose(kernel),
            bias=bias[:, None],
            stacked=ops.transpose(ops.concatenate([matrix, readout], axis=1)),
            readout_bias=readout_bias[:, None],
        )
        return StepWeights(recurrent_kernel, controller)

    def respond(
        self, a: Tensor, memory: Sequence[Tensor]
    ) -> tuple[dict[str, Tensor], list[Tensor]]:
        a, g, kernel, recurrent_kernel, bias, readout_kernel, readout_bias = (
            self._in_working_dtype(value)
            for value in (
                a,
                memory[0],
                self.controller_kernel,
                self.controller_recurrent_kernel,
                self.controller_bias,
                self.readout_kernel,
                self.readout_bias,
            )
        )
        g = ops.reshape(g, (-1, self.controller_units))
        g = numerics.tanh(ops.reshape(a, (-1, 1)) * kernel + bias + g @ recurrent_kernel)
        readout = g @ readout_kernel + readout_bias
        n, s = (ops.reshape(readout[:, k], (-1, self.units)) for k in (0, 1))
        g = ops.reshape(g, (-1, self.units * self.controller_units))
        h = activations.gamma_same_shape(a, n, s)
        return {"n": n, "s": s, "h": h, "g": g}, [ops.cast(g, memory[0].dtype)]

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "controller_units": self.controller_units}
        del config["activation"]
        return config
