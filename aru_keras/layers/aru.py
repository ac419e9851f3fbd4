"""The Adaptive Recurrent Unit: a controller RNN sets each unit's gain and saturation."""

import keras
from keras import ops

from aru_keras import activations, numerics
from aru_keras.arguments import LARGEST_SIZE, whole
from aru_keras.fused.derivation import ARUStep
from aru_keras.layers.cell import DrivenRNNCell
from aru_keras.layers.fused import FusedRNN


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
        controller_kernel_initializer: Of W_ag.
        controller_recurrent_initializer: Of W_gg.
        controller_bias_initializer: Of b_g.
        readout_kernel_initializer: Of w_n and w_s.
        readout_bias_initializer: Of b_n and b_s.
        **kwargs: `kernel_initializer`, `recurrent_initializer`, `bias_initializer`, and those of
            `keras.layers.Layer`.

    Call arguments:
        inputs: x_t, (B, I).
        states: [h_{t−1}, g_{t−1}].
        drive: ξ_t, broadcastable to (B, N), added to the pre-activation.
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
        controller_kernel_initializer="kaiming_normal",
        controller_recurrent_initializer="henaff_orthogonal",
        controller_bias_initializer="zeros",
        readout_kernel_initializer="readout_kernel",
        readout_bias_initializer="readout_bias",
        **kwargs,
    ):
        super().__init__(units, activation=None, **kwargs)
        self.controller_units = whole("controller_units", controller_units, 1, most=LARGEST_SIZE)
        self._set_initializers(
            controller_kernel_initializer=controller_kernel_initializer,
            controller_recurrent_initializer=controller_recurrent_initializer,
            controller_bias_initializer=controller_bias_initializer,
            readout_kernel_initializer=readout_kernel_initializer,
            readout_bias_initializer=readout_bias_initializer,
        )
        self.state_size = [self.units, self.units * self.controller_units]

    @property
    def signal_sizes(self) -> dict[str, int]:
        sizes = {name: self.units for name in ("a", "n", "s", "h")}
        return {**sizes, "g": self.units * self.controller_units}

    @property
    def state_dtypes(self) -> list[str]:
        return [self.compute_dtype, numerics.working_dtype(self.compute_dtype)]

    def build(self, input_shape):
        super().build(input_shape)
        size = self.controller_units
        for name, shape in {
            "controller_kernel": (1, size),
            "controller_recurrent_kernel": (size, size),
            "controller_bias": (size,),
            "readout_kernel": (size, 2),
            "readout_bias": (2,),
        }.items():
            initializer = getattr(
                self, f"{name.replace('recurrent_kernel', 'recurrent')}_initializer"
            )
            weight = self.add_weight(
                shape=shape, initializer=initializer, autocast=False, name=name
            )
            setattr(self, name, weight)

    def fused_weights(self, dtype):
        """The weights of an `ARUStep`."""
        kernel, from_a, matrix, bias, readout, readout_bias = (
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
        together = ops.transpose(ops.concatenate([matrix, readout], axis=1))
        return kernel, ops.transpose(from_a), bias[:, None], together, readout_bias[:, None]

    def respond(self, a, memory):
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

    def get_config(self):
        config = {**super().get_config(), "controller_units": self.controller_units}
        del config["activation"]
        return config


@keras.saving.register_keras_serializable(package="aru_keras")
class ARU(FusedRNN):
    """Adaptive Recurrent Units over whole sequences: `keras.layers.RNN` around an `ARUCell`.

    Args:
        units: Number of units N.
        controller_units: Number of controller units G, whose weights all units share.
        **options: Of `ARUCell` (initialisers), of `FusedRNN` (`fused`, `checkpoint_every`) and of
            `DrivenRNN` (`return_sequences`, `return_state`, `stateful`, …).

    Call arguments, input and output: as `DrivenRNN`.

    Example:
        >>> h = ARU(64, 16, return_sequences=True)(x, drive=0.5)  # (B, T, I) -> (B, T, 64)
    """

    cell_class = ARUCell

    def __init__(self, units: int, controller_units: int, **options):
        super().__init__(units, controller_units, **options)
