"""Lyapunov exponents of autonomous dynamics (Geadah et al. 2024, Fig 5c–d, App. D).

The k leading exponents by the QR method (Benettin et al. 1980): deviations are pushed along a
trajectory and orthonormalised at every step; the exponents are the mean logarithms of their growth.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from aru_keras.analysis.dynamics import Dynamics, GammaDynamics, as_dynamics
from aru_keras.arguments import LARGEST_SIZE, array, shown, whole
from aru_keras.numerics import NetworkOverflowError

STEPS = 1000
"""Length of the paper's trajectories."""


@dataclass(frozen=True, eq=False)
class LyapunovExponents:
    """Exponents in nats a step, in falling order.

    Attributes:
        exponents: (…, H, k), of each of H initial conditions. −inf where the Jacobian was singular
            to working precision at some step: a deviation vanished altogether.
        steps: Length of the trajectories.
    """

    exponents: np.ndarray
    steps: int

    @property
    def mean(self) -> np.ndarray:
        """Over initial conditions, (…, k)."""
        return self.exponents.mean(axis=-2)

    @property
    def spread(self) -> np.ndarray:
        """Standard deviation over initial conditions, (…, k); inf where some, 0 where all are
        −inf."""
        finite = np.isfinite(self.exponents)
        deviation = np.where(finite, self.exponents, 0.0).std(axis=-2)
        some = finite.any(axis=-2) & ~finite.all(axis=-2)
        return np.where(some, np.inf, deviation)


