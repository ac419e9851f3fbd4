"""Bad arguments of every public function: an error that names the argument, or a right result."""

import dataclasses
import importlib
import inspect
import pkgutil

import cases_of_experiments
import cases_of_instruments
import cases_of_networks
import keras
import pytest
from bad_arguments import answers

from aru_keras import analysis

CASES = [*cases_of_instruments.CASES, *cases_of_experiments.CASES, *cases_of_networks.CASES]
MODULES = [
    *("activations", "composition", "initializers", "models", "parts", "sizes"),
    *(f"perturbations.{name}" for name in ("contrast", "drives", "forms", "waveform")),
    *("reading", "tasks", "layers.aru", "layers.cell", "layers.gamma", "layers.gamma_rnn"),
    *("layers.rnn", "probing.networks", "probing.online", "probing.recording"),
    *(f"analysis.{module.name}" for module in pkgutil.iter_modules(analysis.__path__)),
]
INNER = ("analysis.differences", "analysis.gamma_numpy", "analysis.golden_section")
"""The inner loops of the analyses, whose arguments are checked where they are handed in."""

ELSEWHERE = {
    "activations.floor_gain": "an inner loop",
    "activations.gamma_partials": "an inner loop",
    "activations.gamma_same_shape": "an inner loop",
    "analysis.heterogeneity.cloud": "takes networks alone, as `gain_scaling` does",
    "analysis.maps.Dynamics": "has no arguments",
    "analysis.maps.checked_function": "is the check",
    "analysis.robustness.Evaluator": "tested with `robustness`",
    "analysis.score_file.ScoreFile": "tested with `robustness`",
    "composition.Perturbation": "has no arguments",
    "composition.composed": "tested as `+` and `as_perturbation`",
    "layers.gamma.add_gamma_weights": "an inner part of two layers",
    "layers.gamma.gain_initializer": "an inner part of two layers",
    "composition.kind_field": "an inner part of the perturbations",
    "composition.set_value": "an inner part of the perturbations",
    "analysis.slow_drive.phases": "takes what `slow_responses` gives",
    "probing.networks.load_model": "reads a file; tested with damaged ones",
    "sizes.check_memory": "an inner part of `build_network`",
    "probing.networks.encoder": "takes apart what `recurrent_layer` has checked",
    "probing.networks.read_out": "takes apart what `recurrent_layer` has checked",
    "probing.networks.sequences_into": "takes apart what `recurrent_layer` has checked",
    "reading.Reading": "what `read` returns",
    "reading.class_probabilities": "an inner part of `read`",
    "tasks.export": "writes a file; tested with `tasks`",
}
"""Public names that have no case here, and why."""

OPTIONS_OF_KERAS = {"name", "dtype", "trainable", "activity_regularizer"}
"""Beside those of `keras.layers.RNN`; Keras checks them."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_arguments(case):
    complaints = list(answers(case))
    assert not complaints, "\n".join(complaints)


def test_every_public_function_has_a_case():
    public = {name for module in MODULES if module not in INNER for name in _public(module)}
    tested = {_name(case.function) for case in CASES}
    assert public - tested == set(ELSEWHERE)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_argument_is_replaced(case):
    of_keras = set(inspect.signature(keras.layers.RNN).parameters) | OPTIONS_OF_KERAS
    assert case.names() - of_keras <= set(case.arguments())


def _public(module):
    """What a module defines without an underscore, but for the records that functions return."""
    for name, value in vars(importlib.import_module(f"aru_keras.{module}")).items():
        own = getattr(value, "__module__", None) == f"aru_keras.{module}"
        record = dataclasses.is_dataclass(value) and "__post_init__" not in vars(value)
        if own and callable(value) and not record and not name.startswith("_"):
            yield f"{module}.{name}"


def _name(function):
    return f"{function.__module__}.{function.__qualname__}".removeprefix("aru_keras.")
