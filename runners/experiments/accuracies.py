"""Accuracies of networks, unperturbed and perturbed, for experiments 2, 5 and 20."""

import dataclasses
from typing import Any

from aru_keras.analysis.evaluation import Evaluator
from aru_keras.models import GATED
from aru_keras.runners.experiments.experiment import SHARE
from aru_keras.runners.experiments.presets import Preset
from aru_keras.runners.experiments.trained_run import TrainedRun

ACCURACY = "accuracy (%)"
PLAIN, NOISE = "plain", "noise"
CONDITIONS = {PLAIN: None, NOISE: "noise", "step": "step", "sine": "contrast"}
"""The perturbations of the paper's section C.4, with its values, by its names."""

KEPT = {PLAIN: SHARE, NOISE: dataclasses.replace(SHARE, optional=True)}
"""The arrays of `measure_accuracy`, for `Experiment.keeps`."""


def measure_accuracy(network: TrainedRun, preset: Preset) -> dict[str, float]:
    """The unperturbed accuracy, and the accuracy under the noisy drive if a drive can be added."""
    conditions = [PLAIN] if network.config.model in GATED else [PLAIN, NOISE]
    return measure_conditions(network, conditions)


def measure_conditions(network: TrainedRun, conditions: Any) -> dict[str, float]:
    """The accuracy under each of some `CONDITIONS`."""
    evaluate = Evaluator(network.model, network.task)
    return {name: evaluate(CONDITIONS[name]).accuracy for name in conditions}