def lyapunov_exponents(
    dynamics: Dynamics | Callable,
    start,
    count: int | None = 1,
    steps: int = STEPS,
    transient: int = 0,
    seed: int = 0,
) -> LyapunovExponents:
    """The leading Lyapunov exponents, or all.

    Args:
        dynamics: `dynamics.Dynamics` of N dimensions, whose parameters may have one set a lane; or
            a layer, or any function h ↦ F(h), as `dynamics.as_dynamics` takes them.
        start: h_0, (H, N) for H initial conditions, (…, H, N) for several sets of them, or (N,).
        count: k, how many exponents; None for all N.
        steps: Length of the trajectory, at most 10,000,000.
        transient: Steps before it that are not counted, as many at most; deviations turn into
            their directions.
        seed: Of the first directions, random as a direction along an invariant axis would not see
            the others.

    Raises:
        ValueError: `start` is not finite, or a trajectory leaves the finite numbers.
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
    # Thousands of small products: handing each to several threads takes longer than the product.
    with threadpool_limits(1):
        total = _total_growth(dynamics, h, directions, steps, transient)
    if np.isnan(total).any():
        raise NetworkOverflowError(
            "The deviations must stay numbers. Received: NaN, from a Jacobian that is NaN or "
            "infinite. Check the derivative of the map."
        )
    return LyapunovExponents(-np.sort(-total / steps, axis=-1), steps)


def _total_growth(dynamics, h, directions, steps, transient):
    """Logarithms of growth of each direction, summed over the steps after the transient."""
    total = np.zeros(directions.shape[:-1])
    for step in range(transient + steps):
        h, directions = dynamics.push(h, directions)
        _check_finite(h, step + 1)
        directions, growth = _orthonormalised(directions)
        if step >= transient:
            total += growth
    return total


@dataclass(frozen=True, eq=False)
class AdaptedExponents:
    """Exponents with the gains and saturations that units take under a drive, and without.

    Attributes:
        drives: ξ, (D,).
        adapted: With the (n, s) of each drive.
        frozen: With the (n, s) of ξ = 0, from the same initial conditions.
    """

    drives: np.ndarray
    adapted: LyapunovExponents
    frozen: LyapunovExponents


def exponents_after_onset(
    recurrent_kernel, n, s, start, *, bias=None, **options
) -> LyapunovExponents:
    """Exponents of the main dynamics with (n, s) frozen at given steps after a drive's onset.

    The map has neither input nor drive: ξ acts through (n, s) and through h_0 alone (Fig 5c).

    Args:
        recurrent_kernel: W_hh, (N, N), in Keras' layout.
        n: Gains, (D, K, N): for D drives, at K steps after onset.
        s: Saturations, like `n`.
        start: h_0 ~ π(ξ), (D, H, N), as `stationary.draw` gives them.
        bias: b, (N,); None for none, as in the paper.
        **options: Of `lyapunov_exponents`.

    Returns:
        Exponents (D, K, H, k).

    Raises:
        ValueError: shapes do not fit, or as `lyapunov_exponents`.
    """
    n, s, start = (array(*one) for one in (("n", n), ("s", s), ("start", start)))
    if n.ndim != 3 or n.shape != s.shape or start.ndim != 3 or len(start) != len(n):
        raise ValueError(
            "`n` and `s` must be (drives, steps, N) and `start` (drives, initial conditions, N). "
            f"Received: {n.shape}, {s.shape} and {start.shape}."
        )
    dynamics = GammaDynamics(recurrent_kernel, n[:, :, None], s[:, :, None], bias)
    drives, (conditions, units) = n.shape[:2], start.shape[1:]
    lanes = np.broadcast_to(start[:, None], (*drives, conditions, units))
    return lyapunov_exponents(dynamics, lanes, **options)


def adapted_and_frozen(
    recurrent_kernel, drives, n, s, start, *, bias=None, **options
) -> AdaptedExponents:
    """Exponents over the drive, with adapted (n, s) and with those of ξ = 0 (Fig 5d).

    Args:
        recurrent_kernel: W_hh, (N, N), in Keras' layout.
        drives: ξ, (D,), with a 0 among them.
        n: Gains after adaptation (in the paper 150 steps after onset), (D, N).
        s: Saturations, like `n`.
        start: h_0 ~ π(ξ), (D, H, N).
        bias: b, (N,), or broadcastable against (D, 1, H, N), such as `drives[:, None, None, None]`
            for the map with the drive in it; None for none, as in the paper.
        **options: Of `lyapunov_exponents`.

    Raises:
        ValueError: there is no ξ = 0, shapes do not fit, or as `lyapunov_exponents`.
    """
    drives = array("drives", drives, ("drives",))
    rows, what = (len(drives), "N"), f"finite ({len(drives)}, N), a row for each of `drives`"
    n, s = (array(*one, rows, what=what) for one in (("n", n), ("s", s)))
    if np.count_nonzero(drives == 0) != 1:
        raise ValueError(
            "`drives` must be the ξ of each row of `n`, one of them 0: frozen units keep its "
            f"(n, s). Received: {shown(drives.tolist())}."
        )
    zero = np.flatnonzero(drives == 0).repeat(len(drives))
    found = [
        exponents_after_onset(
            recurrent_kernel, n[rows, None], s[rows, None], start, bias=bias, **options
        )
        for rows in (slice(None), zero)
    ]
    adapted, frozen = (LyapunovExponents(one.exponents[:, 0], one.steps) for one in found)
    return AdaptedExponents(drives, adapted, frozen)


def _orthonormalised(directions):
    """Directions made orthonormal, and the logarithm of what each had grown by."""
    length = np.linalg.norm(directions, axis=-1)
    if directions.shape[-2] == 1:
        alive = np.where(length > 0, length, 1.0)
        return directions / alive[..., None], _logarithm(length)
    vectors, triangle = np.linalg.qr(np.swapaxes(directions, -1, -2))
    growth = np.abs(np.diagonal(triangle, axis1=-2, axis2=-1))
    # What is left of a direction after the earlier ones are taken out, if it is rounding alone.
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
    what = f"the states to start from, finite and of shape (…, {size})"
    return array("start", start, (..., size), what=what)


def _check_parameters(dynamics, h):
    """Whether there is one set of parameters for all lanes, or one for each."""
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
