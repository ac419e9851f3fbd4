"""The activation family γ(x; n, s) of gain n and saturation s, and its derivatives.

Equation (1) of Geadah et al., PLOS Comput Biol 2024, doi 10.1371/journal.pcbi.1012567::

    γ(x; n, s) = (1 − s)·softplus(n·x)/n + s·σ(n·x)

s = 0 is the softplus (n → ∞: ReLU), s = 1 the sigmoid.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from aru_keras._util import numerics
from aru_keras._util.derivatives import with_partials
from aru_keras._util.types import Tensor

GAIN_FLOOR = 1e-2
"""γ is evaluated at |n| ≥ GAIN_FLOOR: softplus(n·x)/n grows as 1/n and its gradient as 1/n²."""

GAIN_CEILING = 1e15
"""γ is evaluated at |n| ≤ GAIN_CEILING, where it is its limit for n → ±∞ to 1e-15."""


def gamma(x: Tensor, n: Tensor, s: Tensor) -> Tensor:
    """Compute γ(x; n, s), equation (1) of the paper, element by element.

    Its derivatives in x, n and s are in closed form, for reverse mode, forward mode (`jax.jvp`,
    `torch.func.jvp`, `tf.autodiff`) and any order. It works on every Keras backend, eagerly, in
    graphs and under jit, on arrays and on the symbolic tensors of functional models. float16 and
    bfloat16 are computed in float32 and cast back.

    For |n| < `GAIN_FLOOR` the value and the gradients are those at ±`GAIN_FLOOR` (at + for n = 0),
    so that a gain which crosses 0 can be trained through it. For |n| > `GAIN_CEILING`, ±∞ among
    them, they are those at ±`GAIN_CEILING`, which to 1e-15 are their limits: for n → ∞ γ becomes
    (1 − s)·relu(x) + s·step(x), with step(0) = 1/2, and ∂γ/∂n becomes 0. Only ∂γ/∂x at x = 0 and
    s ≠ 0 has no limit; it is s·`GAIN_CEILING`/4 there. n·x must be in the range of the dtype of the
    computation: in float32 |x| below 3e23 at the ceiling, and below 1e37 for the gains of networks.

    Args:
        x: Pre-activation, any shape, floating point.
        n: Gain: a scalar, one per unit `(N,)`, or of any shape that broadcasts with `x`.
        s: Degree of saturation, of a shape as `n`. It may lie outside of [0, 1].

    Returns:
        A tensor of the broadcast shape of the three arguments, in the dtype of `x`. A gradient has
        the shape of its argument.

    Raises:
        ValueError: If the shapes do not broadcast, or an argument is no tensor of real numbers.

    Example:
        >>> float(gamma(0.0, n=2.0, s=1.0))
        0.5
    """
    if any(isinstance(value, keras.KerasTensor) for value in (x, n, s)):
        return _GammaOperation()(x, n, s)
    (x, n, s), dtype = _prepared(x, n, s)
    return ops.cast(gamma_same_shape(x, n, s), dtype)


def gamma_same_shape(x: Tensor, n: Tensor, s: Tensor) -> Tensor:
    """`gamma` for three floating point tensors of one shape and dtype, without any checks."""
    return _gamma(x, floor_gain(n), s)


def gamma_value(x: Tensor, n: Tensor, s: Tensor) -> Tensor:
    """`gamma_same_shape` where nothing differentiates it."""
    return _value(x, floor_gain(n), s)


def gamma_slope(x: Tensor, n: Tensor, s: Tensor) -> Tensor:
    """∂γ/∂x = (1 − s)·σ + s·n·σ(1 − σ), in closed form; arguments as in `gamma`."""
    (x, n, s), dtype = _prepared(x, n, s)
    return ops.cast(gamma_partials(x, floor_gain(n), s)[0], dtype)


def gamma_partials(x: Tensor, n: Tensor, s: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """∂γ/∂x, ∂γ/∂n and ∂γ/∂s of tensors of one shape and dtype, of a gain from `floor_gain`."""
    z, rest = n * x, 1 - s
    size, reach = ops.abs(n), ops.abs(x)
    below = -size * reach
    sigma = ops.sigmoid(z)
    slope = sigma * ops.sigmoid(-z)
    # The binary entropy of σ(z) over |n|: softplus(z) − z·σ(z) would cancel at large |z|, and
    # |z|·σ(−|z|) be NaN where z is infinite.
    entropy = numerics.softplus(below) / size + reach * ops.sigmoid(below)
    return (
        rest * sigma + s * (n * slope),
        s * (x * slope) - rest * (entropy / size),
        sigma - numerics.softplus(z) / n,
    )


def floor_gain(n: Tensor) -> Tensor:
    """`n` with |n| raised to `GAIN_FLOOR`, sign(0) = +, and lowered to `GAIN_CEILING`.

    The gradient passes straight through the floor.
    """
    n = numerics.clip(n, -GAIN_CEILING, GAIN_CEILING)
    raised = numerics.clip(ops.abs(n), GAIN_FLOOR, GAIN_CEILING)
    return n + ops.stop_gradient(ops.where(n < 0, -raised, raised) - n)


def _value(x, n, s):
    z = n * x
    return (1 - s) * numerics.softplus(z) / n + s * ops.sigmoid(z)


_gamma = with_partials(_value, gamma_partials)


def _prepared(x, n, s):
    """The three as tensors of one shape in the working dtype, and the dtype of the result."""
    x = numerics.tensor("x", x)
    dtype = _result_dtype(x.dtype)
    work = numerics.working_dtype(dtype)
    x, n, s = (numerics.tensor(*pair, work) for pair in (("x", x), ("n", n), ("s", s)))
    shape = _broadcast_shape(x.shape, n.shape, s.shape)
    if x.shape == n.shape == s.shape and None not in shape:
        return (x, n, s), dtype
    # Custom gradients are not reduced to the shape of an argument: broadcast before the call.
    zero = ops.zeros_like(x) + ops.zeros_like(n) + ops.zeros_like(s)
    return (zero + x, zero + n, zero + s), dtype


def _result_dtype(dtype: Any) -> str:
    dtype = keras.backend.standardize_dtype(dtype)
    return dtype if keras.backend.is_float_dtype(dtype) else keras.config.floatx()


def _broadcast_shape(x, n, s):
    """The shape that three shapes broadcast to, None where an axis is not known yet."""
    shapes = [tuple(shape) for shape in (x, n, s)]
    result: list[int | None] = []
    for axis in range(1, max(len(shape) for shape in shapes) + 1):
        sizes = {shape[-axis] for shape in shapes if len(shape) >= axis} - {1}
        known = sizes - {None}
        if len(known) > 1:
            raise ValueError(
                "`x`, `n` and `s` must have shapes that broadcast: `n` and `s` scalar, one per "
                f"unit (N,), or like `x`. Received: x.shape={shapes[0]}, n.shape={shapes[1]}, "
                f"s.shape={shapes[2]}. Reshape `n` and `s`, for example to (N,)."
            )
        result.insert(0, known.pop() if known else (None if sizes else 1))
    return tuple(result)


@keras.saving.register_keras_serializable(package="aru_keras")
class _GammaOperation(keras.Operation):
    """`gamma` as a node of a functional model."""

    def call(self, x, n, s):
        return gamma(x, n, s)

    def compute_output_spec(self, x, n, s):
        shape = _broadcast_shape(*(np.shape(value) for value in (x, n, s)))
        return keras.KerasTensor(shape, _result_dtype(getattr(x, "dtype", keras.config.floatx())))
