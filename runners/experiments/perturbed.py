"""Shared by experiments 3 and 4: the scores of networks under grids of perturbations."""

import contextlib
import math
import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass

import numpy as np

from aru_keras._util.numerics import NetworkOverflowError
from aru_keras.analysis.evaluation import Evaluator, Score, Scores, score_grid
from aru_keras.analysis.score_file import ScoreFile
from aru_keras.models import GATED
from aru_keras.plots.robustness import CONTRAST_LABEL, STEP_LABEL
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments.arrays import from_arrays, to_arrays
from aru_keras.runners.experiments.experiment import Array
from aru_keras.runners.experiments.measured import required
from aru_keras.runners.experiments.presets import Preset
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.trained_run import TrainedRun
from aru_keras.runners.experiments.trainings import MAIN, on_task
from aru_keras.runners.run_folder import RunError
from aru_keras.tasks import TASKS

STEP, CONTRAST = "step", "contrast"
LABELS = {STEP: STEP_LABEL, CONTRAST: CONTRAST_LABEL}
"""Axis labels of the figures."""
PHRASES = {STEP: "under the step drive", CONTRAST: "under contrast"}
GREY = "scifar10"
"""The paper's second task in these experiments, if the preset trains on it."""


class _ScoresOfRun(ScoreFile):
    """Scores in the folder of a run, which are damaged with it."""

    _error = RunError


def measured(network: TrainedRun, grids: dict, limit: int | None) -> dict[str, np.ndarray]:
    """Measure accuracy and loss over the grids of perturbations that the network accepts.

    Args:
        network: Network to measure; each score is saved at once, in `RunFolder.products`.
        grids: Grids of perturbations, by kind.
        limit: Number of images to use; None for all.
    """
    evaluate = Evaluator(network.model, network.task, limit=limit)
    identity = {**evaluate.identity(), **network.model_file_hash()}
    folder = network.folder.products
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"scores-{identity['images']}-images.json"
    done: MutableMapping = _ScoresOfRun(path, identity)
    if not os.access(folder, os.W_OK):
        done = dict(done)  # A run in a read-only folder can be measured too.
    score = _overflowing(evaluate, network.task.classes, identity["images"])
    numbers = {"images": identity["images"], "classes": network.task.classes}
    arrays = {name: np.array(number) for name, number in numbers.items()}
    for kind, grid in grids.items():
        if kind == STEP and network.config.model in GATED:
            continue
        scores = score_grid(score, grid, done=done, progress=sys.stdout.isatty())
        arrays |= to_arrays(scores, f"{kind}_", without=("n",))
    return arrays


def _overflowing(evaluate, classes, images):
    """`evaluate`, with an infinite loss and chance accuracy where the network overflows."""

    def score(perturbation):
        try:
            return evaluate(perturbation)
        except NetworkOverflowError:
            # Without a perturbation an overflow is an error.
            if not perturbation.components:
                raise
            return Score(math.inf, 1 / classes, images)

    return score


def score_arrays(axes: Mapping[str, str]) -> dict[str, Array]:
    """What `measured` gives, as an experiment keeps it.

    A network to whose pre-activations no drive can be added has no arrays of the step drives.

    Args:
        axes: Names of the axes of the grid of each kind of perturbation.
    """
    ranges = {"accuracy": (0, 1), "loss": (0, np.inf)}
    return {"images": Array(least=1), "classes": Array(least=1, optional=True)} | {
        f"{kind}_{what}": Array(axes[kind], *bounds, optional=kind == STEP)
        for kind in axes
        for what, bounds in ranges.items()
    }


def _tasks(preset):
    """The main task, and sCIFAR10 in grey scale if the preset trains on it."""
    grey = (task for task in preset.table_tasks if task == GREY)
    return tuple(dict.fromkeys((preset.task, *grey)))


def trainings(preset: Preset) -> list[str]:
    """Names of the trainings of the networks on each task."""
    return [on_task(preset, name, task) for task in _tasks(preset) for name in preset.networks]


def cases(results: Results, preset: Preset) -> Iterator["Case"]:
    """A case for each task and kind of perturbation that was measured.

    Raises:
        ValueError: None of the five networks was measured.
    """
    required(results, trainings(preset))
    for task in _tasks(preset):
        of_task = results.select({on_task(preset, name, task): name for name in MAIN})
        for kind in PHRASES:
            names = [name for name, seeds in of_task.items() if f"{kind}_loss" in seeds[0]]
            if names:
                yield Case(task, task == preset.task, kind, names, of_task)


@dataclass(frozen=True)
class Case:
    """The networks of one task under one kind of perturbation.

    Attributes:
        task: Name of the task.
        main: Whether it is the main task of the preset.
        kind: Kind of the perturbation, `STEP` or `CONTRAST`.
        names: Names of the networks, as in `models.NETWORKS`.
        results: Results on the task, by these names.
    """

    task: str
    main: bool
    kind: str
    names: list[str]
    results: Results

    @property
    def figure(self) -> str:
        """The name of the figure."""
        return self.kind if self.main else f"{self.kind}-{self.task}"

    @property
    def phrase(self) -> str:
        """The perturbation in words, with the task if it is not the main task."""
        return PHRASES[self.kind] if self.main else f"{PHRASES[self.kind]}, {self.task}"

    @property
    def chance(self) -> float:
        """The accuracy of a guess."""
        stored = self.results[self.names[0]][0]
        # Measurements of earlier releases are of the paper's tasks alone, and do not say it.
        return 1 / int(stored["classes"] if "classes" in stored else TASKS[self.task].classes)

    @property
    def images(self) -> int:
        """The number of images behind a score."""
        return int(self.results[self.names[0]][0]["images"])

    def amplitudes(self, preset: Preset) -> tuple:
        """The amplitudes ξ or A, which are the rows of a map."""
        return preset.step_amplitudes if self.kind == STEP else preset.contrast_amplitudes

    def scores(self, name: str) -> list[Scores]:
        """The scores of a network, one `Scores` for each seed."""
        return [
            from_arrays(Scores, arrays, f"{self.kind}_", n=self.images)
            for arrays in self.results[name]
        ]

    def stacked(self, what: str) -> dict[str, np.ndarray]:
        """The accuracies or losses by network, (seeds, …) each."""
        return {name: self.results.stacked(name, f"{self.kind}_{what}") for name in self.names}

    def guessing(self) -> list[str]:
        """The networks that do not read unperturbed images clearly better than a guess.

        One seed is enough. Clearly is by more than two standard errors of a guess.
        """
        error = math.sqrt(self.chance * (1 - self.chance) / self.images)
        return [
            name
            for name, accuracy in self.stacked("accuracy").items()
            if (accuracy.reshape(len(accuracy), -1)[:, 0] <= self.chance + 2 * error).any()
        ]

    def overflows(self) -> Iterator[str]:
        """Sentences about the networks whose numbers leave the range of float32."""
        for name, losses in self.stacked("loss").items():
            count = int(np.isinf(losses).sum())
            if count:
                yield (
                    f"{NETWORK_LABELS[name]} overflows {self.phrase} in {count} entries. These "
                    "count with chance accuracy and an infinite loss."
                )
