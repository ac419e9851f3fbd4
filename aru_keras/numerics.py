"""Elementary functions that keep float64, and their tails, on every Keras backend.

In float64 `ops.tanh` computes in float32 on JAX, and `ops.softplus` turns linear above 20 on
torch, which is off by 8e-10.
"""

import keras
from keras import ops


class NetworkOverflowError(ValueError):
    """Numbers of a network are NaN or infinite: a loss, its states, or a gradient."""


def working_dtype(dtype: str) -> str:
    """The dtype to compute γ and the controller in: float32 for half precision, else `dtype`."""
    dtype = keras.backend.standardize_dtype(dtype)
    return "float32" if dtype in ("float16", "bfloat16") else dtype


def softplus(z):
    """log(1 + exp(z)) without overflow; (z + |z|)/2 differentiates to 1/2 at 0, as it must."""
    if keras.config.backend() != "torch":
        return ops.softplus(z)
    distance = ops.abs(z)
    return 0.5 * (z + distance) + ops.log1p(ops.exp(-distance))


def tanh(z):
    """tanh, in float64 as 2σ(2z) − 1 (exact to 1e-16 absolute)."""
    if keras.backend.standardize_dtype(z.dtype) == "float64":
        return 2 * ops.sigmoid(2 * z) - 1
    return ops.tanh(z)
