"""Experiment 8: clouds of (n, s)."""

import numpy as np
from trained import verdicts


def clouds(spread):
    points = np.random.default_rng(0).normal(size=(3, 20, 2))
    return {"start": 0 * points + 5, "trained": 5 + spread * points}


def test_clouds_that_spread():
    names = ("gamma-one-point", "gamma-one-point-rotated")
    growing = dict(zip(names, (clouds(1), clouds(2)), strict=True))
    assert verdicts("heterogeneity", growing) == [True, True]
    assert verdicts("heterogeneity", dict(zip(names, (clouds(1), clouds(0.5)), strict=True))) == [
        True,
        False,
    ]
