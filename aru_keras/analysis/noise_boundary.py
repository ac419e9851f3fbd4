"""The noise boundary Λ(ξ) between decaying and growing noise (Geadah et al. 2024, Prop. 1, Fig 5b).

If the input of a unit is a drive ξ with small noise of standard deviation σ, the noise in its
output has the standard deviation σ·γ′(ξ; n, s). Noise decays where σ·γ′ < 1, and is preserved on
the boundary Λ(ξ) = {(n, s): σ·γ′(ξ; n, s) = 1}.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from aru_keras._util.arguments import array, finite
from aru_keras._util.deprecated import renamed
from aru_keras.analysis import _gamma_numpy
from aru_keras.analysis._golden_section import golden_section

BOUNDARY_NOISE = 1.0
"""Standard deviation σ of the noise. (The paper's figure corresponds to 1.013.)"""

_REACHES = np.concatenate([[0.0], *(sign * np.logspace(-8, 3, 221) for sign in (1, -1))])
_GRID = np.linspace(-1.0, 1.0, 2001)
_BLOCK = 1000  # Number of points at a time, which take some 50 MB.
_REFINEMENTS = 40  # They shorten a bracket of two grid steps to 1e-11 of the searched distance.


@dataclass(frozen=True, eq=False)
class BoundaryDistance:
    """The position of points (n, s) relative to Λ(ξ).

    Attributes:
        distance: Distance to the nearest point of Λ(ξ), in the plane of (n, s) without rescaling.
        n: Gain of the nearest point of Λ(ξ).
        s: Saturation of the nearest point of Λ(ξ).
        decays: Whether the points lie in the decaying region, σ·γ′(ξ; n, s) < 1.
    """

    distance: np.ndarray
    n: np.ndarray
    s: np.ndarray
    decays: np.ndarray


def boundary_saturation(
    drive: ArrayLike, n: ArrayLike, noise: float = BOUNDARY_NOISE
) -> np.ndarray:
    """The s at which (n, s) lies on Λ(ξ). It is unique, because γ′ is linear in s.

    s = (1/(σ·p) − 1)/(n·(1 − p) − 1), where p is the logistic function of n·ξ. The result is
    infinite if n·(1 − p) = 1, where γ′ does not depend on s. With z = n·ξ this condition is
    ξ = z/(1 + e^z), so there is no such gain for ξ > W(1/e) = 0.2785 (Lambert's W), one for ξ ≤ 0,
    and two in between. The result is NaN if also σ·p = 1 (ξ = 0, n = σ = 2): then every s is on Λ.

    Args:
        drive: Drive ξ.
        n: Gain, broadcastable against `drive`.
        noise: Standard deviation σ of the noise.

    Raises:
        ValueError: A value is not finite, or σ is not positive.
    """
    drive, n = _broadcast(drive=drive, n=n)
    noise = finite("noise", noise, positive=True)
    return _saturation(drive, n, noise)


def _saturation(drive, n, noise):
    n = _gamma_numpy.floored(n)
    z = n * drive
    # 1/p = 1 + exp(−z), and 1 − p = p(−z), keep their digits at large z.
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        excess = (1 - noise + np.exp(-z)) / noise
        return excess / (n * expit(-z) - 1)


def noise_decays(
    drive: ArrayLike, n: ArrayLike, s: ArrayLike, noise: float = BOUNDARY_NOISE
) -> np.ndarray:
    """Whether small noise about a drive ξ decays, σ·γ′(ξ; n, s) < 1; arguments are broadcast."""
    drive, n, s = _broadcast(drive=drive, n=n, s=s)
    return finite("noise", noise, positive=True) * _gamma_numpy.slope(drive, n, s) < 1


def boundary_distance(
    drive: ArrayLike, n: ArrayLike, s: ArrayLike, noise: float = BOUNDARY_NOISE
) -> BoundaryDistance:
    """The distance of points (n, s) from Λ(ξ), and the side on which they lie.

    First a search over gains at growing distances, above and below n, gives an upper bound of the
    distance. Within this bound the nearest point is searched on a fine grid, and refined by golden
    section.

    Args:
        drive: Drive ξ, broadcastable against n and s.
        n: Gains, of any shape.
        s: Saturations, broadcastable against `n`.
        noise: Standard deviation σ of the noise.

    Raises:
        ValueError: A value is not finite, or σ is not positive.
    """
    side = noise_decays(drive, n, s, noise)
    drive, n, s = np.broadcast_arrays(*_broadcast(drive=drive, n=n, s=s))
    points = np.stack([drive, n, s], axis=-1).reshape(-1, 1, 3)
    blocks = np.array_split(points, range(_BLOCK, len(points), _BLOCK))
    nearest = np.concatenate(
        [_nearest_gain(block[..., 0], block[..., 1], block[..., 2], noise) for block in blocks]
    )
    nearest = nearest.reshape(n.shape)
    height = _height(drive, nearest, s, noise)
    return BoundaryDistance(np.hypot(nearest - n, height - s), nearest, height, side)


def _height(drive, gain, s, noise):
    """The s of Λ at a gain; if every s is on Λ, the s of the point itself."""
    height = _saturation(drive, gain, noise)
    return np.where(np.isnan(height), s, height)


def _nearest_gain(drive, n, s, noise):
    """The gains of the points of Λ nearest to K points, (K, 1)."""

    def squared(gain):
        with np.errstate(over="ignore"):
            return (gain - n) ** 2 + (_height(drive, gain, s, noise) - s) ** 2

    # Λ jumps where the gain changes sign, so positive and negative gains are searched separately.
    positive, negative = (_nearest(squared, n, sign) for sign in (1, -1))
    return np.where(squared(positive) <= squared(negative), positive, negative)


def _nearest(squared, n, sign):
    """The gains of this sign with the least squared distance, (K, 1)."""

    def allowed(gain):
        return sign * np.maximum(sign * gain, np.finfo("float64").tiny)

    def folded(gain):
        return squared(allowed(gain))

    reach = np.sqrt(folded(n + _REACHES).min(axis=-1, keepdims=True))
    reach = np.where(np.isfinite(reach), reach, 0.0)  # Λ has no point with this sign in range.
    gains = n + reach * _GRID
    step = reach * (_GRID[1] - _GRID[0])
    best = np.take_along_axis(gains, folded(gains).argmin(axis=-1, keepdims=True), axis=-1)
    return allowed(golden_section(folded, best - step, best + step, _REFINEMENTS))


def _broadcast(**values):
    """The values as arrays, checked for shapes that broadcast."""
    arrays = [array(name, value) for name, value in values.items()]
    shapes = [value.shape for value in arrays]
    try:
        np.broadcast_shapes(*shapes)
    except ValueError as error:
        names = ", ".join(f"`{name}`" for name in values)
        raise ValueError(
            f"{names} must have shapes that broadcast. Received: "
            f"{', '.join(str(shape) for shape in shapes)}."
        ) from error
    return arrays


__getattr__ = renamed(__name__, {"NOISE": "BOUNDARY_NOISE", "decays": "noise_decays"})
