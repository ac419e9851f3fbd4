"""γ as a layer with its own n and s."""

import keras

from aru_keras import activations, initializers
from aru_keras.arguments import flag


def gain_initializer(n_initializer, shared: bool):
    """The initialiser of n; None is the paper's: one draw for all, or N(5, 2²) a unit."""
    if n_initializer is None:
        n_initializer = "shared_gain" if shared else "gain_normal"
    return initializers.get(n_initializer, "n_initializer")


def add_gamma_weights(layer, units: int) -> None:
    """Give `layer` its `n` and `s`, scalars if `layer.shared`, else (N,); always full precision."""
    shape = () if layer.shared else (units,)
    for name in ("n", "s"):
        initializer = getattr(layer, f"{name}_initializer")
        weight = layer.add_weight(
            shape=shape,
            initializer=initializer,
            trainable=not layer.fixed,
            autocast=False,
            name=name,
        )
        setattr(layer, name, weight)


@keras.saving.register_keras_serializable(package="aru_keras")
class Gamma(keras.layers.Layer):
    """The activation γ(x; n, s) with its own gain n and saturation s (paper, equation 1).

    Args:
        shared: True for one scalar n and s (homogeneous), False for one pair a unit
            (heterogeneous).
        fixed: True to leave n and s untrained.
        n_initializer: Of n, or a number. None is the paper's choice: one draw of 5 + 2·U(0, 1)
            if `shared`, else N(5, 2²) a unit.
        s_initializer: Of s, or a number.
        **kwargs: Of `keras.layers.Layer`.

    Input and output: (..., N), N the number of units.

    Example:
        >>> model = keras.Sequential([keras.layers.Dense(32), Gamma(n_initializer=2.0)])
    """

    def __init__(
        self,
        shared: bool = False,
        fixed: bool = False,
        n_initializer=None,
        s_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.shared, self.fixed = flag("shared", shared), flag("fixed", fixed)
        self.n_initializer = gain_initializer(n_initializer, shared)
        self.s_initializer = initializers.get(s_initializer, "s_initializer")
        self.supports_masking = True

    def build(self, input_shape):
        if not self.shared and (not input_shape or input_shape[-1] is None):
            raise ValueError(
                "Gamma with one n and s a unit needs a known last axis of its input. "
                f"Received: input_shape={tuple(input_shape)}. Give the input a fixed number of "
                "units, or set shared=True."
            )
        add_gamma_weights(self, input_shape[-1] if input_shape else 1)
        self.built = True

    def call(self, inputs):
        return activations.gamma(inputs, self.n, self.s)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        config = {
            "shared": self.shared,
            "fixed": self.fixed,
            "n_initializer": keras.initializers.serialize(self.n_initializer),
            "s_initializer": keras.initializers.serialize(self.s_initializer),
        }
        return {**super().get_config(), **config}
