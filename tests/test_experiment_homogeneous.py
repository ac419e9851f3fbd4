"""Experiment 5: homogeneous against heterogeneous."""

from trained import NOISE, accuracies, verdicts

from aru_keras.runners.experiments.trainings import SHARED


def test_homogeneous_against_heterogeneous():
    same = accuracies(gamma=0.9) | {SHARED: {"plain": 0.9 + NOISE[::-1]}}
    assert verdicts("homogeneous", same) == [True]
    assert verdicts("homogeneous", accuracies(gamma=0.9) | {SHARED: {"plain": 0.5 + NOISE}}) == [
        False
    ]
