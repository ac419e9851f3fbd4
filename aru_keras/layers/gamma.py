"""γ as a layer with its own n and s."""

from typing import Any

import keras

from aru_keras import activations, initializers
from aru_keras._util.arguments import flag
from aru_keras._util.types import Shape, Tensor
from aru_keras.initializers import InitializerLike
from aru_keras.layers._gamma_weights import add_gamma_weights, gain_initializer


@keras.saving.register_keras_serializable(package="aru_keras")
class Gamma(keras.layers.Layer):
    """The activation γ(x; n, s) with its own gain n and saturation s (paper, equation 1).

    Weights: `n` and `s`, (N,) or scalar.

    Args:
        shared: Whether all units share one scalar n and s (homogeneous). Otherwise every unit has a
            pair of its own (heterogeneous).
        fixed: Whether n and s do not train.
        n_initializer: Initializer of n, or a number. None is the paper's choice: one draw of
            5 + 2·U(0, 1) if `shared`, else N(5, 2²) for each unit.
        s_initializer: Initializer of s, or a number.
        **kwargs: Arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    The input has the shape (…, N), N the number of units, and the output has the same.

    Raises:
        ValueError: If an argument is none of these, or the layer is built for an unknown number of
            units without `shared`.

    Example:
        >>> x = np.ones((8, 32), "float32")
        >>> keras.ops.shape(Gamma(n_initializer=2.0)(x))
        (8, 32)
    """

    def __init__(
        self,
        shared: bool = False,
        fixed: bool = False,
        n_initializer: InitializerLike | None = None,
        s_initializer: InitializerLike = "zeros",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.shared, self.fixed = flag("shared", shared), flag("fixed", fixed)
        self.n_initializer = gain_initializer(n_initializer, shared)
        self.s_initializer = initializers.get(s_initializer, "s_initializer")
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        if not self.shared and (not input_shape or input_shape[-1] is None):
            raise ValueError(
                "Gamma with one n and s per unit needs a known last axis of its input. "
                f"Received: input_shape={tuple(input_shape)}. Give the input a fixed number of "
                "units, or set shared=True."
            )
        if not self.shared:
            self.input_spec = keras.layers.InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        add_gamma_weights(self, (input_shape[-1] if input_shape else None) or 1)
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        return activations.gamma(inputs, self.n, self.s)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        config = {
            "shared": self.shared,
            "fixed": self.fixed,
            "n_initializer": keras.initializers.serialize(self.n_initializer),
            "s_initializer": keras.initializers.serialize(self.s_initializer),
        }
        return {**super().get_config(), **config}
