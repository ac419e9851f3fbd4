"""The noise boundary Λ(ξ) between decaying and growing noise (Geadah et al. 2024, Prop. 1, Fig 5b).

Small noise of standard deviation σ about a drive ξ leaves a unit with standard deviation
σ·γ′(ξ; n, s). Where σ·γ′ < 1 it decays; on Λ(ξ) = {(n, s): σ·γ′(ξ; n, s) = 1} it is kept.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from aru_keras.analysis import gamma_numpy
from aru_keras.analysis.golden_section import golden_section
from aru_keras.arguments import array, finite

NOISE = 1.0
"""σ. (The paper's drawing amounts to 1.013.)"""

_REACHES = np.concatenate([[0.0], *(sign * np.logspace(-8, 3, 221) for sign in (1, -1))])
_GRID = np.linspace(-1.0, 1.0, 2001)
_BLOCK = 1000  # Points at a time, of some 50 MB.
_REFINEMENTS = 40  # Of a bracket of two grid steps: to 1e-11 of the distance searched.


@dataclass(frozen=True, eq=False)
class BoundaryDistance:
    """Where points (n, s) lie with respect to Λ(ξ).

    Attributes:
        distance: To the nearest point of Λ(ξ), in the plane of n and s as they are.
        n: Gain of the nearest point.
        s: Saturation of the nearest point.
        decays: Whether the points lie in the decaying region, σ·γ′(ξ; n, s) < 1.
    """

    distance: np.ndarray
    n: np.ndarray
    s: np.ndarray
    decays: np.ndarray


def boundary_saturation(drive, n, noise: float = NOISE) -> np.ndarray:
    """The s at which (n, s) lies on Λ(ξ); γ′ is linear in s, so there is one.

    s = (1/(σ·p) − 1)/(n·(1 − p) − 1), with p the logistic function of n·ξ. Infinite where
    n·(1 − p) = 1, where γ′ does not depend on s. As that is ξ = z/(1 + e^z) at z = n·ξ, there is no
    such gain for ξ > W(1/e) = 0.2785 (Lambert's W), one for ξ ≤ 0, and two in between. NaN where
    σ·p = 1 as well (ξ = 0, n = σ = 2): there every s lies on Λ.

    Args:
        drive: ξ.
        n: Gain, broadcastable against `drive`.
        noise: σ.

    Raises:
        ValueError: a value is not finite, or σ is not positive.
    """
    drive, n = _broadcast(drive=drive, n=n)
    noise = finite("noise", noise, positive=True)
    return _saturation(drive, n, noise)


def _saturation(drive, n, noise):
    n = gamma_numpy.floored(n)
    z = n * drive
    # 1/p = 1 + exp(−z), and 1 − p = p(−z), keep their digits at large z.
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        excess = (1 - noise + np.exp(-z)) / noise
        return excess / (n * expit(-z) - 1)


def decays(drive, n, s, noise: float = NOISE) -> np.ndarray:
    """Whether small noise about a drive decays: σ·γ′(ξ; n, s) < 1; arguments broadcast."""
    drive, n, s = _broadcast(drive=drive, n=n, s=s)
    return finite("noise", noise, positive=True) * gamma_numpy.slope(drive, n, s) < 1


def boundary_distance(drive, n, s, noise: float = NOISE) -> BoundaryDistance:
    """The distance of points (n, s) from Λ(ξ), and the side on which they lie.

    A search over gains on both sides, from near to far, bounds the distance; within the bound the
    nearest point is sought on a fine grid and refined by golden section.

    Args:
        drive: ξ, broadcastable against n and s.
        n: Gains, any shape.
        s: Saturations, broadcastable against `n`.
        noise: σ.

    Raises:
        ValueError: a value is not finite, or σ is not positive.
    """
    side = decays(drive, n, s, noise)
    drive, n, s = np.broadcast_arrays(*_broadcast(drive=drive, n=n, s=s))
    points = np.stack([drive, n, s], axis=-1).reshape(-1, 1, 3)
    blocks = np.array_split(points, range(_BLOCK, len(points), _BLOCK))
    nearest = np.concatenate([_nearest_gain(*np.moveaxis(one, -1, 0), noise) for one in blocks])
    nearest = nearest.reshape(n.shape)
    height = _height(drive, nearest, s, noise)
    return BoundaryDistance(np.hypot(nearest - n, height - s), nearest, height, side)


def _height(drive, gain, s, noise):
    """The s of Λ at a gain; where every s is on Λ, the point's own."""
    height = _saturation(drive, gain, noise)
    return np.where(np.isnan(height), s, height)


def _nearest_gain(drive, n, s, noise):
    """The gains of the nearest points of Λ, of K points (K, 1)."""

    def squared(gain):
        with np.errstate(over="ignore"):
            return (gain - n) ** 2 + (_height(drive, gain, s, noise) - s) ** 2

    # Λ jumps where the gain changes sign: one search on either side.
    found = [_nearest(squared, n, sign) for sign in (1, -1)]
    return np.where(squared(found[0]) <= squared(found[1]), *found)


def _nearest(squared, n, sign):
    """The gains of this sign with the least squared distance, (K, 1)."""

    def allowed(gain):
        return sign * np.maximum(sign * gain, np.finfo("float64").tiny)

    def folded(gain):
        return squared(allowed(gain))

    reach = np.sqrt(folded(n + _REACHES).min(axis=-1, keepdims=True))
    reach = np.where(np.isfinite(reach), reach, 0.0)  # Λ is out of reach on this side.
    gains = n + reach * _GRID
    step = reach * (_GRID[1] - _GRID[0])
    best = np.take_along_axis(gains, folded(gains).argmin(axis=-1, keepdims=True), axis=-1)
    return allowed(golden_section(folded, best - step, best + step, _REFINEMENTS))


def _broadcast(**values):
    """The values as arrays, whose shapes fit one another."""
    found = [array(name, value) for name, value in values.items()]
    try:
        np.broadcast_shapes(*(one.shape for one in found))
    except ValueError as error:
        names = ", ".join(f"`{name}`" for name in values)
        raise ValueError(
            f"{names} must have shapes that broadcast. Received: "
            f"{', '.join(str(one.shape) for one in found)}."
        ) from error
    return found
