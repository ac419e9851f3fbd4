"""Claims on arrays over three seeds, of the tests of experiments on how networks train."""

import dataclasses

import numpy as np

from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.presets import PRESETS
from aru_keras.runners.experiments.results import Results

SMALL = {
    "units": 6,
    "controller_units": 3,
    "limit": 64,
    "batch_size": 32,
    "epochs": 2,
    "match_parameters": False,
}
TINY = dataclasses.replace(
    PRESETS["quick"],
    name="tiny",
    options=SMALL,
    second_options=SMALL,
    transfer_epochs=1,
    landscape_epochs=1,
    gains=(1.0, 5.0, 20.0),
    saturations=(0.0, 1.0),
    trained_gains=(5.0,),
    trained_saturations=(0.0,),
    exponent_steps=20,
)
NOISE = np.array([-0.002, 0.0, 0.002])


def conclusion_of(name, found, preset=TINY):
    """Of arrays over three seeds by network."""
    seeds = {
        network: [{key: np.asarray(value)[seed] for key, value in one.items()} for seed in range(3)]
        for network, one in found.items()
    }
    return EXPERIMENTS[name].conclude(Results(seeds), preset)


def claims_of(name, found, preset=TINY):
    return conclusion_of(name, found, preset).claims


def verdicts(name, found, preset=TINY):
    return [claim.holds for claim in claims_of(name, found, preset)]


def accuracies(**values):
    return {name: {"plain": value + NOISE} for name, value in values.items()}
