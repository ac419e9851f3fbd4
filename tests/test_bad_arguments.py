"""Bad arguments of every public function: an error that names the argument, or a right result."""

import dataclasses
import importlib
import inspect
import pkgutil

import cases_of_data
import cases_of_experiments
import cases_of_instruments
import cases_of_networks
import cases_of_sequences
import keras
import pytest
from bad_arguments import answers

from aru_keras import analysis

CASES = [
    *(*cases_of_instruments.CASES, *cases_of_experiments.CASES),
    *(*cases_of_networks.CASES, *cases_of_data.CASES, *cases_of_sequences.CASES),
]
MODELS = ("model_cards", "networks", "pretrained", "sizes", "weight_groups")
MODULES = [
    *("activations", "initializers"),
    *(f"models.{name}" for name in MODELS),
    *(
        f"perturbations.{name}"
        for name in ("base", "contrast", "drives", "forms", "inputs", "waveform")
    ),
    *(
        "probing.reading",
        "tasks.arrays",
        "tasks.loading",
        "tasks.synthetic",
        "layers.aru",
        "layers.aru_cell",
        "layers.cell",
        "layers.gamma",
        "layers.gamma_rnn",
        "layers.gamma_rnn_cell",
    ),
    *("layers.rnn", "probing.graph", "probing.online", "probing.recording"),
    *("probing.labelled", "probing.tables"),
    *(
        f"analysis.{module.name}"
        for module in pkgutil.iter_modules(analysis.__path__)
        if not module.name.startswith("_")
    ),
]
"""Modules with public functions; what is private is checked where it is handed in."""

ELSEWHERE = {
    "activations.floor_gain": "an inner loop",
    "activations.gamma_partials": "an inner loop",
    "activations.gamma_same_shape": "an inner loop",
    "activations.gamma_value": "an inner loop",
    "analysis.heterogeneity.parameter_cloud": "takes networks alone, as gain scaling does",
    "analysis.maps.Dynamics": "has no arguments",
    "analysis.evaluation.Evaluator": "tested with `robustness`",
    "analysis.score_file.ScoreFile": "tested with `robustness`",
    "perturbations.base.Perturbation": "has no arguments",
    "analysis.slow_drive.phases": "takes what `slow_responses` gives",
    "probing.graph.load_model": "reads a file; tested with damaged ones",
    "models.pretrained.pretrained_folder": "an inner part of `load_pretrained`",
    "models.pretrained.pretrained_name": "an inner part of `load_network`",
    "models.pretrained.run_path": "an inner part of `load_network`",
    "models.sizes.check_memory": "an inner part of `build_network`",
    "probing.graph.encoder": "takes apart what `recurrent_layer` has checked",
    "probing.graph.skips_padding": "takes apart what `recurrent_layer` has checked",
    "probing.graph.read_out": "takes apart what `recurrent_layer` has checked",
    "probing.graph.sequences_into": "takes apart what `recurrent_layer` has checked",
    "probing.reading.Reading": "what `read` returns",
    "probing.reading.class_probabilities": "an inner part of `read`",
    "probing.reading.label_of": "an inner part of `read`",
    "probing.reading.liveliest": "an inner part of `Reading`",
    "probing.reading.outputs_of": "an inner part of `read`",
    "tasks.loading.export": "writes a file; tested with `tasks`",
}
"""Public names that have no case here, and why."""

OPTIONS_OF_KERAS = {"name", "dtype", "trainable", "activity_regularizer"}
"""Beside those of `keras.layers.RNN`; Keras checks them."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_arguments(case):
    pytest.importorskip(case.needs)
    complaints = list(answers(case))
    assert not complaints, "\n".join(complaints)


def test_every_public_function_has_a_case():
    public = {name for module in MODULES for name in _public(module)}
    tested = {_name(case.function) for case in CASES}
    assert public - tested == set(ELSEWHERE)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_argument_is_replaced(case):
    pytest.importorskip(case.needs)
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
