"""Elementary functions that keep float64, and their tails, on every Keras backend.

In float64 `ops.tanh` computes in float32 on JAX, and `ops.softplus` turns linear above 20 on
torch, which is off by 8e-10.
"""

import functools
from typing import Any

import keras
import numpy as np
from keras import ops

from aru_keras._util.conversions import shown


class NetworkOverflowError(ValueError):
    """Numbers of a network are NaN or infinite: a loss, its states, or a gradient."""


def refuse_overflow(name: str, values: Any) -> None:
    """Refuse a recording that a network has overflown in.

    Args:
        name: Of the recorded signal.
        values: What was recorded; what is no array of floating point is for others to refuse.

    Raises:
        NetworkOverflowError: A number is NaN or infinite.
    """
    floating = isinstance(values, np.ndarray) and values.dtype.kind == "f"
    if floating and not np.isfinite(values).all():
        raise NetworkOverflowError(
            f"`recording` must hold {name!r} of finite numbers. Received: NaN or infinity in it. "
            "The network overflows."
        )


def working_dtype(dtype: str) -> str:
    """The dtype to compute γ and the controller in: float32 for half precision, else `dtype`."""
    dtype = keras.backend.standardize_dtype(dtype)
    return "float32" if dtype in ("float16", "bfloat16") else dtype


def input_dtype(dtype: str, compute_dtype: str) -> str:
    """The dtype in which a network is given its input.

    Args:
        dtype: The dtype of the model's input. Whole numbers, for an embedding, stay whole.
        compute_dtype: The dtype in which the recurrent layer computes.
    """
    return working_dtype(compute_dtype) if keras.backend.is_float_dtype(dtype) else dtype


def tensor(argument: str, value: Any, dtype: str | None = None) -> Any:
    """`keras.ops.convert_to_tensor`, of real numbers, with an error that names the argument.

    Raises:
        ValueError: `value` is no array or tensor of real numbers.
    """
    cause = None
    if not isinstance(value, complex) and _is_real(getattr(value, "dtype", None)):
        try:
            converted = ops.convert_to_tensor(value, dtype=dtype)
            if _is_real(converted.dtype):
                return converted
        except (TypeError, ValueError, OverflowError, RuntimeError) as error:
            cause = error
    raise ValueError(
        f"`{argument}` must be real numbers: a number, an array or a tensor. Received: "
        f"{shown(value)}."
    ) from cause


@functools.cache
def _is_real(dtype):
    """Whether a dtype of NumPy or a backend holds real numbers; None may."""
    return not any(kind in str(dtype) for kind in ("complex", "str", "<U", "|S"))


def softplus(z):
    """log(1 + exp(z)) without overflow, in the precision of z."""
    if keras.config.backend() != "torch":
        return ops.softplus(z)
    from torch.nn.functional import softplus as torch_softplus

    return torch_softplus(z, threshold=40)


def clip(x: Any, low: float, high: float) -> Any:
    """`x` between two numbers. On torch `ops.clip` makes tensors of them, in ten times the time."""
    return x.clamp(low, high) if keras.config.backend() == "torch" else ops.clip(x, low, high)


def tanh(z):
    """tanh, in float64 as 2σ(2z) − 1 (exact to 1e-16 absolute)."""
    if keras.backend.standardize_dtype(z.dtype) == "float64":
        return 2 * ops.sigmoid(2 * z) - 1
    return ops.tanh(z)
