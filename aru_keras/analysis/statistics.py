"""Means over seeds with their confidence intervals, and the t-tests of the paper."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from aru_keras.arguments import array, finite

LEVEL = 0.95
"""Of confidence intervals."""

CONSTANT = 1e-12
"""Spread, relative to the values, up to which they count as constant."""


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds.

    Attributes:
        mean: Over the seeds.
        interval: (low, high) by Student's t; None with one seed, which has no spread.
        n: Number of seeds.
        level: Of the interval.
    """

    mean: float
    interval: tuple[float, float] | None
    n: int
    level: float = LEVEL

    @property
    def half_width(self) -> float | None:
        """Half the interval; None with one seed."""
        return None if self.interval is None else (self.interval[1] - self.interval[0]) / 2

    def __str__(self) -> str:
        if self.interval is None:
            return f"{self.mean:.4g} (one seed, no interval)"
        return f"{self.mean:.4g} ± {self.half_width:.2g} ({self.level:.0%}, {self.n} seeds)"


@dataclass(frozen=True)
class TTest:
    """A two-sided t-test.

    Attributes:
        statistic: t, positive where the first sample is larger.
        p: Probability of a |t| at least as large where the means are equal.
        degrees_of_freedom: Of Student's distribution.
        n: Sizes of the two samples.
    """

    statistic: float
    p: float
    degrees_of_freedom: float
    n: tuple[int, int]

    def __str__(self) -> str:
        return f"t({self.degrees_of_freedom:g}) = {self.statistic:.3f}, p = {self.p:.3g}"


def estimate(values: Sequence[float], level: float = LEVEL) -> Estimate:
    """The mean over seeds and its confidence interval.

    Args:
        values: (seeds,).
        level: Of the interval, between 0 and 1.

    Raises:
        ValueError: There is no value, one is not finite, or the level is none.
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
        value: ρ, in [−1, 1].
        interval: (low, high) by Fisher's transform with the variance of Bonett and Wright, (1 +
            ρ²/2)/(n − 3); (−1, 1) of three points.
        n: Number of points.
        level: Of the interval.
    """

    value: float
    interval: tuple[float, float]
    n: int
    level: float = LEVEL

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.3g} ({self.level:.0%}: {low:.2g} … {high:.2g}, {self.n} points)"


def rank_correlation(
    first: Sequence[float], second: Sequence[float], level: float = LEVEL
) -> RankCorrelation:
    """Spearman's rank correlation of two lists, with its confidence interval.

    Args:
        first: (n,); −inf and inf have ranks as other numbers do.
        second: (n,).
        level: Of the interval, between 0 and 1.

    Raises:
        ValueError: The lists differ in length, have fewer than three values, hold NaN or are
            constant, or the level is none.
    """
    first, second = (
        array(name, one, ("n",), least=-np.inf, most=np.inf)
        for name, one in (("first", first), ("second", second))
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
    return all((one != one[0]).any() for one in lists)


def _fisher_interval(value, n, level):
    if n == 3:
        return -1.0, 1.0
    deviation = np.sqrt((1 + value**2 / 2) / (n - 3))
    half = stats.norm.ppf(0.5 + level / 2) * deviation
    middle = np.arctanh(np.clip(value, -1 + 1e-12, 1 - 1e-12))
    return float(np.tanh(middle - half)), float(np.tanh(middle + half))


def independent_t_test(first: Sequence[float], second: Sequence[float]) -> TTest:
    """Student's t-test of two independent samples, variances taken as equal (Fig 4d).

    Raises:
        ValueError: A sample has fewer than two values, one is not finite, or nothing varies.
    """
    first, second = _sample("first", first, 2), _sample("second", second, 2)
    _check_varies(max(np.ptp(first), np.ptp(second)), first, second)
    return _result(stats.ttest_ind(first, second), first, second)


def paired_t_test(first: Sequence[float], second: Sequence[float]) -> TTest:
    """The t-test of differences within pairs, such as two drives on one network (Fig 4d).

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


def _result(found, first, second):
    return TTest(
        float(found.statistic), float(found.pvalue), float(found.df), (len(first), len(second))
    )


def _sample(name, values, least):
    what = f"a list of at least {least} finite numbers, one a seed"
    values = array(name, values, ("seeds",), what=what)
    if len(values) < least:
        raise ValueError(f"`{name}` must be {what}. Received: {values.tolist()}.")
    return values


def _check_varies(spread, first, second):
    # Equal differences differ in their last digits.
    if spread <= CONSTANT * max(np.abs(first).max(), np.abs(second).max()):
        raise ValueError(
            "`first` and `second` must hold values that vary, for a t-test. Received: constant "
            "samples."
        )
