"""Small networks, trained and at their start, of the tests of experiments 15 to 18."""

import dataclasses
from types import SimpleNamespace

import keras
import numpy as np

from aru_keras import models
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.presets import preset
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.workspace import read_arrays, write_arrays
from aru_keras.tasks import load_task

DRIVES = (0, 1, 2.5, 30)
PRESET = dataclasses.replace(
    preset("quick"), step_amplitudes=DRIVES, recorded_images=4, exponent_steps=20, exponent_starts=3
)
BOUNDARY, STATIONARY, SPECTRUM, LYAPUNOV = (
    EXPERIMENTS[name]
    for name in ("noise-boundary", "stationary-distribution", "spectrum", "lyapunov")
)
UNITS = 6
ADAPTED = np.array([[1, 0.5], [0.1, 0.01]])
"""Δn and Δs, trained and before training."""


def model_of(name, seed):
    keras.utils.set_random_seed(seed)
    return models.build_network(name, (64, 1), units=UNITS, controller_units=2)


def network(name, seed=0):
    model, start = model_of(name, seed), model_of(name, seed + 1)
    cell = model.get_layer("recurrent").cell
    task = load_task("digits")
    return SimpleNamespace(name=name, seed=seed, model=model, start=start, cell=cell, task=task)


def round_trip(experiment, one, folder):
    path = folder / f"{experiment.name}-{one.name}.npz"
    write_arrays(path, experiment.measure(one, PRESET))
    return read_arrays(path)


def conclude(experiment, found):
    return experiment.conclude(Results(found), PRESET)


def verdicts(experiment, found):
    """Of one network that stands for three seeds."""
    thrice = {name: 3 * seeds for name, seeds in found.items()}
    return [claim.holds for claim in conclude(experiment, thrice).claims]
