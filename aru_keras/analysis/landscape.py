"""Stability of the dynamics and accuracy over the plane of homogeneous (n, s).

Geadah et al. 2024, Fig 6 and B.2: networks with one fixed (n, s) for all units learn best where the
Jacobian's norm is near 1 and the largest Lyapunov exponent near 0.
"""

from dataclasses import dataclass

import numpy as np

from aru_keras._util.arguments import array, instance
from aru_keras._util.deprecated import renamed
from aru_keras.analysis.statistics import RankCorrelation, rank_correlation

EXPONENT_STARTS, EXPONENT_BOUND = 8, 5.0
"""Number of initial conditions of the exponents, and bound of their distribution,
U(−bound, bound)^N, which is that of the Jacobian norm."""

_DISTANCES = 1000
"""Number of distances over which `accuracy_by_side` averages."""


@dataclass(frozen=True, eq=False)
class Landscape:
    """Three maps over the same points (n, s).

    Attributes:
        n: Gains, (P,).
        s: Saturations, (P,).
        jacobian_norm: Mean spectral norm of the Jacobian before training, (P,).
        exponent: Largest Lyapunov exponent λ₁ before training in nats per step, (P,); may be −inf.
        accuracy: Test accuracy of the trained network with this fixed (n, s), (P,).

    Raises:
        ValueError: The maps differ in shape, or one holds NaN or a norm that is not positive.
    """

    n: np.ndarray
    s: np.ndarray
    jacobian_norm: np.ndarray
    exponent: np.ndarray
    accuracy: np.ndarray

    def __post_init__(self):
        points = len(array("n", self.n, ("points",)))
        for name in ("n", "s", "jacobian_norm", "exponent", "accuracy"):
            # λ₁ is −inf for a map that forgets its state in one step.
            least = {"least": -np.inf} if name == "exponent" else {}
            expected = f"numbers, one for each of the {points} points of `n`"
            value = array(name, getattr(self, name), (points,), what=expected, **least)
            object.__setattr__(self, name, value)
        if not (self.jacobian_norm > 0).all():
            raise ValueError(
                "`jacobian_norm` must be positive. Received: "
                f"{self.jacobian_norm.min()} as the smallest."
            )

    @property
    def norm_distance(self) -> np.ndarray:
        """The distance |ln norm|, (P,); 0 where the Jacobian neither contracts nor expands."""
        return np.abs(np.log(self.jacobian_norm))

    @property
    def exploding(self) -> np.ndarray:
        """Whether the Jacobian norm is above 1, (P,), which B.2 calls exploding."""
        return self.jacobian_norm > 1


@dataclass(frozen=True)
class Correlations:
    """Spearman's rank correlations over the points of a landscape.

    Attributes:
        norm: Correlation of the accuracy with −|ln norm|.
        exponent: Correlation of the accuracy with −|λ₁|.
        maps: Correlation of the norm with λ₁.
    """

    norm: RankCorrelation
    exponent: RankCorrelation
    maps: RankCorrelation


def landscape_correlations(landscape: Landscape) -> Correlations:
    """The rank correlations between the three maps.

    Raises:
        ValueError: There are fewer than three points, or a map is constant.
    """
    instance("landscape", landscape, Landscape)
    return Correlations(
        norm=rank_correlation(landscape.accuracy, -landscape.norm_distance),
        exponent=rank_correlation(landscape.accuracy, -np.abs(landscape.exponent)),
        maps=rank_correlation(landscape.jacobian_norm, landscape.exponent),
    )


def accuracy_by_side(landscape: Landscape) -> tuple[float, float] | None:
    """The mean accuracies where the Jacobian contracts and where it explodes, at equal distances.

    On either side of norm 1 the accuracy is interpolated over the distance |ln norm|, and averaged
    over the distances that points on both sides reach. The result therefore depends on the course
    of the accuracy, and not on how many points of a grid are on a side or near norm 1.

    Args:
        landscape: Maps over the points.

    Returns:
        The mean accuracies for norms up to 1 and above 1; None if the sides share no distances.
    """
    instance("landscape", landscape, Landscape)
    sides = [_over_distance(landscape, ~landscape.exploding)]
    sides.append(_over_distance(landscape, landscape.exploding))
    if not all(len(distances) for distances, _ in sides):
        return None
    first = max(distances[0] for distances, _ in sides)
    last = min(distances[-1] for distances, _ in sides)
    if not first < last:
        return None
    shared = np.linspace(first, last, _DISTANCES)
    contracting, exploding = (float(np.interp(shared, *side).mean()) for side in sides)
    return contracting, exploding


def _over_distance(landscape, chosen):
    """Distances of some points in increasing order, and their accuracies; equal ones averaged."""
    distances, index = np.unique(landscape.norm_distance[chosen], return_inverse=True)
    sums = np.bincount(index, landscape.accuracy[chosen], minlength=len(distances))
    return distances, sums / np.bincount(index, minlength=len(distances))


__getattr__ = renamed(
    __name__,
    {
        "STARTS": "EXPONENT_STARTS",
        "BOUND": "EXPONENT_BOUND",
        "correlations": "landscape_correlations",
    },
)
