"""Presets and experiments of the tests, on the command line and in the functions behind it."""

from aru_keras.runners.commands import analyze, reproduce
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.presets import PRESETS


def offer_preset(patch, preset):
    """Let both commands know a preset."""
    patch.setitem(PRESETS, preset.name, preset)
    for command in (analyze, reproduce):
        patch.setattr(command, "PRESET_NAMES", (*command.PRESET_NAMES, preset.name))


def offer_experiment(patch, experiment):
    """Let `aru-keras reproduce` know an experiment."""
    patch.setitem(EXPERIMENTS, experiment.name, experiment)
    patch.setattr(reproduce, "EXPERIMENT_NAMES", (*reproduce.EXPERIMENT_NAMES, experiment.name))
