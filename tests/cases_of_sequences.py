"""A valid call of what makes tasks of one's own sequences."""

import functools

import numpy as np
from bad_arguments import Case

from aru_keras import GammaRNN, probing, tasks
from aru_keras.analysis import ActivationDynamics
from aru_keras.analysis import fixed_points as points
from aru_keras.perturbations import ChannelContrast, InputNoise
from aru_keras.tasks import synthetic


def split(count=4):
    return np.ones((count, 3, 2)), np.arange(count) % 2


def properties():
    return {"channels": ["a", "b"], "interval": 1.0, "unit": "ms", "name": "own", "description": ""}


@functools.cache
def layer():
    made = GammaRNN(2)
    made.build((None, None, 1))
    return made


def evidence():
    return {"steps": 4, "drift": 0.25, "low": 0.3, "high": 1.0}


@functools.cache
def task():
    return tasks.from_arrays(*[(np.ones((4, 3, 1)), np.arange(4) % 2)] * 3, name="own")


@functools.cache
def recorded():
    return probing.record_dataset(layer(), np.ones((2, 3, 1)), "h")


def recording():
    return {"network": layer(), "signals": ["h"], "memory_limit": 2**20, "progress": False}


RECORDINGS = [
    Case(
        probing.record_dataset,
        lambda: {**recording(), "x": np.ones((2, 3, 1)), "drive": np.ones((2, 3, 1)), "mask": None},
        shapes=False,
        known_as={"x": "drive"},
        needs="xarray",
    ),
    Case(
        probing.record_task,
        lambda: {
            **recording(),
            "task": task(),
            "split": "test",
            "indices": [0, 1],
            "perturbation": None,
        },
        shapes=False,
        needs="xarray",
    ),
    Case(
        probing.to_table,
        lambda: {"dataset": recorded(), "variables": ["h"]},
        shapes=False,
        needs="xarray",
    ),
    Case(
        probing.from_table,
        lambda: {"table": probing.to_table(recorded())},
        shapes=False,
        needs="xarray",
    ),
]
CASES = [
    *RECORDINGS,
    Case(
        tasks.from_arrays,
        lambda: {
            "train": split(),
            "validation": split(),
            "test": 0.5,
            "target": "class",
            "every_step": False,
            "classes": 2,
            **properties(),
            "split_seed": 0,
            "groups": np.array([0, 0, 1, 1]),
        },
    ),
    Case(
        synthetic.copy_memory,
        lambda: {"delay": 3, "length": 2, "symbols": 2, "sizes": (4, 2, 2), "seed": 0},
    ),
    Case(
        ChannelContrast,
        lambda: {"amplitude": 0.5, "frequency": 1.0, "phase": 0.0, "channels": (0,)},
        shapes=False,
    ),
    Case(
        points.find_fixed_points,
        lambda: {
            "dynamics": ActivationDynamics([[0.5]], "tanh", [0.1]),
            "starts": np.ones((2, 1)),
            "fixed_speed": 1e-6,
            "slow_speed": 0.1,
            "merged_within": 1e-3,
            "evaluations": 50,
        },
        shapes=False,
    ),
    Case(
        points.network_dynamics,
        lambda: {"network": layer(), "n": None, "s": None, "drive": 0.0, "x": [1.0]},
    ),
    Case(
        points.visited_states,
        lambda: {
            "network": layer(),
            "x": np.ones((2, 3, 1)),
            "dynamics": None,
            "drive": None,
            "count": 2,
            "seed": 0,
        },
        shapes=False,
    ),
    Case(InputNoise, lambda: {"variance": 1.0, "mean": 0.0, "seed": 0}),
    Case(synthetic.chance, lambda: {"delay": 3, "length": 2, "symbols": 2}),
    Case(synthetic.adding, lambda: {"steps": 4, "sizes": (4, 2, 2), "seed": 0}),
    Case(synthetic.mean_error, dict),
    Case(
        synthetic.noisy_evidence,
        lambda: {**evidence(), "every_step": False, "sizes": (8, 2, 2), "seed": 0},
    ),
    Case(synthetic.best_accuracy, lambda: evidence()),
]
