"""Lyapunov exponents of autonomous dynamics (Geadah et al. 2024, Fig 5c–d, App. D).

The k largest exponents are computed by the QR method (Benettin et al. 1980): small deviations are
propagated along a trajectory and orthonormalized at every step. The exponents are the means of the
logarithms of their growth factors.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from aru_keras._util.arguments import LARGEST_SIZE, array, shown, whole
from aru_keras._util.deprecated import renamed
from aru_keras._util.numerics import NetworkOverflowError
from aru_keras.analysis.dynamics import GammaDynamics, as_dynamics
from aru_keras.analysis.maps import Dynamics

TRAJECTORY_STEPS = 1000
"""Number of steps of the paper's trajectories."""


@dataclass(frozen=True, eq=False)
class LyapunovExponents:
    """Lyapunov exponents in nats per step, in descending order.

    Attributes:
        exponents: Exponents for each of H initial conditions, (…, H, k). An exponent is −inf if the
            Jacobian was singular to working precision at some step, so that a deviation vanished.
        steps: Number of steps of the trajectories.
    """

    exponents: np.ndarray
    steps: int

    @property
    def mean(self) -> np.ndarray:
        """The mean over initial conditions, (…, k)."""
        return self.exponents.mean(axis=-2)

    @property
    def spread(self) -> np.ndarray:
        """The standard deviation over initial conditions, (…, k).

        It is inf if some exponents are −inf, and 0 if all are.
        """
        finite = np.isfinite(self.exponents)
        deviation = np.where(finite, self.exponents, 0.0).std(axis=-2)
        some = finite.any(axis=-2) & ~finite.all(axis=-2)
        return np.where(some, np.inf, deviation)


def lyapunov_exponents(
    dynamics: Dynamics | Callable,
    start: ArrayLike,
    count: int | None = 1,
    steps: int = TRAJECTORY_STEPS,
    transient: int = 0,
    seed: int = 0,
) -> LyapunovExponents:
    """The k largest Lyapunov exponents, or all of them.

    Args:
        dynamics: `Dynamics` of N dimensions, a layer, or any function h ↦ F(h), as in
            `as_dynamics`. The parameters of `Dynamics` may differ between initial conditions.
        start: Initial conditions h_0: (H, N), or (…, H, N) for several sets of H, or (N,) for one.
        count: Number k of exponents; None for all N.
        steps: Number of steps of the trajectory, at most 10,000,000.
        transient: Number of steps before these, at most 10,000,000, that are left out of the mean.
            During the transient the deviations align with the Lyapunov vectors.
        seed: Seed of the initial directions. They are random, because a direction along an
            invariant axis would never see the other axes.

    Raises:
        ValueError: `start` is not finite, or a trajectory diverges.
    """
    dynamics = as_dynamics(dynamics)
    h = np.atleast_2d(_checked_start(start, dynamics.size or "N"))
    size = h.shape[-1]
    _check_parameters(dynamics, h)
    count = size if count is None else _checked_count(count, size)
    steps = whole("steps", steps, 1, most=LARGEST_SIZE)
    transient = whole("transient", transient, 0, most=LARGEST_SIZE)
    draws = np.random.default_rng(whole("seed", seed, 0))
    first = np.linalg.qr(draws.normal(size=(size, count)))[0].T
    directions = np.broadcast_to(first, (*h.shape[:-1], count, size))
    # There are thousands of small products. Sharing each among threads would take longer.
    with threadpool_limits(1):
        total = _total_growth(dynamics, h, directions, steps, transient)
    if np.isnan(total).any():
        raise NetworkOverflowError(
            "The deviations must stay numbers. Received: NaN, from a Jacobian that is NaN or "
            "infinite. Check the derivative of the map."
        )
    return LyapunovExponents(-np.sort(-total / steps, axis=-1), steps)


def _total_growth(dynamics, h, directions, steps, transient):
    """The log growth of each direction, summed over the steps after the transient."""
    total = np.zeros(directions.shape[:-1])
    for step in range(transient + steps):
        h, directions = dynamics.push(h, directions)
        _check_finite(h, step + 1)
        directions, growth = _orthonormalized(directions)
        if step >= transient:
            total += growth
    return total


@dataclass(frozen=True, eq=False)
class AdaptedExponents:
    """Exponents with (n, s) adapted to a drive, and with (n, s) frozen at their values without it.

    Attributes:
        drives: Amplitudes ξ of the drive, (D,).
        adapted: Exponents with the (n, s) of each ξ.
        frozen: Exponents with the (n, s) of ξ = 0, from the same initial conditions.
    """

    drives: np.ndarray
    adapted: LyapunovExponents
    frozen: LyapunovExponents


