"""The norm of the main dynamics' Jacobian over gain and saturation (Geadah et al. 2024, Fig 6).

Mean over h ~ U(−5, 5)^N of the spectral norm of diag γ′(W_hh h)·W_hh, without input or bias. Of
any other dynamics, at states of one's own, `norms_along`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigvalsh

from aru_keras.analysis import gamma_numpy
from aru_keras.analysis.dynamics import Dynamics, as_dynamics, checked_kernel
from aru_keras.arguments import LARGEST_SIZE, array, finite, whole
from aru_keras.numerics import NetworkOverflowError

GAINS = (1.0, *(1.25 * k for k in range(1, 17)))
SATURATIONS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""The paper's grid of 85 points."""

BOUND = 5.0
"""States are drawn from U(−BOUND, BOUND)."""

SAMPLES = 20

ORTHOGONAL = 1e-6
"""Largest entry of WᵀW − 1 up to which W counts as orthogonal: float32 weights have 1e-7."""


@dataclass(frozen=True, eq=False)
class JacobianNorms:
    """Spectral norms over a grid of homogeneous (n, s).

    Attributes:
        n: Gains, (K,).
        s: Saturations, (L,).
        mean: Over states, (K, L).
        error: Its standard error, (K, L).
        orthogonal: Whether W_hh was found orthogonal, where the norm is exactly max_i |γ′_i|.
    """

    n: np.ndarray
    s: np.ndarray
    mean: np.ndarray
    error: np.ndarray
    orthogonal: bool


def jacobian_norms(
    recurrent_kernel,
    n=GAINS,
    s=SATURATIONS,
    *,
    samples: int = SAMPLES,
    bound: float = BOUND,
    seed: int = 0,
) -> JacobianNorms:
    """The mean norm of the Jacobian at every pair of a gain and a saturation.

    Args:
        recurrent_kernel: W_hh, (N, N), in Keras' layout.
        n: Gains, (K,).
        s: Saturations, (L,).
        samples: Number of states h, the same at every pair; 2 or more.
        bound: States are drawn from U(−bound, bound)^N.
        seed: Of the states.

    Raises:
        ValueError: W_hh is not square, or a value is not finite or out of its range.
    """
    kernel = checked_kernel(recurrent_kernel)
    n, s = _checked_axis("n", n), _checked_axis("s", s)
    samples = whole("samples", samples, 2, most=LARGEST_SIZE)
    draws, bound = np.random.default_rng(whole("seed", seed, 0)), finite("bound", bound, least=0)
    h = draws.uniform(-bound, bound, (samples, len(kernel)))
    a, product = h @ kernel, kernel.T @ kernel
    orthogonal = bool(np.abs(product - np.eye(len(kernel))).max() < ORTHOGONAL)
    norms = np.empty((len(n), len(s), samples))
    for row, column in np.ndindex(len(n), len(s)):
        slopes = np.abs(gamma_numpy.slope(a, n[row], s[column]))
        norms[row, column] = slopes.max(axis=1) if orthogonal else _norms(slopes, product)
    error = norms.std(axis=-1, ddof=1) / np.sqrt(samples)
    return JacobianNorms(n, s, norms.mean(axis=-1), error, orthogonal)


def norms_along(dynamics: Dynamics | Callable, states) -> np.ndarray:
    """The spectral norm of the Jacobian of any dynamics at each of the states, (…).

    Args:
        dynamics: What `dynamics.as_dynamics` takes: `Dynamics`, a layer, or any function h ↦ F(h).
        states: h, (…, N), a trajectory or draws; takes memory of N² numbers a state.

    Raises:
        ValueError: the states or the Jacobian there are not finite.
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

    The largest eigenvalue alone costs a fifth of all singular values.
    """
    top = [len(product) - 1] * 2
    largest = [eigvalsh(one[:, None] * product * one, subset_by_index=top)[0] for one in slopes]
    return np.sqrt(np.maximum(largest, 0))


def _checked_axis(argument, values):
    return array(argument, values, ("K",), what="a list of finite numbers")
