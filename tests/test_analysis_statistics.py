"""Means over seeds and t-tests, against tables, by hand and against scipy."""

import numpy as np
import pytest
from scipy import stats

from aru_keras.analysis import statistics
from aru_keras.analysis.statistics import rank_correlation

# Student, "The probable error of a mean" (1908): hours of sleep gained with two drugs.
FIRST = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SECOND = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def test_the_paired_test_is_the_one_that_student_computed():
    found = statistics.paired_t_test(SECOND, FIRST)
    # As R gives it: t = 4.0621, df = 9, p-value = 0.002833.
    assert found.statistic == pytest.approx(4.0621, abs=5e-5)
    assert found.p == pytest.approx(0.002833, abs=5e-7)
    assert found.degrees_of_freedom == 9 and found.n == (10, 10)


def test_the_independent_test_pools_the_variances():
    found = statistics.independent_t_test(FIRST, SECOND[:7])
    a, b = np.array(FIRST), np.array(SECOND[:7])
    pooled = (9 * a.var(ddof=1) + 6 * b.var(ddof=1)) / 15
    expected = (a.mean() - b.mean()) / np.sqrt(pooled * (1 / 10 + 1 / 7))
    assert found.statistic == pytest.approx(expected, rel=1e-12)
    assert found.degrees_of_freedom == 15 and found.n == (10, 7)
    # R, t.test(extra ~ group, var.equal = TRUE) of all ten: p-value = 0.07919.
    assert statistics.independent_t_test(FIRST, SECOND).p == pytest.approx(0.07919, abs=5e-6)


def test_the_interval_is_that_of_the_table_of_t():
    found = statistics.estimate([1.0, 2.0, 3.0, 4.0, 5.0])
    # t(0.975, 4) = 2.776445; the standard error of 1…5 is √(2.5/5).
    half = 2.776445 * np.sqrt(0.5)
    assert found.mean == 3 and found.n == 5
    assert found.interval == pytest.approx((3 - half, 3 + half), abs=1e-6)
    assert found.half_width == pytest.approx(half, abs=1e-6)
    assert "5 seeds" in str(found)


def test_intervals_cover_the_mean_as_often_as_they_say():
    draws = np.random.default_rng(0).normal(size=(2000, 5))
    intervals = np.array([statistics.estimate(row, 0.9).interval for row in draws])
    inside = (intervals[:, 0] < 0) & (intervals[:, 1] > 0)
    # Four standard deviations of a binomial: 4·√(.9·.1/2000) = 0.027.
    assert inside.mean() == pytest.approx(0.9, abs=0.027)


def test_one_seed_has_no_interval_and_says_so():
    found = statistics.estimate([0.5])
    assert found.mean == 0.5 and found.interval is None and found.half_width is None
    assert "one seed" in str(found)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: statistics.estimate([]), "at least 1 finite"),
        (lambda: statistics.estimate([1.0, np.nan]), "`values` must be .* finite"),
        (lambda: statistics.estimate([1.0, 2.0], level=95), "between 0 and 1"),
        (lambda: statistics.independent_t_test([1.0], [1.0, 2.0]), "`first` must be .* at least 2"),
        (lambda: statistics.independent_t_test([1.0, 2.0], [1.0, np.inf]), "`second` must be"),
        (lambda: statistics.independent_t_test([1, 1], [2, 2]), "constant"),
        (lambda: statistics.paired_t_test([1, 2, 3], [1, 2]), "must be pairs"),
        (lambda: statistics.paired_t_test([0.1, 0.2, 0.3], [0.2, 0.3, 0.4]), "constant"),
    ],
)
def test_what_has_no_answer_is_an_error(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_rank_correlation_is_spearmans_and_its_interval_covers_as_often_as_it_says():
    draws = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        # Spearman's ρ of a bivariate Gaussian with correlation r is 6/π·asin(r/2).
        pair = draws.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=30).T
        found = rank_correlation(*pair)
        assert found.value == pytest.approx(stats.spearmanr(*pair).statistic, abs=1e-12)
        covered += found.interval[0] < 6 / np.pi * np.arcsin(0.3) < found.interval[1]
    # Four standard errors of a share of 400.
    assert covered / 400 == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 400))


def test_a_correlation_of_few_points_is_uncertain():
    found = rank_correlation(range(15), [0, 9, 3, 12, 1, 14, 5, 8, 13, 2, 6, 11, 4, 10, 7])
    low, high = found.interval
    assert low < 0 < found.value < high and str(found).endswith("15 points)")
    assert rank_correlation([1, 2, 3], [1, 2, 3]).interval == (-1, 1)
    assert rank_correlation([1, 2, 3, -np.inf], [2, 3, 4, 0]).value == pytest.approx(1)


def test_perfect_order_of_few_points_is_uncertain_too():
    # Four points have ρ = 0.8 next to 1: artanh(0.8) − 1.959964·√1.32 = −1.1532149.
    found = rank_correlation([1, 2, 3, 4], [10, 20, 30, 40])
    assert found.interval == pytest.approx((np.tanh(-1.1532149), 1), abs=1e-6)
    assert str(found) == "1 (95%: -0.82 … 1, 4 points)"
    low, high = rank_correlation([1, 2, 3, 4], [4, 3, 2, 1]).interval
    assert (-high, -low) == pytest.approx(found.interval)


@pytest.mark.parametrize("n", [4, 5, 8, 30, 1000])
def test_the_more_points_are_in_perfect_order_the_narrower_is_the_interval(n):
    points = np.arange(n)
    (low, high), swapped = rank_correlation(points, points).interval, points.copy()
    assert high == 1 and -1 < low < 1
    assert low > rank_correlation(points[:-1], points[:-1]).interval[0]
    swapped[[0, 1]] = swapped[[1, 0]]
    below = rank_correlation(points, swapped)
    assert below.value == pytest.approx(1 - 12 / (n**3 - n), abs=1e-12)
    assert below.interval[0] == pytest.approx(low, abs=1e-9) and below.interval[1] <= 1
    tied = rank_correlation(points, np.maximum(points, 1))
    assert below.value < tied.value < 1 and tied.interval[0] == pytest.approx(low, abs=1e-9)


def test_very_many_points_in_perfect_order_have_an_interval():
    low, high = rank_correlation(range(50_000), range(50_000)).interval
    assert high == 1 and low == pytest.approx(1, abs=1e-9)


def test_intervals_of_strong_correlations_cover_as_often_as_weak_ones():
    draws, covered = np.random.default_rng(0), 0
    for _ in range(400):
        pair = draws.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], size=5).T
        low, high = rank_correlation(*pair).interval
        covered += low < 6 / np.pi * np.arcsin(0.45) < high
    assert covered / 400 > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 400)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2, 3], [1, 2]), "lists of one length"),
        (([1, 2], [1, 2]), "three numbers or more"),
        (([1, 2, 3], [1, 1, 1]), "numbers that vary"),
        (([1, 2, np.nan], [1, 2, 3]), "`first` must be"),
        (([1, 2, 3], [1, 2, 3], 1.0), "`level`"),
    ],
)
def test_what_cannot_be_correlated_is_an_error(arguments, message):
    with pytest.raises(ValueError, match=message):
        rank_correlation(*arguments)