def exponents_after_onset(
    recurrent_kernel: ArrayLike,
    n: ArrayLike,
    s: ArrayLike,
    start: ArrayLike,
    *,
    bias: ArrayLike | None = None,
    **options: Any,
) -> LyapunovExponents:
    """Exponents of the main dynamics with (n, s) fixed at their values at steps after onset.

    The map has neither input nor drive: ξ acts only through (n, s) and h_0 (Fig 5c).

    Args:
        recurrent_kernel: W_hh, (N, N), in Keras' layout.
        n: Gains for D drives, at K steps after onset, (D, K, N).
        s: Saturations, with the shape of `n`.
        start: Initial conditions h_0 ~ π(ξ), (D, H, N), such as those of `draw_states`.
        bias: Bias b, (N,); None for no bias, as in the paper.
        **options: Options of `lyapunov_exponents`.

    Returns:
        The exponents, (D, K, H, k).

    Raises:
        ValueError: The shapes do not fit, or as in `lyapunov_exponents`.
    """
    n, s, start = (array(name, values) for name, values in (("n", n), ("s", s), ("start", start)))
    if n.ndim != 3 or n.shape != s.shape or start.ndim != 3 or len(start) != len(n):
        raise ValueError(
            "`n` and `s` must be (drives, steps, N) and `start` (drives, initial conditions, N). "
            f"Received: {n.shape}, {s.shape} and {start.shape}."
        )
    dynamics = GammaDynamics(recurrent_kernel, n[:, :, None], s[:, :, None], bias)
    drives, (conditions, units) = n.shape[:2], start.shape[1:]
    states = np.broadcast_to(start[:, None], (*drives, conditions, units))
    return lyapunov_exponents(dynamics, states, **options)


def adapted_and_frozen_exponents(
    recurrent_kernel: ArrayLike,
    drives: ArrayLike,
    n: ArrayLike,
    s: ArrayLike,
    start: ArrayLike,
    *,
    bias: ArrayLike | None = None,
    **options: Any,
) -> AdaptedExponents:
    """Exponents over the drive, with adapted (n, s) and with those of ξ = 0 (Fig 5d).

    Args:
        recurrent_kernel: W_hh, (N, N), in Keras' layout.
        drives: Amplitudes ξ of the drive, (D,), exactly one of them 0.
        n: Gains after adaptation (in the paper 150 steps after onset), (D, N).
        s: Saturations, with the shape of `n`.
        start: Initial conditions h_0 ~ π(ξ), (D, H, N).
        bias: Bias b, (N,), or an array that is broadcastable against (D, 1, H, N): for example
            `drives[:, None, None, None]` for the map with the drive in it. None for no bias, as in
            the paper.
        **options: Options of `lyapunov_exponents`.

    Raises:
        ValueError: There is no ξ = 0, the shapes do not fit, or as in `lyapunov_exponents`.
    """
    drives = array("drives", drives, ("drives",))
    rows, expected = (len(drives), "N"), f"finite ({len(drives)}, N), a row for each of `drives`"
    n, s = (array(name, values, rows, what=expected) for name, values in (("n", n), ("s", s)))
    if np.count_nonzero(drives == 0) != 1:
        raise ValueError(
            "`drives` must be the ξ of each row of `n`, one of them 0: frozen units keep its "
            f"(n, s). Received: {shown(drives.tolist())}."
        )
    zero = np.flatnonzero(drives == 0).repeat(len(drives))
    results = [
        exponents_after_onset(
            recurrent_kernel, n[rows, None], s[rows, None], start, bias=bias, **options
        )
        for rows in (slice(None), zero)
    ]
    adapted, frozen = (
        LyapunovExponents(result.exponents[:, 0], result.steps) for result in results
    )
    return AdaptedExponents(drives, adapted, frozen)


def _orthonormalized(directions):
    """The directions made orthonormal, and the logarithms of their growth factors."""
    length = np.linalg.norm(directions, axis=-1)
    if directions.shape[-2] == 1:
        alive = np.where(length > 0, length, 1.0)
        return directions / alive[..., None], _logarithm(length)
    vectors, triangle = np.linalg.qr(np.swapaxes(directions, -1, -2))
    growth = np.abs(np.diagonal(triangle, axis1=-2, axis2=-1))
    # A direction that is linearly dependent on the earlier ones has only rounding errors left.
    rounding = np.finfo("float64").eps * directions.shape[-1] * length
    return np.swapaxes(vectors, -1, -2), _logarithm(np.where(growth <= rounding, 0.0, growth))


def _logarithm(growth):
    with np.errstate(divide="ignore"):
        return np.log(growth)


def _check_finite(h, step):
    if not np.isfinite(h).all():
        raise NetworkOverflowError(
            f"`start` must lead to finite states. Received: NaN or infinity at step {step} "
            f"({np.count_nonzero(~np.isfinite(h).all(axis=-1))} of {h[..., 0].size} trajectories). "
            "A map that diverges has no exponents."
        )


def _checked_start(start, size):
    expected = f"the states to start from, finite and of shape (…, {size})"
    return array("start", start, (..., size), what=expected)


def _check_parameters(dynamics, h):
    """Check that the parameters broadcast against the states, for all trajectories or for each."""
    for name, value in dynamics.parameters().items():
        axes = zip(value.shape[::-1], h.shape[::-1], strict=False)
        if value.ndim > h.ndim or any(own not in (1, wanted) for own, wanted in list(axes)[1:]):
            raise ValueError(
                f"`{name}` must broadcast to the states, of shape {h.shape}. Received: shape "
                f"{value.shape}."
            )


def _checked_count(count, size):
    if whole("count", count, 1) > size:
        raise ValueError(f"`count` must be at most {size}, the dimension. Received: {count}.")
    return count


__getattr__ = renamed(
    __name__, {"STEPS": "TRAJECTORY_STEPS", "adapted_and_frozen": "adapted_and_frozen_exponents"}
)
