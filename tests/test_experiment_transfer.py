"""Experiment 9: what retraining recovers."""

from trained import NOISE, verdicts


def test_what_retraining_recovers():
    before = {"accuracy": 0.94 + NOISE, "loss": 0.2 + NOISE}
    before |= {"rotated_accuracy": 0.42 + NOISE, "rotated_loss": 3.0 + NOISE}
    paper = before | {"rotated_accuracy": 0.60 + NOISE, "rotated_loss": 2.0 + NOISE}
    names = ("gamma", "gamma-rotated-activation")
    assert verdicts("transfer", dict(zip(names, (before, paper), strict=True))) == [True] * 2
    assert verdicts("transfer", dict(zip(names, (before, before), strict=True))) == [False] * 2
