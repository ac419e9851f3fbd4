"""A valid call of each perturbation, and of what loads a task and reads it."""

import numpy as np
from bad_arguments import Case
from cases_of_networks import task

from aru_keras import perturbations, tasks
from aru_keras.perturbations import (
    ChannelContrast,
    Contrast,
    InputNoise,
    NoisyDrive,
    StepDrive,
    Waveform,
)
from aru_keras.perturbations.base import Perturbations
from aru_keras.tasks.task import Task

CHANGED = ChannelContrast(0.5, channels=["a"]) + InputNoise()


def batch_arguments():
    return {
        "split": "test",
        "batch_size": 2,
        "seed": 0,
        "shuffle": True,
        "initial_epoch": 0,
        "limit": 4,
        "perturbation": None,
        "units": None,
        "class_weights": None,
    }


def first_batch(self, **options):
    return self.batches(**options)[0]


CASES = [
    Case(StepDrive, lambda: {"amplitude": 5.0, "start": 1, "duration": 2}, shapes=False),
    Case(Waveform, lambda: {"values": np.ones(3), "start": 0}, shapes=False),
    Case(
        NoisyDrive,
        lambda: {"mean": 5.0, "variance": 2.0, "seed": 0, "start": 1, "duration": 2},
        shapes=False,
    ),
    Case(
        Contrast,
        lambda: {"amplitude": 0.5, "frequency": 1.0, "phase": 0.0, "start": 2, "duration": 9},
        shapes=False,
    ),
    Case(StepDrive.window, lambda: {"self": StepDrive(5), "timesteps": 64}),
    Case(
        StepDrive.drive,
        lambda: {"self": StepDrive(5), "indices": [0], "timesteps": 64, "units": None},
    ),
    Case(
        NoisyDrive.drive,
        lambda: {"self": NoisyDrive(), "indices": [0], "timesteps": 64, "units": 3},
    ),
    Case(Contrast.factors, lambda: {"self": Contrast(), "timesteps": 64}),
    Case(
        Contrast.pixels,
        lambda: {"self": CHANGED, "x": np.ones((1, 4, 1)), "indices": [0], "channels": ["a"]},
        shapes=False,
    ),
    Case(
        Contrast.pixel_range, lambda: {"self": Contrast(), "low": 0.0, "high": 1.0, "timesteps": 64}
    ),
    Case(Perturbations, lambda: {"components": (StepDrive(5),)}, shapes=False),
    Case(
        perturbations.as_perturbation, lambda: {"value": None}, known_as={"value": "perturbation"}
    ),
    Case(perturbations.from_config, lambda: {"config": StepDrive(5).to_config()}, shapes=False),
    Case(perturbations.parse, lambda: {"text": "step:5"}, known_as={"text": "perturbation"}),
    Case(
        tasks.load_task,
        lambda: {
            "name": "digits",
            "downsample": 4,
            "permutation_seed": 0,
            "data_dir": None,
            "source": None,
            "download": False,
            "fingerprint": None,
        },
    ),
    Case(tasks.epoch_order, lambda: {"seed": 0, "epoch": 0, "size": 4}),
    Case(Task.pixel_index, lambda: {"self": task(), "t": 0}),
    Case(Task.images, lambda: {"self": task(), "split": "test"}),
    Case(Task.arrays, lambda: {"self": task(), "split": "test"}),
    Case(Task.examples, lambda: {"self": task(), "split": "test", "indices": [0, 1]}),
    Case(
        Task.perturbed,
        lambda: {
            "self": task(),
            "x": np.ones((1, 4, 1)),
            "indices": [0],
            "perturbation": None,
            "units": None,
        },
        shapes=False,
    ),
    Case(first_batch, lambda: {"self": task(), **batch_arguments()}),
]
