"""Experiment 14: where a controller settles."""

import numpy as np
import pytest
from adapting import CONTROLLER, TINY, seeds

from aru_keras.runners.experiments import controller as controller_experiment


def controller(kernel, bias):
    """Arrays of experiment 14, of two units that end at tanh(kernel·a + bias)."""
    return {
        "kernel": np.array([kernel], "float64"),
        "recurrent_kernel": np.zeros((2, 2)),
        "bias": np.array(bias, "float64"),
        "readout_kernel": np.eye(2),
        "readout_bias": np.array([5.0, 0.0]),
        "seed": np.array(0),
    }


CHAOTIC = {
    "kernel": np.full((1, 8), 0.1),
    "recurrent_kernel": np.random.default_rng(1).normal(size=(8, 8)),
    "bias": np.zeros(8),
    "readout_kernel": np.eye(8)[:, :2],
    "readout_bias": np.array([5.0, 0.0]),
    "seed": np.array(0),
}


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        # Both units alike: a straight line.
        (controller([0.1, 0.1], [0, 0]), True),
        # One moves about a = 0.4, the other about a = 2: a bent one.
        (controller([10, 2], [-4, -4]), True),
        (CHAOTIC, False),
    ],
)
def test_end_points_are_judged_by_whether_they_follow_a_curve(arrays, expected):
    before = {f"{controller_experiment.STARTED}{name}": values for name, values in CHAOTIC.items()}
    found = CONTROLLER.conclude(seeds({**arrays, **before}), TINY)
    assert [claim.holds for claim in found.claims] == [expected]
    untrained = CONTROLLER.conclude(seeds({**CHAOTIC, **before}), TINY)
    # The row before training is the curve's, of the controller before training.
    assert found.tables[0].rows[3][1] == untrained.tables[0].rows[2][1]


def test_end_points_on_a_curve_say_nothing_where_an_untrained_controller_has_them_too():
    arrays = controller([0.1, 0.1], [0, 0])
    before = {f"{controller_experiment.STARTED}{name}": values for name, values in arrays.items()}
    (claim,) = CONTROLLER.conclude(seeds({**arrays, **before}), TINY).claims
    assert claim.holds is None and "an untrained controller passes" in claim.evidence
