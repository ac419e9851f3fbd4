"""Experiment 13b: integrals of n and s."""

import numpy as np
from responding import PRESET, SIGNALS, TASKS, measured, network, thrice, verdicts

from aru_keras.analysis.step_response import StepProtocol
from aru_keras.runners.experiments.responses import STEPS
from aru_keras.runners.experiments.results import Results


def test_population_and_signals_of_a_network_go_round(tmp_path):
    one = network("arun")
    for experiment, figure in ((TASKS, "population"), (SIGNALS, "integrals")):
        found = experiment.conclude(
            Results({"arun": [measured(experiment, one, tmp_path)]}), PRESET
        )
        assert set(found.figures) == {figure} and found.claims


ADAPTED = np.array([[1, 0.5], [0.1, 0.01]])
"""Δn and Δs, trained and before training."""


def signals(level_of_n, course_of_s):
    """n jumps to a level that grows with ξ; s takes any course during the step."""
    drive = StepProtocol().drive(1.0)
    steps = np.array(STEPS)[:, None]
    inside = drive > 0
    s = np.zeros(len(drive))
    s[inside] = course_of_s(np.linspace(0, 1, inside.sum()))
    s = np.broadcast_to(s, (len(steps), len(drive)))
    return {"n": 5 + level_of_n * steps * drive, "s": s, "adaptation": ADAPTED}


def test_the_integral_of_a_jump_up_or_down_is_a_line():
    assert verdicts(SIGNALS, thrice(signals(0.1, np.ones_like))) == [True, True]
    assert verdicts(SIGNALS, thrice(signals(-0.1, np.ones_like))) == [True, True]


def test_the_integral_of_a_wave_is_no_line():
    found = thrice(signals(-0.1, lambda t: np.sin(2 * np.pi * t)))
    assert verdicts(SIGNALS, found) == [True, False]


def test_a_signal_that_does_not_move_has_no_line():
    arrays = signals(0.1, np.zeros_like)
    claims = SIGNALS.conclude(Results({"arun": [arrays]}), PRESET).claims
    assert claims[1].holds is None and "no line" in claims[1].evidence
    assert (
        claims[1].few and SIGNALS.conclude(Results({"arun": [arrays]}), PRESET).verdict == "shown"
    )


def test_signals_that_do_not_adapt_decide_nothing():
    still = {**signals(0.1, np.ones_like), "adaptation": ADAPTED[::-1]}
    claims = SIGNALS.conclude(Results(thrice(still)), PRESET).claims
    assert [claim.holds for claim in claims] == [None, None]
    assert "adapt no more than before training" in claims[0].evidence
