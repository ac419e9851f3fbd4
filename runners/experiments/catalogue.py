"""All experiments by name, in the order of the paper's numbers."""

import importlib

from aru_keras.runners.experiments.experiment import Experiment
from aru_keras.runners.experiments.names import EXPERIMENT_NAMES


def _experiment(name: str) -> Experiment:
    """The experiment that is declared in the module of this name."""
    module = importlib.import_module(f"{__package__}.{name.replace('-', '_')}")
    return module.EXPERIMENT


EXPERIMENTS = {name: _experiment(name) for name in EXPERIMENT_NAMES}
"""The experiments by name."""
