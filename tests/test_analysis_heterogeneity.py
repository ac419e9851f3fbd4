"""Clouds of (n, s), against known points and numpy."""

import numpy as np
import pytest

from aru_keras import ARU, GammaRNN, models
from aru_keras.analysis.heterogeneity import Cloud, cloud_shifts, parameter_cloud


def layer(n, s, shared=False):
    made = GammaRNN(np.size(n) if not shared else 4, shared=shared)
    made.build((1, 3, 1))
    made.cell.n.assign(n)
    made.cell.s.assign(s)
    return made


def test_a_cloud_holds_the_units_of_all_networks():
    found = parameter_cloud(layer([1.0, 2.0], [0.0, 0.5]), layer([3.0], [1.0]))
    np.testing.assert_array_equal(found.points, [[1, 0], [2, 0.5], [3, 1]])
    model = models.build_network("gamma", (5, 1), units=6)
    assert parameter_cloud(model).points.shape == (6, 2)


def test_mean_covariance_and_spread():
    found = Cloud([[1, 0], [3, 0], [1, 2], [3, 2]])
    np.testing.assert_array_equal(found.mean, [2, 1])
    np.testing.assert_array_equal(found.covariance, np.eye(2))
    assert found.spread == pytest.approx(np.sqrt(2))
    points = np.random.default_rng(0).normal(size=(50, 2))
    np.testing.assert_allclose(Cloud(points).covariance, np.cov(points.T, ddof=0))


def test_a_homogeneous_network_is_one_point():
    found = parameter_cloud(layer(5.5, 0.25, shared=True))
    np.testing.assert_array_equal(found.points, [[5.5, 0.25]] * 4)
    # Numbers whose mean is rounded, too.
    for one in (found, Cloud([[6.2, 0.1]] * 7)):
        assert one.spread == 0 and not one.covariance.any()


def test_shifts_tell_moving_from_spreading():
    start = Cloud([[5, 0], [5, 0]])
    apart = Cloud([[4, 0], [6, 0]])  # Spread by 1, the mean in place.
    moved = Cloud([[7, 8], [9, 8], [8, 8]])  # The mean by (3, 8), another number of units.
    first, second = cloud_shifts({"start": start, "psmnist": apart, "rotated": moved})
    assert (first.start, first.end, second.end) == ("start", "psmnist", "rotated")
    assert first.distance == 0 and first.displacement == 1 and first.growth is None
    assert second.distance == pytest.approx(np.hypot(3, 8)) and second.displacement is None
    assert second.growth == pytest.approx(np.sqrt(2 / 3))


def test_what_does_not_fit_is_an_error():
    adaptive = ARU(3, 2)
    adaptive.build((1, 3, 1))
    with pytest.raises(ValueError, match="static n and s"):
        parameter_cloud(adaptive)
    with pytest.raises(ValueError, match=r"\(N, 2\)"):
        Cloud(np.ones(4))
    with pytest.raises(ValueError, match="finite"):
        Cloud([[1, np.nan]])
    with pytest.raises(ValueError, match="two clouds"):
        cloud_shifts({"start": Cloud([[1, 0]])})
