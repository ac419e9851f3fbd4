"""One experiment, one name: names.py and the modules."""

import importlib
import pkgutil
import re

from aru_keras.runners import experiments
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.names import ANALYZED, EXPERIMENT_NAMES, OF_SEVERAL, PRESET_NAMES
from aru_keras.runners.experiments.presets import PRESETS


def test_every_module_that_declares_an_experiment_is_named():
    modules = [
        importlib.import_module(f"{experiments.__name__}.{module.name}")
        for module in pkgutil.iter_modules(experiments.__path__)
    ]
    declared = [module for module in modules if hasattr(module, "EXPERIMENT")]
    names = {module.EXPERIMENT.name: module.__name__.rpartition(".")[2] for module in declared}
    assert sorted(names) == sorted(EXPERIMENT_NAMES)
    assert all(module == name.replace("-", "_") for name, module in names.items())


def test_experiments_stand_in_the_order_of_their_numbers():
    def order(experiment):
        number = re.fullmatch(r"(\d+)([a-z]?)", experiment.number)
        return int(number[1]), number[2]

    assert list(EXPERIMENTS) == list(EXPERIMENT_NAMES)
    numbers = [order(experiment) for experiment in EXPERIMENTS.values()]
    assert numbers == sorted(set(numbers))


def test_the_lists_of_names_are_those_of_the_modules():
    assert tuple(PRESETS) == PRESET_NAMES
    alone = tuple(name for name, experiment in EXPERIMENTS.items() if experiment.alone)
    assert alone == ANALYZED
    assert set(OF_SEVERAL) == set(EXPERIMENT_NAMES) - set(alone)
