"""The arguments of the layers and cells, as an editor or `help` shows them."""

import doctest
import inspect

import keras
import numpy as np
import pytest

from aru_keras import ARU, ARUCell, DrivenRNN, DrivenRNNCell, GammaRNN, GammaRNNCell, layers

CLASSES = [getattr(layers, name) for name in layers.__all__]
PAIRS = [(ARU, ARUCell), (GammaRNN, GammaRNNCell), (DrivenRNN, DrivenRNNCell)]
every_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)


def spelled_out(cls):
    """The parameters that the class names in its own `__init__`."""
    parameters = inspect.signature(vars(cls)["__init__"]).parameters
    return {name: one for name, one in parameters.items() if name not in ("self", "kwargs")}


@every_class
def test_every_argument_is_named_annotated_and_documented(cls):
    for name, parameter in spelled_out(cls).items():
        assert parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD), name
        assert parameter.annotation is not parameter.empty, name
        assert f"        {name}: " in cls.__doc__, name


@every_class
def test_every_saved_argument_is_one_of_the_signature(cls):
    arguments = {"units": 3, "controller_units": 2, "layer": ARU(3, 2), "policy_size": 2}
    arguments["cell"] = keras.layers.GRUCell(3)
    given = {name: value for name, value in arguments.items() if name in spelled_out(cls)}
    of_keras = set(keras.layers.Layer().get_config())
    assert set(cls(**given).get_config()) - of_keras <= set(spelled_out(cls))


@pytest.mark.parametrize(("layer", "cell"), PAIRS, ids=lambda cls: cls.__name__)
def test_a_layer_has_the_arguments_of_its_cell_with_the_same_defaults(layer, cell):
    ours, of_cell = spelled_out(layer), spelled_out(cell)
    assert [name for name in ours if name in of_cell] == list(of_cell)
    for name, parameter in of_cell.items():
        assert ours[name] == parameter


@pytest.mark.parametrize("layer", [layer for layer, _ in PAIRS], ids=lambda cls: cls.__name__)
def test_a_layer_has_the_arguments_and_defaults_of_keras_rnn_in_its_order(layer):
    of_keras = inspect.signature(keras.layers.RNN.__init__).parameters
    shared = [name for name in of_keras if name not in ("self", "cell", "kwargs")]
    ours = spelled_out(layer)
    assert [name for name in ours if name in shared] == shared
    assert all(ours[name].default == of_keras[name].default for name in shared)


@every_class
def test_the_example_of_the_docstring_runs(cls):
    names = {"np": np, "keras": keras, **vars(layers)}
    runner = doctest.DocTestRunner()
    for test in doctest.DocTestFinder(recurse=False).find(cls, globs=names):
        runner.run(test)
    assert runner.failures == 0
