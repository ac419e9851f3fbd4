"""The plane of homogeneous (n, s): stability of the dynamics against accuracy.

Geadah et al. 2024, Fig 6 and B.2: networks with one fixed (n, s) for all units learn best where the
Jacobian's norm is near 1 and the largest Lyapunov exponent near 0.
"""

from dataclasses import dataclass

import numpy as np

from aru_keras.analysis.statistics import RankCorrelation, rank_correlation
from aru_keras.arguments import array, instance

STARTS, BOUND = 8, 5.0
"""Initial conditions of the exponents, from U(−BOUND, BOUND)^N, as for the Jacobian's norm."""


@dataclass(frozen=True, eq=False)
class Landscape:
    """Three maps over the same points.

    Attributes:
        n: Gains, (P,).
        s: Saturations, (P,).
        jacobian_norm: Mean spectral norm of the Jacobian before training, (P,).
        exponent: λ₁ before training, nats a step, (P,); −inf is a number here.
        accuracy: Of the trained network with this (n, s) fixed, (P,).

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
            # −inf is an exponent: that of a map which forgets all in one step.
            least = {"least": -np.inf} if name == "exponent" else {}
            what = f"numbers, one for each of the {points} points of `n`"
            value = array(name, getattr(self, name), (points,), what=what, **least)
            object.__setattr__(self, name, value)
        if not (self.jacobian_norm > 0).all():
            raise ValueError(
                "`jacobian_norm` must be positive. Received: "
                f"{self.jacobian_norm.min()} as the smallest."
            )

    @property
    def norm_distance(self) -> np.ndarray:
        """|ln norm|, (P,): 0 where the Jacobian neither shrinks nor stretches."""
        return np.abs(np.log(self.jacobian_norm))

    @property
    def exploding(self) -> np.ndarray:
        """Where the Jacobian's norm is above 1, (P,) bool: what B.2 calls exploding."""
        return self.jacobian_norm > 1


@dataclass(frozen=True)
class Correlations:
    """Rank correlations (Spearman) over the points of a landscape.

    Attributes:
        norm: Of the accuracy with −|ln norm|.
        exponent: Of the accuracy with −|λ₁|.
        maps: Of the norm with λ₁.
    """

    norm: RankCorrelation
    exponent: RankCorrelation
    maps: RankCorrelation


def correlations(found: Landscape) -> Correlations:
    """How well the maps agree.

    Raises:
        ValueError: There are fewer than three points, or a map is constant.
    """
    instance("found", found, Landscape)
    return Correlations(
        norm=rank_correlation(found.accuracy, -found.norm_distance),
        exponent=rank_correlation(found.accuracy, -np.abs(found.exponent)),
        maps=rank_correlation(found.jacobian_norm, found.exponent),
    )
