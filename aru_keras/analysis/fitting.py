"""Least-squares fits of the paper's curves, with standard errors, or the reason why a fit failed.

All curves but the line have the form a·φ + c with φ = exp(−k·z), where z is x or log x. For a given
k, the best a and c follow by linear least squares, so only k is searched: on a fine grid, and then
by refinement from the best point of the grid. The result does not depend on an initial guess.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, stats

from aru_keras._util.arguments import array, finite, one_of
from aru_keras._util.deprecated import renamed
from aru_keras.analysis._checks import ROUNDING, is_constant

_FLATTEST = 0.02
"""Smallest change of log φ over the data that is searched; below it the curve is nearly a line."""

_STEEPEST = 10.0
"""Largest change of log φ between the two nearest points that is searched."""

_STARTS_PER_DECADE = 20

_CONSTANT = ROUNDING

_CONDITION_LIMIT = 1e6
"""Condition number of the scaled Jacobian above which the parameters count as undetermined."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A curve fitted to points, or the reason why there is none.

    Attributes:
        curve: Formula of the curve.
        names: Names of the P parameters.
        values: Values of the parameters, (P,); empty if the fit failed.
        errors: Standard errors of the parameters, (P,); empty if the fit failed.
        r_squared: 1 − residual / total sum of squares; None if the fit failed.
        points: Number of points.
        reason: Reason why the fit failed; None if it did not.
    """

    curve: str
    names: tuple[str, ...]
    values: np.ndarray
    errors: np.ndarray
    r_squared: float | None
    points: int
    reason: str | None = None

    @property
    def failed(self) -> bool:
        """Whether the fit failed."""
        return self.reason is not None

    def __getitem__(self, name: str) -> float:
        """The value of a parameter.

        Raises:
            ValueError: There is no such parameter, or the fit failed.
        """
        return float(self._require(self.values)[self._index(name)])

    def error(self, name: str) -> float:
        """The standard error of a parameter. Raises as `__getitem__` does."""
        return float(self._require(self.errors)[self._index(name)])

    def interval(self, name: str, level: float = 0.95) -> tuple[float, float]:
        """The confidence interval of a parameter, by Student's t. Raises as `__getitem__` does."""
        if not 0 < finite("level", level) < 1:
            raise ValueError(f"`level` must be between 0 and 1. Received: {level}.")
        half = stats.t.ppf(0.5 + level / 2, self.points - len(self.names)) * self.error(name)
        return self[name] - half, self[name] + half

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The curve at x.

        Raises:
            ValueError: The fit failed.
        """
        return FORMULAS[self.curve](array("x", x), *self._require(self.values))

    def __str__(self) -> str:
        if self.failed:
            return f"{self.curve}: no fit, {self.reason}"
        pairs = zip(self.names, self.values, self.errors, strict=True)
        listed = ", ".join(f"{name} = {value:.4g} ± {error:.2g}" for name, value, error in pairs)
        return f"{self.curve}: {listed}, R² = {self.r_squared:.3f}"

    def _require(self, numbers):
        if self.failed:
            raise ValueError(f"There is no fit of {self.curve}: {self.reason}. Ask `failed` first.")
        return numbers

    def _index(self, name):
        return self.names.index(one_of("name", name, self.names))


POWER_LAW = "a·x^(−b) + c"
EXPONENTIAL = "a·exp(−b·x) + c"
DECAY = "a·exp(−t/τ) + c"
LINE = "slope·x + intercept"

FORMULAS: dict[str, Callable] = {
    POWER_LAW: lambda x, a, b, c: a * x**-b + c,
    EXPONENTIAL: lambda x, a, b, c: a * np.exp(-b * x) + c,
    DECAY: lambda t, a, tau, c: a * np.exp(-t / tau) + c,
    LINE: lambda x, slope, intercept: slope * x + intercept,
}
"""The curves by their formulas."""


def fit_power_law(x: ArrayLike, y: ArrayLike) -> Fit:
    """Fit y = a·x^(−b) + c, with b of either sign (n∞ over ξ: Geadah et al. 2024, Fig 3b).

    Args:
        x: Positive numbers, (K,).
        y: Values at x, (K,).

    Raises:
        ValueError: Shapes differ, a number is not finite, or an x is not positive.
    """
    x, y = _points(x, y)
    if (x <= 0).any():
        raise ValueError(
            f"`x` of a power law must be positive. Received: {x.min()}. Leave such points out."
        )
    return _separable(POWER_LAW, ("a", "b", "c"), np.log(x), y)


def fit_exponential(x: ArrayLike, y: ArrayLike) -> Fit:
    """Fit y = a·exp(−b·x) + c, with b of either sign (s∞ over ξ: Fig 3b). Raises as `fit_line`."""
    x, y = _points(x, y)
    return _separable(EXPONENTIAL, ("a", "b", "c"), x, y)


def fit_decay(t: ArrayLike, y: ArrayLike) -> Fit:
    """Fit y = a·exp(−t/τ) + c, with τ > 0 in the units of t (n_t and s_t after onset: Fig 4a).

    The fit fails for data that grow exponentially (τ < 0). Raises as `fit_line`.
    """
    t, y = _points(t, y, "t")
    return _separable(DECAY, ("a", "tau", "c"), t, y, signs=(1,))


def fit_line(x: ArrayLike, y: ArrayLike) -> Fit:
    """Fit y = slope·x + intercept.

    Args:
        x: Numbers, (K,).
        y: Values at x, (K,).

    Raises:
        ValueError: Shapes differ, or a number is not finite.
    """
    x, y = _points(x, y)
    names = ("slope", "intercept")
    reason = _obstacle(x, y, len(names))
    if reason:
        return _failure(LINE, names, y, reason)
    middle = x.mean()
    jacobian = np.stack([x - middle, np.ones_like(x)], axis=1)
    slope, level = np.linalg.lstsq(jacobian, y)[0]
    # The fit is about the mean of x, where slope and level are uncorrelated; `back` undoes this.
    return _result(
        LINE,
        names,
        y,
        values=np.array([slope, level - slope * middle]),
        residual=y - jacobian @ [slope, level],
        jacobian=jacobian,
        back=np.array([[1.0, 0.0], [-middle, 1.0]]),
    )


def _separable(curve, names, z, y, signs=(1, -1)):
    """The fit of a·exp(−k·z) + c. The search is for κ, the rate k for z scaled to [0, 1]."""
    reason = _obstacle(z, y, len(names))
    if reason:
        return _failure(curve, names, y, reason)
    span = np.ptp(z)
    u = (z - z.min()) / span
    rate, reason = _best_rate(u, y, signs)
    if reason:
        return _failure(curve, names, y, reason)
    shape, (a,), (c,) = _linear_part(u, y, rate)
    # φ is 1 at its larger end: at u = 0 where it falls, at u = 1 where it grows.
    anchor = z.min() + span * (rate < 0)
    k, scale = rate / span, np.exp(rate / span * anchor)
    jacobian = np.stack([shape, -a * (z - anchor) * shape, np.ones_like(z)], axis=1)
    back = np.array([[scale, a * anchor * scale, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    values = np.array([a * scale, k, c])
    if curve == DECAY:
        values[1], back[1, 1] = 1 / k, -1 / k**2
    return _result(curve, names, y, values, y - a * shape - c, jacobian, back)


def _best_rate(u, y, signs):
    """The rate κ with the least sum of squares, and the reason why there is none, or None."""
    gaps = np.diff(np.unique(u))
    low, high = np.log10(_FLATTEST), np.log10(_STEEPEST / gaps.min())
    exponents = np.linspace(low, high, int(_STARTS_PER_DECADE * (high - low)) + 2)
    tried = _squares(u, y, np.multiply.outer(signs, 10**exponents))
    sign, index = np.unravel_index(tried.argmin(), tried.shape)
    if index == 0:
        return None, "the data do not bend: a line describes them as well"
    if index == len(exponents) - 1:
        return None, "the data jump: the change is too fast for the points"
    minimum = optimize.minimize_scalar(
        lambda exponent: _squares(u, y, signs[sign] * 10**exponent),
        bounds=(exponents[index - 1], exponents[index + 1]),
        method="bounded",
        options={"xatol": 1e-10},
    )
    return signs[sign] * 10**minimum.x, None if minimum.success else "no convergence"


def _squares(u, y, rates):
    """The least sum of squares for each rate, in the shape of `rates`."""
    shape, a, c = _linear_part(u, y, np.asarray(rates)[..., None])
    return np.sum((y - a * shape - c) ** 2, axis=-1)


def _linear_part(u, y, rate):
    """φ, scaled to at most 1, and the best a and c for it, over the last axis."""
    shape = np.exp(-rate * (u - (rate < 0)))
    centred = shape - shape.mean(axis=-1, keepdims=True)
    a = np.sum(centred * y, axis=-1, keepdims=True) / np.sum(centred**2, axis=-1, keepdims=True)
    return shape, a, y.mean() - a * shape.mean(axis=-1, keepdims=True)


def _result(curve, names, y, values, residual, jacobian, back):
    """The fit; `back` transforms the covariance s²(JᵀJ)⁻¹ to that of the parameters."""
    size = np.linalg.norm(jacobian, axis=0)
    if not size.all() or np.linalg.cond(jacobian / size) > _CONDITION_LIMIT:
        return _failure(curve, names, y, "the points do not determine all parameters")
    inverse = np.linalg.pinv(jacobian / size) / size[:, None]
    variance = residual @ residual / (len(y) - len(names))
    errors = np.sqrt(variance) * np.linalg.norm(back @ inverse, axis=1)
    if not (np.isfinite(values).all() and np.isfinite(errors).all()):
        return _failure(curve, names, y, "the parameters leave the range of numbers")
    deviation = y - y.mean()
    r_squared = 1 - float(residual @ residual / (deviation @ deviation))
    return Fit(curve, names, values, errors, r_squared, len(y))


def _obstacle(x, y, count):
    """The reason why there can be no fit with this number of parameters, or None."""
    if len(y) <= count or len(np.unique(x)) < count:
        return f"{count} parameters need more than {count} points, at {count} or more different x"
    if is_constant(y):
        return "the data are constant"
    return None


def _failure(curve, names, y, reason):
    return Fit(curve, names, np.empty(0), np.empty(0), None, len(y), reason)


def _points(x, y, of_x="x"):
    shapes, expected = (("K",), (0,)), "finite, of shape (K,)"
    points = [array(name, values, *shapes, what=expected) for name, values in ((of_x, x), ("y", y))]
    if len(points[0]) != len(points[1]):
        raise ValueError(
            f"`{of_x}` and `y` must be (K,) each. Received: shapes {points[0].shape} and "
            f"{points[1].shape}."
        )
    return points


__getattr__ = renamed(
    __name__,
    {
        "CONSTANT": "_CONSTANT",
        "FLATTEST": "_FLATTEST",
        "STEEPEST": "_STEEPEST",
        "STARTS_PER_DECADE": "_STARTS_PER_DECADE",
        "CONDITION_LIMIT": "_CONDITION_LIMIT",
        "line": "fit_line",
        "decay": "fit_decay",
        "exponential": "fit_exponential",
        "power_law": "fit_power_law",
    },
)
