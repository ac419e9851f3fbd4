"""Experiment 1: the activation family γ (Geadah et al. 2024, Fig 1)."""

import numpy as np

from aru_keras.analysis.family import activation_family
from aru_keras.plots.family import activation_curves
from aru_keras.runners.experiments.experiment import Claim, Conclusion, Experiment

LARGE_GAIN = 1000
"""The gain at which γ is compared with ReLU, its limit for n → ∞."""

NEAR = 1e-3
"""Largest difference at which a curve counts as equal to its limit; for ReLU it is ln 2/n."""


def _conclude(results, preset):
    family = activation_family((1, LARGE_GAIN), (0, 1))
    reached = {
        "softplus": ("n = 1, s = 0", family.values[0, 0]),
        "ReLU": (f"n = {LARGE_GAIN}, s = 0", family.values[1, 0]),
        "sigmoid": ("n = 1, s = 1", family.values[0, 1]),
    }
    claims = [
        _limit_claim(name, where, np.abs(values - family.limits[name]).max(), family.x)
        for name, (where, values) in reached.items()
    ]
    return Conclusion(tuple(claims), {"curves": activation_curves(activation_family())})


def _limit_claim(name, where, distance, x):
    return Claim(
        f"γ is {name} at {where} (largest difference at most {NEAR:g})",
        bool(distance <= NEAR),
        f"{distance:.2g} over {x.min():g} ≤ x ≤ {x.max():g}",
    )


EXPERIMENT = Experiment(
    number="1",
    name="family",
    title="The activation family γ",
    paper="Fig 1",
    expected="Softplus, ReLU and sigmoid are limits of γ(x; n, s).",
    trainings=lambda preset: (),
    measure=lambda network, preset: {},
    conclude=_conclude,
)
