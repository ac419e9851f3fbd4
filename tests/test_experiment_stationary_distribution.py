"""Experiment 16: π(ξ)."""

import numpy as np
from stability import DRIVES, STATIONARY, conclude, verdicts

from aru_keras.analysis.stationary_distribution import state_distribution, unit_gaussian_distances


def moments(distances, mean, deviation):
    """Of each unit and of the mean over units the distance from a Gaussian."""
    drives = np.array(DRIVES, "float64")
    columns = [mean(drives), deviation(drives), 0, 0, 0.5, 100]
    found = np.stack([np.broadcast_to(one, drives.shape) for one in columns], axis=-1)
    gaussian = np.broadcast_to(distances, (len(drives), 2))
    quantiles = np.zeros((len(drives), 10))
    return {"drives": drives, "moments": found, "gaussian": gaussian, "quantiles": quantiles}


def test_stationary_claims_follow_the_moments():
    def line(drive):
        return 2 + 3 * drive

    def wave(drive):
        return 2 + (drive == 1)

    def claimed(*arguments):
        return verdicts(STATIONARY, {"arun": [moments(*arguments)]})

    # Pooled units are far from Gaussian here, and nothing is claimed of them.
    assert claimed([0.04, 0.03], line, line) == [True, True, True, True]
    assert claimed([0.06, 0.04], line, wave) == [False, True, True, False]
    constant = moments([0.04, 0.06], np.ones_like, line)
    assert verdicts(STATIONARY, {"arun": [constant]}) == [True, False, None, True]
    assert verdicts(STATIONARY, {"relu": [constant]}) == []
    assert conclude(STATIONARY, {"arun": [constant]}).verdict == "shown"  # One seed.


def test_units_of_different_means_are_gaussian_each_and_not_together():
    h = np.random.default_rng(0).normal(loc=[0, 5, 10], size=(4000, 3))
    distances = unit_gaussian_distances(h.reshape(40, 100, 3))
    assert distances.shape == (3,) and distances.max() < 0.02
    assert state_distribution(h, 1.0).gaussian_distance > 0.1
    assert state_distribution(h.mean(axis=-1), 1.0).gaussian_distance < 0.02
    constant = np.concatenate([h, np.ones((4000, 1))], axis=1)
    np.testing.assert_array_equal(unit_gaussian_distances(constant), distances)
