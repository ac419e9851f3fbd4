"""The norm of the main dynamics' Jacobian over gain and saturation (Geadah et al. 2024, Fig 6).

`jacobian_norms` is the mean over h ~ U(−5, 5)^N of the spectral norm of diag γ′(W_hh h)·W_hh,
without input or bias. `jacobian_norms_along` takes any other dynamics and any states.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import eigvalsh

from aru_keras._util.arguments import LARGEST_SIZE, array, finite, whole
from aru_keras._util.deprecated import renamed
from aru_keras._util.numerics import NetworkOverflowError
from aru_keras.analysis import _gamma_numpy
from aru_keras.analysis._checks import checked_kernel
from aru_keras.analysis.dynamics import as_dynamics
from aru_keras.analysis.maps import Dynamics

GRID_GAINS = (1.0, *(1.25 * k for k in range(1, 17)))
GRID_SATURATIONS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""The paper's grid of 85 points."""

STATE_BOUND = 5.0
"""Bound of the uniform distribution U(−bound, bound)^N of the states."""

STATE_SAMPLES = 20

_ORTHOGONAL = 1e-6
"""Largest entry of WᵀW − 1 up to which W counts as orthogonal; in float32 it is about 1e-7."""


@dataclass(frozen=True, eq=False)
class JacobianNorms:
    """Spectral norms over a grid of homogeneous (n, s).

    Attributes:
        n: Gains, (K,).
        s: Saturations, (L,).
        mean: Means of the norm over states, (K, L).
        error: Standard errors of these means, (K, L).
        orthogonal: Whether W_hh is orthogonal, so that the norm is exactly max_i |γ′_i|; None if
            this was not saved.
    """

    n: np.ndarray
    s: np.ndarray
    mean: np.ndarray
    error: np.ndarray
    orthogonal: bool | None = None


def jacobian_norms(
    recurrent_kernel: ArrayLike,
    n: ArrayLike = GRID_GAINS,
    s: ArrayLike = GRID_SATURATIONS,
    *,
    samples: int = STATE_SAMPLES,
    bound: float = STATE_BOUND,
    seed: int = 0,
) -> JacobianNorms:
    """The mean norm of the Jacobian at every pair of a gain and a saturation.

    Args:
        recurrent_kernel: W_hh, (N, N), in Keras' layout.
        n: Gains, (K,).
        s: Saturations, (L,).
        samples: Number of states h, at least 2. All pairs use the same states.
        bound: Bound of the uniform distribution U(−bound, bound)^N of the states.
        seed: Seed of the states.

    Raises:
        ValueError: W_hh is not square, or a value is not finite or out of its range.
    """
    kernel = checked_kernel(recurrent_kernel)
    n, s = _checked_axis("n", n), _checked_axis("s", s)
    samples = whole("samples", samples, 2, most=LARGEST_SIZE)
    draws, bound = np.random.default_rng(whole("seed", seed, 0)), finite("bound", bound, least=0)
    h = draws.uniform(-bound, bound, (samples, len(kernel)))
    a, product = h @ kernel, kernel.T @ kernel
    orthogonal = bool(np.abs(product - np.eye(len(kernel))).max() < _ORTHOGONAL)
    norms = np.empty((len(n), len(s), samples))
    for row, column in np.ndindex(len(n), len(s)):
        slopes = np.abs(_gamma_numpy.slope(a, n[row], s[column]))
        norms[row, column] = slopes.max(axis=1) if orthogonal else _norms(slopes, product)
    error = norms.std(axis=-1, ddof=1) / np.sqrt(samples)
    return JacobianNorms(n, s, norms.mean(axis=-1), error, orthogonal)


def jacobian_norms_along(dynamics: Dynamics | Callable, states: ArrayLike) -> np.ndarray:
    """The spectral norm of the Jacobian of any dynamics at each of the states, (…).

    Args:
        dynamics: `Dynamics`, a layer, or any function h ↦ F(h), as in `as_dynamics`.
        states: States h, (…, N), such as a trajectory or random draws. The memory needed is N²
            numbers for each state.

    Raises:
        ValueError: The states, or the Jacobian at one of them, are not finite.
    """
    dynamics = as_dynamics(dynamics)
    size = dynamics.size or "N"
    states = array("states", states, (..., size), what=f"finite and of shape (…, {size})")
    jacobians = dynamics.jacobian(states)
    if not np.isfinite(jacobians).all():
        raise NetworkOverflowError(
            "`dynamics` must have a finite Jacobian at every state. Received: NaN or infinity. "
            "Check the derivative of the map."
        )
    return np.linalg.norm(jacobians, 2, axis=(-2, -1))


def _norms(slopes, product):
    """Spectral norms of diag(slope)·Wᵀ, (samples,), from WᵀW: J·Jᵀ = diag(slope)·WᵀW·diag(slope).

    Computing only the largest eigenvalue takes a fifth of the time of all singular values.
    """
    top = [len(product) - 1] * 2
    largest = [
        eigvalsh(slope[:, None] * product * slope, subset_by_index=top)[0] for slope in slopes
    ]
    return np.sqrt(np.maximum(largest, 0))


def _checked_axis(argument, values):
    return array(argument, values, ("K",), what="a list of finite numbers")


__getattr__ = renamed(
    __name__,
    {
        "GAINS": "GRID_GAINS",
        "SATURATIONS": "GRID_SATURATIONS",
        "BOUND": "STATE_BOUND",
        "SAMPLES": "STATE_SAMPLES",
        "ORTHOGONAL": "_ORTHOGONAL",
        "norms_along": "jacobian_norms_along",
    },
)
