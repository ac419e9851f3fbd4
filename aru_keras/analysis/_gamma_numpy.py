"""γ(x; n, s) and its partial derivatives in NumPy float64, for analyses that need no backend.

It is the same function as `aru_keras.gamma`, with the same floor and ceiling of |n| (Geadah et al.
2024, equation 1).
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from aru_keras.activations import GAIN_CEILING, GAIN_FLOOR


def floored(n: ArrayLike) -> np.ndarray:
    """`n` with |n| between `activations.GAIN_FLOOR` and `GAIN_CEILING`, sign(0) = +."""
    n = np.clip(np.asarray(n, "float64"), -GAIN_CEILING, GAIN_CEILING)
    return np.where(np.abs(n) < GAIN_FLOOR, np.where(n < 0, -GAIN_FLOOR, GAIN_FLOOR), n)


def softplus(z: np.ndarray) -> np.ndarray:
    """log(1 + exp(z)) without overflow."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def gamma_and_slope(x: ArrayLike, n: ArrayLike, s: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """γ and ∂γ/∂x. The arguments are broadcast."""
    n = floored(n)
    z = n * x
    sigma = expit(z)
    # σ(−z) instead of 1 − σ(z), which would lose digits where the slope is small.
    return (1 - s) * softplus(z) / n + s * sigma, sigma * (1 - s + s * n * expit(-z))


def slope(x: ArrayLike, n: ArrayLike, s: ArrayLike) -> np.ndarray:
    """∂γ/∂x = (1 − s)·σ + s·n·σ(1 − σ), with σ = σ(n·x)."""
    return gamma_and_slope(x, n, s)[1]


def partials_of_parameters(
    x: ArrayLike, n: ArrayLike, s: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """∂γ/∂n and ∂γ/∂s as derivatives of the map.

    Below the floor and above the ceiling of |n|, γ does not depend on n, so ∂γ/∂n is 0. (In
    training, by contrast, the gradient at the bound is used there.)
    """
    within = (np.abs(n) >= GAIN_FLOOR) & (np.abs(n) <= GAIN_CEILING)
    n = floored(n)
    z = n * x
    distance = np.abs(z)
    entropy = softplus(-distance) + distance * expit(-distance)
    in_n = s * x * expit(z) * expit(-z) - (1 - s) * entropy / n**2
    return np.where(within, in_n, 0.0), expit(z) - softplus(z) / n


def largest_slope(n: ArrayLike, s: ArrayLike) -> np.ndarray:
    """The supremum over x of ∂γ/∂x, for any n and s.

    As a function of σ in (0, 1) the slope is the parabola (1 − s + s·n)·σ − s·n·σ². If its vertex
    is a maximum inside the interval, the supremum is (1 + s(n − 1))²/(4ns). Otherwise it is the
    larger value at the two ends, 0 and 1 − s. For n > 0 and 0 ≤ s ≤ 1, the vertex lies inside if
    s > 1/(n + 1).

    Args:
        n: Gain, of any shape.
        s: Saturation, broadcastable against `n`.
    """
    n, s = np.broadcast_arrays(floored(n), np.asarray(s, "float64"))
    product, linear = s * n, 1 - s + s * n
    inside = (product > 0) & (linear > 0) & (linear < 2 * product)
    vertex = linear**2 / np.where(inside, 4 * product, 1.0)
    return np.where(inside, vertex, np.maximum(1 - s, 0.0))
