"""The folder of a reproduction: runs and measurements, each made once, whatever interrupts it."""

import dataclasses
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from aru_keras import checked_files
from aru_keras.checked_files import read_json, record, text, writing
from aru_keras.files import remove_leftovers, replacing, write_json
from aru_keras.numerics import NetworkOverflowError
from aru_keras.runners import train
from aru_keras.runners.experiments.experiment import Array, Experiment
from aru_keras.runners.experiments.network import Network
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
        folder, wanted = self._run(name, seed)
        if not folder.results.exists():
            if start := self._trainings[name].start:
                self.network(start, seed)
            self.say(f"training {folder.path.name}")
            self._train(wanted, folder)
        network = Network(name, seed, folder)
        network.check()
        return network

    def results(self, experiment: Experiment, seeds: Sequence[int]) -> Results:
        """What an experiment measures of each of its networks, for each seed."""
        return Results(
            {
                name: {seed: self._measured(experiment, name, seed) for seed in seeds}
                for name in experiment.trainings(self.preset)
            }
        )

    def _measured(self, experiment, name, seed):
        self._run(name, seed)
        path = self._file(experiment, name, seed)
        arrays = read_arrays(path) if path.exists() else {}
        if int(arrays.get(REVISION, 1 if arrays else 0)) != experiment.revision:
            revision = {REVISION: experiment.revision}
            write_arrays(path, {**self._measure(experiment, name, seed), **revision})
            arrays = read_arrays(path)
        if DIVERGED in arrays:
            return None
        check_arrays(arrays, experiment.keeps, self.preset, path)
        return arrays

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

    def _run(self, name, seed):
        """The folder of a run, and its configuration, which a run that is there must have."""
        training, runs = self._trainings[name], self.path / "runs"
        folder = RunFolder(runs / f"{name}-seed{seed}")
        start = training.start and str(runs / f"{training.start}-seed{seed}")
        wanted = config(training, seed, start, self._learning_rate(training))
        if folder.config.exists():
            _check_options(folder, wanted)
        return folder, wanted

    def _train(self, wanted, folder):
        verbose = "epochs" if sys.stdout.isatty() else 0
        if folder.config.exists():
            train.resume(folder.path, verbose=verbose)
        else:
            train.train(wanted, run_dir=folder.path, verbose=verbose)

    def _claim(self):
        """Mark the folder with its preset, or check the mark."""
        mark, values = self.path / "preset.json", _plain(dataclasses.asdict(self.preset))
        if mark.exists():
            remove_leftovers(self.path)
            other = read_json(
                mark,
                record({"name": text}),
                holds="the preset of a reproduction",
                way_out=f"If the folder was made with {self.preset.name!r}, remove the file.",
                error=RunError,
            )
            if {**_DEFAULTS, **other} != values:
                raise RunError(
                    f"{self.path} was made with another preset, {other['name']!r}. Choose "
                    "another folder with --dir."
                )
            return
        with writing(mark, RunError):
            self.path.mkdir(parents=True, exist_ok=True)
            write_json(mark, values)


def _check_options(folder, wanted):
    """Whether a run is the one that belongs there, wherever the folder stood at the time."""
    found, wanted = _placeless(folder.load_config()), _placeless(wanted)
    if found != wanted:
        other = ", ".join(f"{name} {found[name]}" for name in wanted if found[name] != wanted[name])
        raise RunError(
            f"{folder.path} holds a run with other options: {other}. Remove it, or choose another "
            "folder with --dir."
        )


def _placeless(config):
    """A configuration by field; of the run that it starts from, the name alone."""
    values = config.to_dict()
    return {**values, "start": values["start"] and Path(values["start"]).name}


def check_arrays(
    arrays: Mapping[str, np.ndarray], keeps: Mapping[str, Array], preset: Preset, path: Path
) -> None:
    """Check what was read against what an experiment keeps.

    Args:
        arrays: By name.
        keeps: As `Experiment.keeps`.
        preset: Of the grids.
        path: Of the file, for the message.

    Raises:
        RunError: An array is missing, of another shape, or out of its range.
    """
    sizes = preset.sizes()
    try:
        for name, array in keeps.items():
            array.check(name, arrays.get(name), sizes)
    except ValueError as error:
        raise RunError(
            f"{path} is damaged ({error}): it must hold a measurement. Remove it to measure anew."
        ) from error


def checked(arrays: Mapping) -> dict[str, np.ndarray]:
    """What was measured as arrays.

    Raises:
        NetworkOverflowError: A number is NaN.
    """
    arrays = {name: np.asarray(value) for name, value in arrays.items()}
    broken = [name for name, value in arrays.items() if _has_nan(value)]
    if broken:
        raise NetworkOverflowError(
            f"A measurement must be a number. Received: NaN in {broken}. The network overflows."
        )
    return arrays


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays to an .npz, whole or not at all.

    Raises:
        NetworkOverflowError: A number is NaN.
        RunError: The file cannot be written.
    """
    arrays = checked(arrays)
    with writing(path, RunError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            np.savez_compressed(temporary, **arrays)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz.

    Raises:
        RunError: The file is damaged.
    """
    return checked_files.read_arrays(
        path, holds="a measurement", way_out="Remove it to measure anew.", error=RunError
    )


def _has_nan(value):
    return value.dtype.kind in "fc" and bool(np.isnan(value).any())


def _plain(values):
    """As it comes back from JSON."""
    return json.loads(json.dumps(values))


_DEFAULTS = _plain(dataclasses.asdict(Preset("", task="", rotated_task="", second_task="")))
"""What a preset of an earlier version has where it lacks a field."""
