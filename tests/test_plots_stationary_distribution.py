"""The figure of π(ξ) holds what it is given."""

import numpy as np
import pytest
from figures import rng

from aru_keras.analysis.stationary_distribution import state_distribution, stationary_lines
from aru_keras.plots import stationary_distribution


def test_stationary_distributions_and_their_lines():
    states = {drive: rng(1).normal(drive, 1, 500) for drive in (0.0, 1.0, 5.0)}
    found = stationary_lines([state_distribution(h, drive) for drive, h in states.items()])
    left, middle, right = stationary_distribution.state_distributions(states, found).axes
    density = left.patches[0].get_data().values
    assert np.sum(density) * 8 / len(density) == pytest.approx(1, abs=0.01)
    points, line = middle.get_lines()
    np.testing.assert_allclose(points.get_ydata(), [one.mean for one in found.distributions])
    np.testing.assert_allclose(line.get_ydata(), found.mean([0.0, 1.0, 5.0]))
    # The same noise under each drive: constant deviations, which rounding alone tells apart.
    assert found.deviation.failed and len(right.get_lines()) == 1
    assert right.texts[0].get_text() == "no line"
