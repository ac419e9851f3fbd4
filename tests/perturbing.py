"""Small networks, and scores of them, of the tests of experiments 3 and 4."""

import dataclasses

import keras
import numpy as np

from aru_keras.models import build_network
from aru_keras.runners.config import TrainConfig
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.presets import PRESETS
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.workspace import TrainedRun, read_arrays, write_arrays
from aru_keras.runners.run_folder import RunFolder
from aru_keras.tasks import load_task

CURVES, MAPS = EXPERIMENTS["robustness"], EXPERIMENTS["sensitivity"]

TINY = dataclasses.replace(
    PRESETS["quick"],
    test_images=20,
    map_images=20,
    step_amplitudes=(0, 1, 30),
    contrast_amplitudes=(0, 1),
    phases=(0.0, 3.0),
    durations=(100, 400),
)


class Untrained(TrainedRun):
    """A small network as it starts, in a folder of its own."""

    config = property(lambda self: TrainConfig("digits", model=self.name, units=5))
    task = property(lambda self: load_task("digits"))
    model = None


def network(name, path):
    keras.utils.set_random_seed(1)
    (path / name).mkdir(exist_ok=True)
    made = Untrained(name, 0, RunFolder(path / name))
    made.model = build_network(name, (64, 1), units=5, controller_units=2, match_parameters=False)
    return made


def measured(experiment, names, path):
    """Results of one seed, as they come back from the disk."""
    found = {}
    for name in names:
        write_arrays(path / f"{name}.npz", experiment.measure(network(name, path), TINY))
        found[name] = [read_arrays(path / f"{name}.npz")]
    return Results(found)


def curve(end, seed):
    """Accuracies that fall in a line from 0.9 to `end`."""
    drop = np.linspace(0, 0.9 - end, 3) + np.array([0, 0.001 * seed, 0])
    step = {"step_accuracy": 0.9 - drop, "step_loss": drop + 1}
    contrast = {"contrast_accuracy": 0.9 - drop[[0, 2]], "contrast_loss": drop[[0, 2]] + 1}
    return {**step, **contrast, "images": np.array(20)}
