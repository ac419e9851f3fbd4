"""Means over seeds with their confidence intervals, and the t-tests of the paper."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from aru_keras._util.arguments import array, finite
from aru_keras._util.deprecated import renamed

CONFIDENCE_LEVEL = 0.95
"""Level of confidence intervals."""

_CONSTANT = 1e-12
"""Range of values, relative to their size, up to which they count as constant."""

_ROUNDING = 1e-12
"""Distance from 1 within which a correlation counts as 1."""


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds.

    Attributes:
        mean: Mean over the seeds.
        interval: Confidence interval (low, high) by Student's t; None for a single seed.
        n: Number of seeds.
        level: Level of the interval.
    """

    mean: float
    interval: tuple[float, float] | None
    n: int
    level: float = CONFIDENCE_LEVEL

    @property
    def half_width(self) -> float | None:
        """Half the width of the interval; None for a single seed."""
        return None if self.interval is None else (self.interval[1] - self.interval[0]) / 2

    def __str__(self) -> str:
        if self.interval is None:
            return f"{self.mean:.4g} (one seed, no interval)"
        return f"{self.mean:.4g} ± {self.half_width:.2g} ({self.level:.0%}, {self.n} seeds)"


@dataclass(frozen=True)
class TTest:
    """A two-sided t-test.

    Attributes:
        statistic: Statistic t, positive if the mean of the first sample is larger.
        p: Probability of a |t| at least as large if the means are equal.
        degrees_of_freedom: Degrees of freedom of Student's distribution.
        n: Sizes of the two samples.
    """

    statistic: float
    p: float
    degrees_of_freedom: float
    n: tuple[int, int]

    def __str__(self) -> str:
        return f"t({self.degrees_of_freedom:g}) = {self.statistic:.3f}, p = {self.p:.3g}"


def estimate(values: ArrayLike, level: float = CONFIDENCE_LEVEL) -> Estimate:
    """The mean over seeds and its confidence interval.

    Args:
        values: Values, one for each seed, (seeds,).
        level: Level of the interval, between 0 and 1.

    Raises:
        ValueError: There is no value, one is not finite, or the level is not between 0 and 1.
    """
    values = _sample("values", values, 1)
    if not 0 < finite("level", level) < 1:
        raise ValueError(f"`level` must be between 0 and 1. Received: {level!r}.")
    mean, n = float(values.mean()), len(values)
    if n == 1:
        return Estimate(mean, None, 1, level)
    half = float(stats.t.ppf(0.5 + level / 2, n - 1) * values.std(ddof=1) / np.sqrt(n))
    return Estimate(mean, (mean - half, mean + half), n, level)


@dataclass(frozen=True)
class RankCorrelation:
    """Spearman's rank correlation.

    Attributes:
        value: Correlation ρ, in [−1, 1].
        interval: Confidence interval (low, high) by Fisher's transform, with the variance
            (1 + ρ²/2)/(n − 3) of Bonett and Wright; (−1, 1) for three points. The transform
            diverges at |ρ| = 1, which few points reach by chance. There one end is ρ, and the
            other is that of the interval of ±(1 − 12/(n³ − n)), the nearest value that n points
            without ties can have. A |ρ| between the two, which ties make, has this end too.
        n: Number of points.
        level: Level of the interval.
    """

    value: float
    interval: tuple[float, float]
    n: int
    level: float = CONFIDENCE_LEVEL

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.3g} ({self.level:.0%}: {low:.2g} … {high:.2g}, {self.n} points)"


def rank_correlation(
    first: ArrayLike, second: ArrayLike, level: float = CONFIDENCE_LEVEL
) -> RankCorrelation:
    """Spearman's rank correlation of two lists, with its confidence interval.

    Args:
        first: Numbers, (n,); −inf and inf have ranks like other numbers.
        second: Numbers, (n,).
        level: Level of the interval, between 0 and 1.

    Raises:
        ValueError: The lists differ in length, have fewer than three values, hold NaN or are
            constant, or the level is not between 0 and 1.
    """
    first, second = (
        array(name, values, ("n",), least=-np.inf, most=np.inf)
        for name, values in (("first", first), ("second", second))
    )
    if first.shape != second.shape or len(first) < 3:
        raise ValueError(
            "`first` and `second` must be lists of one length, three numbers or more. Received: "
            f"shapes {first.shape} and {second.shape}."
        )
    if not _vary(first, second):
        raise ValueError(
            "`first` and `second` must be numbers that vary, to be correlated. Received: a "
            "constant list."
        )
    if not 0 < finite("level", level) < 1:
        raise ValueError(f"`level` must be between 0 and 1. Received: {level!r}.")
    value, n = float(np.corrcoef(stats.rankdata(first), stats.rankdata(second))[0, 1]), len(first)
    return RankCorrelation(value, _fisher_interval(value, n, level), n, level)


def _vary(*lists):
    return all((values != values[0]).any() for values in lists)


def _fisher_interval(value, n, level):
    if n == 3:
        return -1.0, 1.0
    size, nearest_to_one = abs(value), 1 - max(12 / (n**3 - n), _ROUNDING)
    inner = _fisher_end(min(size, nearest_to_one), n, -level)
    outer = 1.0 if size > 1 - _ROUNDING else _fisher_end(size, n, level)
    return (inner, outer) if value >= 0 else (-outer, -inner)


def _fisher_end(value, n, level):
    """The end above ρ of the interval of a level, or below ρ of that of −level."""
    deviation = np.sqrt((1 + value**2 / 2) / (n - 3))
    return float(np.tanh(np.arctanh(value) + stats.norm.ppf(0.5 + level / 2) * deviation))


def independent_t_test(first: ArrayLike, second: ArrayLike) -> TTest:
    """Student's t-test of two independent samples with equal variances (Fig 4d).

    Raises:
        ValueError: A sample has fewer than two values, one is not finite, or nothing varies.
    """
    first, second = _sample("first", first, 2), _sample("second", second, 2)
    _check_varies(max(np.ptp(first), np.ptp(second)), first, second)
    return _result(stats.ttest_ind(first, second), first, second)


def paired_t_test(first: ArrayLike, second: ArrayLike) -> TTest:
    """The paired t-test, such as of two drives on the same networks (Fig 4d).

    Raises:
        ValueError: The samples differ in size or have fewer than two values, a value is not
            finite, or all differences are equal.
    """
    first, second = _sample("first", first, 2), _sample("second", second, 2)
    if len(first) != len(second):
        raise ValueError(
            "`first` and `second` must be pairs. Received: "
            f"{len(first)} and {len(second)} values. Use independent_t_test for samples apart."
        )
    _check_varies(np.ptp(first - second), first, second)
    return _result(stats.ttest_rel(first, second), first, second)


def _result(test, first, second):
    return TTest(
        float(test.statistic), float(test.pvalue), float(test.df), (len(first), len(second))
    )


def _sample(name, values, least):
    expected = f"a list of at least {least} finite numbers, one for each seed"
    values = array(name, values, ("seeds",), what=expected)
    if len(values) < least:
        raise ValueError(f"`{name}` must be {expected}. Received: {values.tolist()}.")
    return values


def _check_varies(spread, first, second):
    # Differences that are equal can still differ in their last digits.
    if spread <= _CONSTANT * max(np.abs(first).max(), np.abs(second).max()):
        raise ValueError(
            "`first` and `second` must hold values that vary, for a t-test. Received: constant "
            "samples."
        )


__getattr__ = renamed(__name__, {"LEVEL": "CONFIDENCE_LEVEL", "CONSTANT": "_CONSTANT"})
