"""Stationary distributions and their lines over the drive, against scipy and known laws."""

import numpy as np
import pytest
from scipy import stats

from aru_keras.analysis.stationary_distribution import (
    StationaryDistribution,
    draw_recorded_states,
    draw_states,
    state_distribution,
    stationary_lines,
)


def states(mean=2.0, deviation=0.5, seed=0):
    return np.random.default_rng(seed).normal(mean, deviation, (20, 50, 10))


def test_the_moments_of_a_gaussian():
    found = state_distribution(states(), drive=5.0)
    # 10,000 draws: each is good to a few times 1/√10000 of its scale.
    assert found.mean == pytest.approx(2.0, abs=0.02)
    assert found.deviation == pytest.approx(0.5, abs=0.015)
    assert abs(found.skewness) < 0.1 and abs(found.excess_kurtosis) < 0.2
    assert found.gaussian_distance < 0.012  # Lilliefors' 1 % bound is 1.03/√n.
    assert (found.drive, found.count) == (5.0, 10_000)


def test_what_is_no_gaussian_is_told_apart():
    skewed = state_distribution(np.random.default_rng(1).exponential(size=10_000), 0.0)
    # Of the exponential law: skewness 2, excess kurtosis 6.
    assert skewed.skewness == pytest.approx(2, abs=0.3)
    assert skewed.excess_kurtosis == pytest.approx(6, abs=2.5)
    assert skewed.gaussian_distance > 0.1
    two = state_distribution(np.repeat([-1.0, 1.0], 500), 0.0)
    assert two.gaussian_distance == pytest.approx(stats.norm.cdf(1) - 0.5, abs=1e-9)


def test_the_distance_is_the_statistic_of_kolmogorov_and_smirnov():
    draws = np.random.default_rng(2).gamma(3.0, size=400)
    for values in (draws, -draws):  # The largest difference is above in one, below in the other.
        expected = stats.kstest(values, "norm", (values.mean(), values.std())).statistic
        assert state_distribution(values, 1.0).gaussian_distance == pytest.approx(expected)


def test_lines_over_the_drive_are_those_of_scipy():
    drives = np.array([0.0, 1.0, 5.0, 30.0])
    found = stationary_lines(
        [
            state_distribution(states(0.5 + 0.9 * drive, 0.3 + 0.02 * drive, k), drive)
            for k, drive in enumerate(drives)
        ]
    )
    for fit, name, slope in ((found.mean, "mean", 0.9), (found.deviation, "deviation", 0.02)):
        expected = stats.linregress(drives, [getattr(one, name) for one in found.distributions])
        assert fit["slope"] == pytest.approx(expected.slope)
        assert fit["intercept"] == pytest.approx(expected.intercept)
        assert fit.error("slope") == pytest.approx(expected.stderr)
        assert fit.r_squared == pytest.approx(expected.rvalue**2)
        assert fit["slope"] == pytest.approx(slope, rel=0.03)


def test_two_drives_make_no_line_with_errors():
    found = stationary_lines([state_distribution(states(), drive) for drive in (0.0, 1.0)])
    assert found.mean.failed and found.deviation.failed


def test_initial_conditions_follow_the_distribution():
    found = state_distribution(states(), 5.0)
    start = draw_states(found, 300, 100)
    assert start.shape == (300, 100)
    again = state_distribution(start, 5.0)
    assert again.mean == pytest.approx(found.mean, abs=0.02)
    assert again.deviation == pytest.approx(found.deviation, rel=0.03)
    np.testing.assert_array_equal(start, draw_states(found, 300, 100))
    assert not np.array_equal(start, draw_states(found, 300, 100, seed=1))


def test_recorded_initial_conditions_are_whole_states_of_the_network():
    h = np.arange(24.0).reshape(2, 4, 3)
    start = draw_recorded_states(h, 8)
    np.testing.assert_array_equal(np.sort(start, axis=0), h.reshape(8, 3))


def test_states_without_a_distribution_are_refused():
    with pytest.raises(ValueError, match="`h` must vary"):
        state_distribution(np.ones(50), 1.0)
    with pytest.raises(ValueError, match="finite"):
        state_distribution([1.0, np.nan, 2.0], 1.0)
    with pytest.raises(ValueError, match=r"`count` must be at most the 8 states .* Received: 9"):
        draw_recorded_states(np.zeros((2, 4, 3)), 9)
    with pytest.raises(ValueError, match="`count`"):
        draw_states(StationaryDistribution(0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 10), 0, 3)
