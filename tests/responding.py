"""Layers and responses that the tests of step responses share."""

import dataclasses
from types import SimpleNamespace

import keras
import numpy as np
from contract import settle

from aru_keras import ARU, models
from aru_keras.analysis.fractional import fractional_derivative
from aru_keras.analysis.step_response import StepProtocol, StepResponses
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.presets import preset
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.workspace import read_arrays, write_arrays

N, G = 4, 3
SHORT = StepProtocol(timesteps=12, start=3, duration=5, repeats=3)


def layer(kind=ARU, features=1, **options):
    made = kind(N, G, **options) if kind is ARU else kind(N, **options)
    made.build((1, 5, features))
    return settle(made)


def made_responses(orders, drives=(0.0, 1.0, 5.0)):
    """Responses of known order at every ξ."""
    drive = np.stack([StepProtocol().drive(one) for one in drives])
    h = np.stack([[fractional_derivative(one, -alpha) for alpha in orders] for one in drive])
    return StepResponses(np.array(drives), drive, {"h": np.moveaxis(h, 1, 2)}, True)


PRESET = dataclasses.replace(preset("quick"), repeats=2)
ORDERS = EXPERIMENTS["fractional-order"]
TASKS, SIGNALS = EXPERIMENTS["fractional-tasks"], EXPERIMENTS["fractional-signals"]
UNITS = 8


class Task:
    """Sequences that the networks read."""

    def examples(self, split, indices):
        return np.random.default_rng(0).random((len(indices), 20, 1)).astype("float32"), None


def model_of(name, seed):
    keras.utils.set_random_seed(seed)
    return models.build_network(name, (20, 1), units=UNITS, controller_units=3)


def network(name, seed=0):
    start, model = model_of(name, seed + 100), model_of(name, seed)
    cell = model.get_layer("recurrent").cell
    return SimpleNamespace(name=name, seed=seed, model=model, start=start, cell=cell, task=Task())


def measured(experiment, one, folder):
    path = folder / f"{experiment.name}-{one.name}-{one.seed}.npz"
    write_arrays(path, experiment.measure(one, PRESET))
    return read_arrays(path)


def verdicts(experiment, found):
    return [claim.holds for claim in experiment.conclude(Results(found), PRESET).claims]


def thrice(arrays):
    """One network that stands for three seeds."""
    return {"arun": [arrays] * 3}
