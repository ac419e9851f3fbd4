"""The activation family γ(x; n, s) and its limits (Geadah et al. 2024, Fig 1)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from aru_keras._util.arguments import array
from aru_keras._util.deprecated import renamed
from aru_keras.analysis._gamma_numpy import gamma_and_slope, softplus

FAMILY_GAINS = (1, 2.5, 5, 10)
FAMILY_SATURATIONS = (0, 0.25, 0.5, 0.75, 1)
"""Gains n and saturations s of the curves (our choice)."""

FAMILY_X = tuple(np.linspace(-4, 4, 401))
"""Values of x at which the curves are drawn (our choice)."""

FAMILY_LIMITS = {
    "softplus": softplus,
    "ReLU": lambda x: np.maximum(x, 0.0),
    "sigmoid": expit,
}
"""Limits of γ: softplus at n = 1, s = 0; ReLU for n → ∞, s = 0; sigmoid at n = 1, s = 1."""


@dataclass(frozen=True, eq=False)
class Family:
    """Curves of γ.

    Attributes:
        x: Arguments of γ, (K,).
        gains: Gains n, (L,).
        saturations: Saturations s, (M,).
        values: Values γ(x; n, s), (L, M, K).
        slopes: Derivatives ∂γ/∂x, (L, M, K).
        limits: Values at x of the limits of the family, (K,) each, by name.
    """

    x: np.ndarray
    gains: np.ndarray
    saturations: np.ndarray
    values: np.ndarray
    slopes: np.ndarray
    limits: dict[str, np.ndarray]


def activation_family(
    gains: ArrayLike = FAMILY_GAINS,
    saturations: ArrayLike = FAMILY_SATURATIONS,
    x: ArrayLike = FAMILY_X,
) -> Family:
    """Curves of γ over a grid of (n, s) (Fig 1).

    Args:
        gains: Gains n, (L,).
        saturations: Saturations s, (M,).
        x: Arguments of γ, (K,).

    Raises:
        ValueError: An argument is not a list of finite numbers.
    """
    gains, saturations, x = (
        array(name, values, ("K",), what="a list of finite numbers")
        for name, values in (("gains", gains), ("saturations", saturations), ("x", x))
    )
    values, slopes = gamma_and_slope(x, gains[:, None, None], saturations[:, None])
    limits = {name: limit(x) for name, limit in FAMILY_LIMITS.items()}
    return Family(x, gains, saturations, values, slopes, limits)


__getattr__ = renamed(
    __name__,
    {
        "GAINS": "FAMILY_GAINS",
        "SATURATIONS": "FAMILY_SATURATIONS",
        "X": "FAMILY_X",
        "LIMITS": "FAMILY_LIMITS",
        "family": "activation_family",
    },
)
