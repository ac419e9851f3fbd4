"""The folder of a reproduction: runs and measurements, each made once, whatever interrupts it."""

import dataclasses
import functools
import json
import os
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
import numpy as np

from aru_keras.files import remove_leftovers, replacing, write_json
from aru_keras.runners import train
from aru_keras.runners.experiments.experiment import Experiment
from aru_keras.runners.experiments.presets import Preset
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.trainings import (
    PILOT_SEED,
    best_rate,
    config,
    pilot_names,
    trainings,
)
from aru_keras.runners.run_folder import RunError, RunFolder

REVISION = "revision"
"""Name of the revision of an experiment's protocol among what was measured by it."""

DIVERGED = "diverged"
"""What is kept in place of a measurement of a network whose loss became NaN."""


class Network:
    """A trained network, and what it was trained on.

    Args:
        name: Of its training.
        seed: Of the experiment.
        folder: Of its finished run.
    """

    def __init__(self, name: str, seed: int, folder: RunFolder):
        self.name, self.seed, self.folder = name, seed, folder

    @functools.cached_property
    def config(self):
        """Its `TrainConfig`."""
        return self.folder.load_config()

    @functools.cached_property
    def task(self):
        """Its `tasks.Task`."""
        return _task(self.config)

    @functools.cached_property
    def model(self):
        """Its model of the best epoch."""
        return self.folder.load_model()

    @functools.cached_property
    def start(self):
        """Its model before training, drawn anew from its seed."""
        keras.utils.set_random_seed(self.config.seed)
        return train.compiled_network(self.config, self.task)

    def other_task(self, name: str):
        """Another `tasks.Task`, with the options of its own."""
        options = {} if "conv" in name else {"downsample": self.config.downsample}
        return _task(train.TrainConfig(name, data_dir=self.config.data_dir, **options))

    @property
    def cell(self):
        """The trained recurrent cell."""
        return self.model.get_layer("recurrent").cell

    @property
    def results(self) -> dict:
        """What its `results.json` holds."""
        return self.folder.load_results()

    @property
    def validation_accuracy(self) -> float:
        """Of its best epoch."""
        return self.results["validation_accuracy"]

    @property
    def history(self) -> dict[str, np.ndarray]:
        """The columns of its `history.csv`, (epochs,) each."""
        table = np.genfromtxt(self.folder.history, delimiter=",", names=True, encoding="utf-8")
        return {name: np.atleast_1d(table[name]) for name in table.dtype.names}


class Workspace:
    """Trains and measures what is not there yet.

    Args:
        path: The folder; it is made if need be.
        preset: Of the experiments. A folder belongs to one preset.
        say: Called with a line before each piece of work.

    Raises:
        RunError: The folder was made with another preset.
    """

    def __init__(self, path: str | os.PathLike, preset: Preset, say=print):
        self.path, self.preset, self.say = Path(path), preset, say
        self._trainings = trainings(preset)
        self._claim()

    def network(self, name: str, seed: int) -> Network:
        """The network of a training, trained first or further where that is not done."""
        training = self._trainings[name]
        folder = RunFolder(self.path / "runs" / f"{name}-seed{seed}")
        if not folder.results.exists():
            start = training.start and str(self.network(training.start, seed).folder.path)
            rate = self._learning_rate(training)
            self.say(f"training {folder.path.name}")
            self._train(config(training, seed, start, rate), folder)
        return Network(name, seed, folder)

    def results(self, experiment: Experiment, seeds: Sequence[int]) -> Results:
        """What an experiment measures of each of its networks, for each seed."""
        return Results(
            {
                name: {seed: self._measured(experiment, name, seed) for seed in seeds}
                for name in experiment.trainings(self.preset)
            }
        )

    def _measured(self, experiment, name, seed):
        path = self._file(experiment, name, seed)
        arrays = read_arrays(path) if path.exists() else {}
        if int(arrays.get(REVISION, 1 if arrays else 0)) != experiment.revision:
            revision = {REVISION: experiment.revision}
            write_arrays(path, {**self._measure(experiment, name, seed), **revision})
            arrays = read_arrays(path)
        return None if DIVERGED in arrays else arrays

    def _measure(self, experiment, name, seed):
        try:
            network = self.network(name, seed)
        except train.DivergedError as error:
            self.say(f"{name}, seed {seed}, diverged: {error}")
            return {DIVERGED: True}
        self.say(f"measuring {experiment.name} of {name}, seed {seed}")
        return experiment.measure(network, self.preset)

    def _learning_rate(self, training):
        """What the pilot chooses for the network of a training, trained first; None: no pilot."""
        if not (self.preset.pilot_rates and training.chooses_rate):
            return None
        accuracies = {
            rate: [self._pilot_accuracy(name) for name in names]
            for rate, names in pilot_names(self.preset, training.options["model"]).items()
        }
        return best_rate(accuracies)

    def _pilot_accuracy(self, name):
        try:
            return self.network(name, PILOT_SEED).validation_accuracy
        except train.DivergedError:
            return 0.0

    def _file(self, experiment, name, seed):
        return self.path / "measured" / experiment.name / f"{name}-seed{seed}.npz"

    def _train(self, wanted, folder):
        verbose = "epochs" if sys.stdout.isatty() else 0
        if folder.config.exists():
            if folder.load_config() != wanted:
                raise RunError(
                    f"{folder.path} holds a run with other options. Remove it, or choose another "
                    "folder with --dir."
                )
            train.resume(folder.path, verbose=verbose)
        else:
            train.train(wanted, run_dir=folder.path, verbose=verbose)

    def _claim(self):
        """Mark the folder with its preset, or check the mark."""
        mark, values = self.path / "preset.json", _plain(dataclasses.asdict(self.preset))
        if mark.exists():
            remove_leftovers(self.path)
            other = json.loads(mark.read_text(encoding="utf-8"))
            if {**_DEFAULTS, **other} != values:
                raise RunError(
                    f"{self.path} was made with another preset, {other.get('name')!r}. Choose "
                    "another folder with --dir."
                )
            return
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(mark, values)


def checked(arrays: Mapping) -> dict[str, np.ndarray]:
    """What was measured as arrays.

    Raises:
        ValueError: A number is NaN.
    """
    arrays = {name: np.asarray(value) for name, value in arrays.items()}
    broken = [name for name, value in arrays.items() if _has_nan(value)]
    if broken:
        raise ValueError(f"A measurement must be a number. Received: NaN in {broken}.")
    return arrays


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays to an .npz, whole or not at all.

    Raises:
        ValueError: A number is NaN.
    """
    arrays = checked(arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        np.savez_compressed(temporary, **arrays)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz.

    Raises:
        RunError: The file is damaged.
    """
    try:
        with np.load(path) as archive:
            return dict(archive)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise RunError(f"{path} is damaged ({error}). Remove it to measure anew.") from error


def _has_nan(value):
    return value.dtype.kind in "fc" and bool(np.isnan(value).any())


def _plain(values):
    """As it comes back from JSON."""
    return json.loads(json.dumps(values))


_DEFAULTS = _plain(dataclasses.asdict(Preset("", task="", rotated_task="", second_task="")))
"""What a preset of an earlier version has where it lacks a field."""


@functools.lru_cache(maxsize=4)
def _loaded(task, options):
    return train.TrainConfig(task, **dict(options)).load_task()


def _task(config: train.TrainConfig):
    """The task of a configuration, loaded once for all runs on it."""
    names = ("downsample", "permutation_seed", "source", "data_dir")
    return _loaded(config.task, tuple((name, getattr(config, name)) for name in names))
