"""RNN+γ: a recurrent network whose activation is γ with a static n and s."""

import keras
from keras import ops

from aru_keras import activations, initializers
from aru_keras.arguments import flag
from aru_keras.fused.derivation import GammaRNNStep
from aru_keras.layers.cell import DrivenRNNCell
from aru_keras.layers.fused import FusedRNN
from aru_keras.layers.gamma import add_gamma_weights, gain_initializer


@keras.saving.register_keras_serializable(package="aru_keras")
class GammaRNNCell(DrivenRNNCell):
    """h_t = γ(W_xh x_t + W_hh h_{t−1} + b + ξ_t; n, s), with n and s constant in time.

    Weights: `kernel` (I, N), `recurrent_kernel` (N, N), `bias` (N,), `n` and `s`, (N,) or scalar.
    State: [h], (B, N). Signals: a, n, s, h.

    Args:
        units: Number of units N.
        shared: True for one scalar n and s (homogeneous), False for one pair a unit
            (heterogeneous).
        fixed: True to leave n and s untrained.
        n_initializer: Of n, or a number; None is the paper's, see `Gamma`.
        s_initializer: Of s, or a number.
        kernel_initializer: Of W_xh.
        recurrent_initializer: Of W_hh.
        bias_initializer: Of b.
        **kwargs: Of `keras.layers.Layer`.

    Call arguments:
        inputs: x_t, (B, I).
        states: [h_{t−1}].
        drive: ξ_t, broadcastable to (B, N), added to the pre-activation.
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
        n_initializer=None,
        s_initializer="zeros",
        **kwargs,
    ):
        super().__init__(units, activation=None, **kwargs)
        self.shared, self.fixed = flag("shared", shared), flag("fixed", fixed)
        self.n_initializer = gain_initializer(n_initializer, shared)
        self.s_initializer = initializers.get(s_initializer, "s_initializer")

    @property
    def signal_sizes(self) -> dict[str, int]:
        return {name: self.units for name in ("a", "n", "s", "h")}

    def build(self, input_shape):
        super().build(input_shape)
        add_gamma_weights(self, self.units)

    def fused_weights(self, dtype):
        """The weights of a `GammaRNNStep`."""
        kernel, n, s = (ops.cast(value, dtype) for value in (self.recurrent_kernel, self.n, self.s))
        units = ops.zeros_like(kernel[0])
        return kernel, units + n, units + s

    def respond(self, a, memory):
        a = self._in_working_dtype(a)
        n, s = (ops.zeros_like(a) + self._in_working_dtype(value) for value in (self.n, self.s))
        return {"n": n, "s": s, "h": activations.gamma_same_shape(a, n, s)}, []

    def get_config(self):
        config = {**super().get_config(), "shared": self.shared, "fixed": self.fixed}
        del config["activation"]
        return config


@keras.saving.register_keras_serializable(package="aru_keras")
class GammaRNN(FusedRNN):
    """RNN+γ over whole sequences: `keras.layers.RNN` around a `GammaRNNCell`.

    Args:
        units: Number of units N.
        **options: Of `GammaRNNCell` (`shared`, `fixed`, `n_initializer`, …), of `FusedRNN`
            (`fused`, `checkpoint_every`) and of `DrivenRNN` (`return_sequences`, `stateful`, …).

    Call arguments, input and output: as `DrivenRNN`.

    Example:
        >>> h = GammaRNN(64, return_sequences=True)(x, drive=0.5)  # (B, T, I) -> (B, T, 64)
    """

    cell_class = GammaRNNCell

    def __init__(self, units: int, **options):
        super().__init__(units, **options)
