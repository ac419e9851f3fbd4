"""The activation family γ(x; n, s) and its limits (Geadah et al. 2024, Fig 1)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from aru_keras.analysis.gamma_numpy import gamma_and_slope, softplus
from aru_keras.arguments import array

GAINS = (1, 2.5, 5, 10)
SATURATIONS = (0, 0.25, 0.5, 0.75, 1)
"""n and s of the curves; our choice."""

X = tuple(np.linspace(-4, 4, 401))
"""Where the curves are drawn; our choice."""

LIMITS = {
    "softplus": softplus,
    "ReLU": lambda x: np.maximum(x, 0.0),
    "sigmoid": expit,
}
"""What γ becomes: softplus at n = 1, s = 0; ReLU for n → ∞, s = 0; sigmoid at n = 1, s = 1."""


@dataclass(frozen=True)
class Family:
    """Curves of γ.

    Attributes:
        x: (K,).
        gains: n, (L,).
        saturations: s, (M,).
        values: γ(x; n, s), (L, M, K).
        slopes: ∂γ/∂x, (L, M, K).
        limits: The limits of the family at x, (K,), by name.
    """

    x: np.ndarray
    gains: np.ndarray
    saturations: np.ndarray
    values: np.ndarray
    slopes: np.ndarray
    limits: dict[str, np.ndarray]


def family(
    gains: Sequence[float] = GAINS,
    saturations: Sequence[float] = SATURATIONS,
    x: Sequence[float] = X,
) -> Family:
    """Curves of γ over a grid of (n, s) (Fig 1).

    Args:
        gains: n, (L,).
        saturations: s, (M,).
        x: (K,).

    Raises:
        ValueError: An argument is not a list of finite numbers.
    """
    gains, saturations, x = (
        array(name, values, ("K",), what="a list of finite numbers")
        for name, values in (("gains", gains), ("saturations", saturations), ("x", x))
    )
    values, slopes = gamma_and_slope(x, gains[:, None, None], saturations[:, None])
    limits = {name: limit(x) for name, limit in LIMITS.items()}
    return Family(x, gains, saturations, values, slopes, limits)
