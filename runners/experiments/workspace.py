"""The folder of a reproduction. Each run and measurement is made once, also after interruptions."""

import dataclasses
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from aru_keras._util.checked_files import read_json, record, text, writing
from aru_keras._util.files import remove_leftovers, write_json
from aru_keras.runners import train
from aru_keras.runners.experiments.experiment import Experiment
from aru_keras.runners.experiments.measurement_files import (
    DIVERGED,
    REVISION,
    check_arrays,
    read_arrays,
    write_arrays,
)
from aru_keras.runners.experiments.presets import Preset
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.trained_run import TrainedRun
from aru_keras.runners.experiments.trainings import (
    PILOT_SEED,
    best_rate,
    config,
    pilot_names,
    trainings,
)
from aru_keras.runners.finish import finish, has_diverged, is_settled
from aru_keras.runners.run_folder import RunError, RunFolder


class Workspace:
    """The folder of a reproduction, in which missing runs and measurements are made on demand.

    Args:
        path: Path of the folder; it is created if it does not exist.
        preset: Preset of the experiments. A folder belongs to one preset.
        say: Function that is called with a line of text before each piece of work.

    Raises:
        RunError: The folder was made with another preset.
    """

    def __init__(
        self, path: str | os.PathLike, preset: Preset, say: Callable[[str], object] = print
    ):
        self.path, self.preset, self.say = Path(path), preset, say
        self._trainings = trainings(preset)
        self._claim()

    def network(self, name: str, seed: int) -> TrainedRun:
        """The network of a training. If necessary it is trained, or its training is resumed."""
        folder, wanted = self._run(name, seed)
        if not is_settled(folder):
            if start := self._trainings[name].start:
                self.network(start, seed)
            self.say(f"training {folder.path.name}")
        finish(folder, wanted, verbose="epochs" if sys.stdout.isatty() else 0)
        network = TrainedRun(name, seed, folder)
        network.check()
        return network

    def is_settled(self, name: str, seed: int) -> bool:
        """Whether a training is finished or has diverged."""
        return is_settled(self._folder(name, seed))

    def needs(self, name: str, seed: int) -> list[tuple[str, int]]:
        """Names and seeds of the trainings that must come before a training."""
        training = self._trainings[name]
        pilots = self._pilots(training).values()
        needed = [(pilot, PILOT_SEED) for names in pilots for pilot in names]
        return needed + ([(training.start, seed)] if training.start else [])

    def results(self, experiment: Experiment, seeds: Sequence[int]) -> Results:
        """The measurements of an experiment on each of its networks, for each seed."""
        return Results(
            {
                name: {seed: self.measured(experiment, name, seed) for seed in seeds}
                for name in experiment.trainings(self.preset)
            }
        )

    def lacks(self, experiment: Experiment, name: str, seed: int) -> bool:
        """Whether a network, as it is now, is not measured yet in an experiment, as that is now."""
        return not self._stored(experiment, name, seed)

    def measured(self, experiment: Experiment, name: str, seed: int) -> dict | None:
        """The arrays that an experiment measures of a network; None if its training diverged."""
        self._run(name, seed)
        path = self._file(experiment, name, seed)
        arrays = self._stored(experiment, name, seed)
        if not arrays:
            measured = self._measure(experiment, name, seed)
            stamps = {REVISION: experiment.revision, **_stamp(self._folder(name, seed))}
            write_arrays(path, {**measured, **stamps})
            arrays = read_arrays(path)
        if DIVERGED in arrays:
            return None
        check_arrays(arrays, experiment.keeps, self.preset, path)
        return arrays

    def _stored(self, experiment, name, seed):
        """The arrays of a measurement; {} if there is none of this revision and this network."""
        path, folder = self._file(experiment, name, seed), self._folder(name, seed)
        arrays = read_arrays(path) if path.exists() else {}
        if not arrays or int(arrays.get(REVISION, 1)) != experiment.revision:
            return {}
        if DIVERGED in arrays:
            return arrays if self._has_diverged(name, seed) else {}
        present = _stamp(folder)  # Of a run that was removed, what was measured is all.
        same = all(arrays.get(name, value) == value for name, value in present.items())
        return arrays if same else {}

    def _has_diverged(self, name, seed):
        """Whether a training, or one that it starts from, has diverged and was not removed."""
        start = self._trainings[name].start
        return has_diverged(self._folder(name, seed)) or bool(
            start and self._has_diverged(start, seed)
        )

    def _measure(self, experiment, name, seed):
        try:
            network = self.network(name, seed)
        except train.DivergedError as error:
            self.say(f"{name}, seed {seed}, diverged: {error}")
            return {DIVERGED: True}
        self.say(f"measuring {experiment.name} of {name}, seed {seed}")
        return experiment.measure(network, self.preset)

    def _learning_rate(self, training):
        """The pilot's learning rate for the network of a training; None if there is no pilot."""
        accuracies = {
            rate: [self._pilot_accuracy(name) for name in names]
            for rate, names in self._pilots(training).items()
        }
        return best_rate(accuracies) if accuracies else None

    def _pilots(self, training):
        """The names of the pilots that choose the rate of a training, by rate; {} if none do."""
        if not training.chooses_rate:
            return {}
        return pilot_names(self.preset, training.options["model"])

    def _pilot_accuracy(self, name):
        try:
            return self.network(name, PILOT_SEED).validation_accuracy
        except train.DivergedError:
            return 0.0

    def _file(self, experiment, name, seed):
        return self.path / "measured" / experiment.name / f"{name}-seed{seed}.npz"

    def _run(self, name, seed):
        """The folder of a run and its configuration, with which an existing run must agree."""
        training, folder = self._trainings[name], self._folder(name, seed)
        start = training.start and str(self._folder(training.start, seed).path)
        wanted = config(training, seed, start, self._learning_rate(training))
        if folder.config.exists():
            _check_options(folder, wanted)
        return folder, wanted

    def _folder(self, name, seed):
        return RunFolder(self.path / "runs" / f"{name}-seed{seed}")

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


def _stamp(folder):
    """A number of a run that another training does not have; none if the run is not finished."""
    return {"test_loss": folder.load_results()["test_loss"]} if folder.results.exists() else {}


def _check_options(folder, wanted):
    """Check that the run has the wanted options, wherever the folder was when it was made."""
    actual, wanted = _placeless(folder.load_config()), _placeless(wanted)
    if actual != wanted:
        other = ", ".join(
            f"{name} {actual[name]}" for name in wanted if actual[name] != wanted[name]
        )
        raise RunError(
            f"{folder.path} holds a run with other options: {other}. Remove it, or choose another "
            "folder with --dir."
        )


def _placeless(config):
    """A configuration by field, with only the name of the folder of the run that it starts from."""
    values = config.to_dict()
    return {**values, "start": values["start"] and Path(values["start"]).name}


def _plain(values):
    """The values as JSON gives them back."""
    return json.loads(json.dumps(values))


_DEFAULTS = _plain(dataclasses.asdict(Preset("", task="", rotated_task="", second_task="")))
"""Values of the fields that presets of earlier versions lack."""
