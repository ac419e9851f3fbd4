"""The weights n and s, which the layer `Gamma` and the cell of `GammaRNN` have alike."""

import keras

from aru_keras import initializers
from aru_keras.initializers import InitializerLike
from aru_keras.layers._weight_options import weight_options


def gain_initializer(
    n_initializer: InitializerLike | None, shared: bool
) -> keras.initializers.Initializer:
    """The initializer of n; None is the paper's: one draw for all units, or N(5, 2²) per unit."""
    if n_initializer is None:
        n_initializer = "shared_gain" if shared else "gain_normal"
    return initializers.get(n_initializer, "n_initializer")


def add_gamma_weights(layer: keras.layers.Layer, units: int) -> None:
    """Give `layer` its weights n and s: scalars if `layer.shared`, else (N,); in full precision."""
    shape = () if layer.shared else (units,)
    for name in ("n", "s"):
        weight = layer.add_weight(
            shape=shape,
            **weight_options(layer, name),
            trainable=not layer.fixed,
            autocast=False,
            name=name,
        )
        setattr(layer, name, weight)
