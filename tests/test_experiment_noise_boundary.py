"""Experiment 15: depth inside the noise boundary."""

import numpy as np
import pytest
from stability import ADAPTED, BOUNDARY, DRIVES, PRESET, UNITS, network, verdicts

from aru_keras.analysis.transients import measure_transients
from aru_keras.runners.experiments import measured


@pytest.fixture(scope="module")
def arun():
    return network("arun")


def test_points_of_the_boundary_are_onset_and_steady_state_of_the_transients(arun):
    found = BOUNDARY.measure(arun, PRESET)
    for place, one in enumerate(
        measure_transients(arun.model, measured.recorded(arun, PRESET), DRIVES)
    ):
        for name, level in (("onset", "onset"), ("late", "steady")):
            expected = [getattr(course, level) for course in (one.n, one.s)]
            # Means of float32 signals in another order.
            np.testing.assert_allclose(found[name][place].mean(axis=-1), expected, rtol=1e-6)


def points(onset, late):
    """Points with these s; at n = 5 and ξ ≥ 2.5 the boundary is within 1e-5 of s = 0."""
    shape = (len(DRIVES), 2, UNITS)
    pair = [np.broadcast_to(np.array([[5.0], [s]]), shape) for s in (onset, late)]
    return {
        "drives": np.array(DRIVES),
        "onset": pair[0],
        "late": pair[1],
        "adaptation": ADAPTED,
    }


def test_boundary_claims_follow_the_points():
    assert verdicts(BOUNDARY, {"arun": [points(0.1, 0.02)]}) == [True, True, True]
    assert verdicts(BOUNDARY, {"arun": [points(0.1, -0.02)]}) == [True, False, True]
    assert verdicts(BOUNDARY, {"arun": [points(-0.1, 0.2)]}) == [False, True, False]
    assert verdicts(BOUNDARY, {"arun": [points(-0.1, -0.02)]}) == [False, False, False]
    unmoved = {**points(0.1, 0.02), "adaptation": ADAPTED[::-1]}
    assert verdicts(BOUNDARY, {"arun": [unmoved]}) == [None, None, None]
