"""Small networks, and arrays of experiments 10 and 11, whose units adapt as is known beforehand."""

import dataclasses

import keras
import numpy as np

from aru_keras.analysis.gain_scaling import NOISE_AMPLITUDES
from aru_keras.models import build_network
from aru_keras.runners.config import TrainConfig
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.presets import PRESETS
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.workspace import TrainedRun, read_arrays, write_arrays
from aru_keras.tasks import load_task

FAMILY, CONTROLLER = EXPERIMENTS["family"], EXPERIMENTS["controller"]
SCALING, TRANSIENTS = EXPERIMENTS["gain-scaling"], EXPERIMENTS["transients"]
GRADIENTS = EXPERIMENTS["gradients"]

TINY = dataclasses.replace(
    PRESETS["quick"],
    recorded_images=5,
    noise_seeds=(0, 1),
    step_amplitudes=(0, 1, 5, 10, 30),
)


ADAPTED, NOT_ADAPTED = np.array([[1, 0.5], [0.1, 0.01]]), np.array([[1, 0.01], [0.1, 0.01]])
"""Δn and Δs, trained and before training."""


class Untrained(TrainedRun):
    """A small network as it starts."""

    config = property(lambda self: TrainConfig("digits", model=self.name, units=5))
    task = property(lambda self: load_task("digits"))
    model = None
    start = property(lambda self: self.model)


def untrained(name):
    keras.utils.set_random_seed(0)
    made = Untrained(name, 0, None)
    made.model = build_network(name, (64, 1), units=5, controller_units=3, match_parameters=False)
    return made


def measured(experiment, names, path, seeds=1):
    """Results as they come back from the disk, of one network that stands for so many seeds."""
    found = {}
    for name in names:
        write_arrays(path / f"{name}.npz", experiment.measure(untrained(name), TINY))
        found[name] = [read_arrays(path / f"{name}.npz")] * seeds
    return Results(found)


def seeds(arrays, count=3):
    """Results of one ARUN that stands for several seeds."""
    return Results({"arun": [arrays] * count})


def holds(experiment, results):
    return [claim.holds for claim in experiment.conclude(results, TINY).claims]


def settled(n, s):
    """Arrays of experiment 10 with steady states n(ξ) and s(ξ)."""
    amplitudes = np.asarray(NOISE_AMPLITUDES, "float64")
    found = {}
    for place in ("units", "input", "drive"):
        for name, value in (("n", n), ("s", s)):
            levels = np.stack([value(amplitudes)] * 2, axis=1)
            found[f"{place}_steady_{name}"] = levels
            found[f"{place}_{name}"] = np.repeat(levels[..., None], 600, axis=2)
        for name in ("input_spread", "output_spread"):
            found[f"{place}_{name}"] = np.stack([amplitudes] * 2, axis=1)
    return {**found, "adaptation": ADAPTED}


def power_law(xi):
    return 0.3 * xi**-0.5 + 5.4


def exponential(xi):
    return 0.004 * np.exp(-0.2 * xi)


def courses(level, tau, wobble=0.0):
    """Arrays of experiment 11 that relax from 5 to `level` of ξ in the drive, 17 ≤ t < 32."""
    t = np.arange(64.0)
    amplitudes = np.array(TINY.step_amplitudes, "float64")[:, None]
    relaxed = level(amplitudes) + (5 - level(amplitudes)) * np.exp(-(t - 17) / tau)
    driven = (t >= 17) & (t < 32) & (amplitudes > 0)
    n = np.where(driven, relaxed + wobble * np.cos(3 * t), 5.0)
    return {"n": n, "s": n / 100, "adaptation": ADAPTED}
