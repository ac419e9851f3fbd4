"""Elementary functions that keep float64, and their tails, on every Keras backend.

In float64 `ops.tanh` computes in float32 on JAX, and `ops.softplus` turns linear above 20 on
torch, which is off by 8e-10.
"""

import keras
from keras import ops


def working_dtype(dtype: str) -> str:
    """The dtype to compute γ and the controller in: float32 for half precision, else `dtype`."""
    dtype = keras.backend.standardize_dtype(dtype)
    return "float32" if dtype in ("float16", "bfloat16") else dtype


def softplus(z):
    """log(1 + exp(z)) without overflow, in the precision of z."""
    if keras.config.backend() != "torch":
        return ops.softplus(z)
    from torch.nn.functional import softplus as torch_softplus

    return torch_softplus(z, threshold=40)


def clip(x, low: float, high: float):
    """`x` between two numbers. On torch `ops.clip` makes tensors of them, in ten times the time."""
    return x.clamp(low, high) if keras.config.backend() == "torch" else ops.clip(x, low, high)


def tanh(z):
    """tanh, in float64 as 2σ(2z) − 1 (exact to 1e-16 absolute)."""
    if keras.backend.standardize_dtype(z.dtype) == "float64":
        return 2 * ops.sigmoid(2 * z) - 1
    return ops.tanh(z)
