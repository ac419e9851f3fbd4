"""What experiments 3 and 4 share: networks under grids of perturbations, case by case."""

import math
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from aru_keras.analysis import robustness as analysis
from aru_keras.analysis.robustness import Evaluator, Score
from aru_keras.analysis.score_file import ScoreFile
from aru_keras.models import GATED
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments.measured import required
from aru_keras.runners.experiments.presets import Preset
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.trainings import MAIN, on_task
from aru_keras.runners.experiments.workspace import Network

STEP, CONTRAST = "step", "contrast"
PHRASES = {STEP: "under the step drive", CONTRAST: "under contrast"}
GREY = "scifar10"
"""The paper's second task of these experiments, in a preset that trains on it."""


def measured(network: Network, grids: dict, limit: int | None) -> dict[str, np.ndarray]:
    """Accuracy and loss over grids of perturbations, as far as the network takes them.

    Args:
        network: The network; scores are kept in its folder one by one.
        grids: Perturbations by kind.
        limit: Only the first images; None: all.
    """
    evaluate = Evaluator(network.model, network.task, limit=limit)
    identity = {**evaluate.identity(), **network.model_file_hash()}
    path = network.folder.path / f"scores-{identity['images']}-images.json"
    done = ScoreFile(path, identity)
    if not os.access(path.parent, os.W_OK):
        done = dict(done)  # Whoever may only read a run may measure it.
    score = _overflowing(evaluate, network.task.classes, identity["images"])
    found = {"images": np.array(identity["images"])}
    for kind, grid in grids.items():
        if kind == STEP and network.config.model in GATED:
            continue
        scores = analysis.measure(score, grid, done=done, progress=sys.stdout.isatty())
        found |= {f"{kind}_accuracy": scores.accuracy, f"{kind}_loss": scores.loss}
    return found


def _overflowing(evaluate, classes, images):
    """`evaluate`, but an infinite loss and the accuracy of chance where the network overflows."""

    def score(perturbation):
        try:
            return evaluate(perturbation)
        except analysis.NetworkOverflowError:
            # What fails without a perturbation as well is a mistake.
            if not perturbation.parts:
                raise
            return Score(math.inf, 1 / classes, images)

    return score


def _tasks(preset):
    """The main task, and sCIFAR10 in grey where the preset trains on it."""
    return (preset.task, *(task for task in preset.table_tasks if task == GREY))


def trainings(preset: Preset) -> list[str]:
    """Of the five networks on each task."""
    return [on_task(preset, name, task) for task in _tasks(preset) for name in MAIN]


def cases(results: Results, preset: Preset) -> Iterator["Case"]:
    """A case for each task and perturbation that was measured.

    Raises:
        ValueError: None of the five networks was.
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
        task: Its name.
        main: Whether it is the preset's main one.
        kind: `STEP` or `CONTRAST`.
        names: Of the networks, as in `models.NETWORKS`.
        results: Of the task, by these names.
    """

    task: str
    main: bool
    kind: str
    names: list[str]
    results: Results

    @property
    def figure(self) -> str:
        """Name of its figure."""
        return self.kind if self.main else f"{self.kind}-{self.task}"

    @property
    def phrase(self) -> str:
        """The perturbation in words, and the task where it is not the main one."""
        return PHRASES[self.kind] if self.main else f"{PHRASES[self.kind]}, {self.task}"

    @property
    def images(self) -> int:
        """Number of images behind a score."""
        return int(self.results[self.names[0]][0]["images"])

    def amplitudes(self, preset: Preset) -> tuple:
        """ξ or A, the rows of a map."""
        return preset.step_amplitudes if self.kind == STEP else preset.contrast_amplitudes

    def stacked(self, what: str) -> dict[str, np.ndarray]:
        """ "accuracy" or "loss" by network, (seeds, …)."""
        return {name: self.results.stacked(name, f"{self.kind}_{what}") for name in self.names}

    def overflows(self) -> Iterator[str]:
        """What a reader must know of networks whose numbers left float32."""
        for name, losses in self.stacked("loss").items():
            count = int(np.isinf(losses).sum())
            if count:
                yield (
                    f"{NETWORK_LABELS[name]} overflows {self.phrase} in {count} cells: they count "
                    "as chance, with an infinite loss."
                )
