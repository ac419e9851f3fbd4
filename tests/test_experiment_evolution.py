"""Experiment 20: two scenarios of evolution."""

from trained import NOISE, verdicts

from aru_keras.runners.experiments.trainings import TRANSPLANTED


def test_two_scenarios_of_evolution():
    names = ("plain", "noise", "step", "sine")
    first = {name: 0.9 + NOISE for name in names}
    second = {name: 0.9 + NOISE[::-1] for name in names}
    worse = second | {"step": 0.3 + NOISE}
    assert verdicts("evolution", {"arun": first, TRANSPLANTED: second}) == [True] * 4
    found = verdicts("evolution", {"arun": first, TRANSPLANTED: worse})
    assert found == [True, True, False, True]
