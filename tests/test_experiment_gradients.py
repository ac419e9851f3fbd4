"""Experiment 19: gradients through time."""

import numpy as np
import pytest
from adapting import GRADIENTS, TINY, holds, measured

from aru_keras.runners.experiments.results import Results


def test_gradients_are_concluded_for_one_network(tmp_path):
    found = GRADIENTS.conclude(measured(GRADIENTS, ["gamma"], tmp_path), TINY)
    assert found.figures and not found.claims
    assert [row[0] for row in found.tables[0].rows] == ["RNN+γ"]
    found = GRADIENTS.conclude(measured(GRADIENTS, ["relu"], tmp_path), TINY)
    assert len(found.claims) == 2 and all("ReLU" in claim.text for claim in found.claims)


def propagated(contributions, scale=1.0):
    """Arrays of experiment 19; the norms add up as if all terms pointed one way."""
    contributions = scale * np.concatenate([[0.0], contributions])
    return {
        "contributions": contributions,
        "detached": np.cumsum(contributions[::-1])[::-1],
    }


RISING, FALLING, STEEP = np.linspace(1, 3, 30), np.linspace(3, 1, 30), np.linspace(0.1, 3, 30)


def turning():
    """The first eight positions pull the other way: the norm falls from 38, at length 22, to 16."""
    arrays = propagated(FALLING)
    pulls = np.where(np.arange(31) < 9, -1, 1) * arrays["contributions"]
    return {**arrays, "detached": np.cumsum(pulls[::-1])[::-1]}


TURNING = turning()


@pytest.mark.parametrize(
    ("arun", "gamma", "relu", "expected"),
    [
        (TURNING, propagated(STEEP, 20), propagated(RISING, 30), [True] * 7),
        (TURNING, propagated(STEEP, 2), propagated(RISING, 30), [1, 1, 1, 1, 0, 1, 1]),
        (TURNING, propagated(STEEP, 20), propagated(RISING, 2), [1, 1, 1, 1, 1, 0, 1]),
        (propagated(RISING), propagated(STEEP, 20), propagated(RISING, 30), [1, 1, 1, 0, 1, 1, 0]),
        (TURNING, propagated(STEEP, 20), propagated(FALLING, 30), [1, 0, 1, 1, 1, 1, 1]),
        (TURNING, propagated(FALLING, 20), propagated(RISING, 30), [1, 1, 0, 1, 1, 1, 1]),
    ],
)
def test_gradients_are_judged_by_length_size_and_position(arun, gamma, relu, expected):
    results = Results({"arun": [arun] * 3, "gamma": [gamma] * 3, "relu": [relu] * 3})
    assert holds(GRADIENTS, results) == [bool(one) for one in expected]


def test_gradients_are_held_against_each_other_over_the_whole_sequence():
    arun, relu = propagated(FALLING), propagated(RISING)
    arun["detached"][0], relu["detached"][0] = 0.02, 2
    claims = GRADIENTS.conclude(Results({"arun": [arun] * 3, "relu": [relu] * 3}), TINY).claims
    assert "of ReLU" in claims[3].text and claims[3].evidence.startswith("2 ±")  # 10² times.
    # At a tenth of 31 steps the last three terms add up: 3 + 2.93 + 2.86 = 8.8, more than 2.
    assert claims[0].holds is False and claims[0].evidence.startswith("-0.6431 ±")


def test_a_gradient_that_vanishes_is_smaller_than_any_other_and_like_itself():
    dead, alive = propagated(0 * RISING), propagated(RISING)
    assert holds(GRADIENTS, Results({"relu": [dead] * 3})) == [None, None]
    found = holds(GRADIENTS, Results({"arun": [dead] * 3, "relu": [alive] * 3}))
    assert found == [True, True, False, True, None]
