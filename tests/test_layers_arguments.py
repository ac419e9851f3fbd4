"""Keras' own arguments: biases, regularizers, constraints, and the properties that show them."""

import inspect

import keras
import numpy as np
import pytest
from contract import CASES, DRIVE, B, I, N, T, X, assert_same, every_case, run
from keras import ops
from support import array

from aru_keras import ARU, DrivenRNN, DrivenRNNCell, GammaRNN, models, probing
from aru_keras.analysis import dynamics_of
from aru_keras.models import weight_groups

KERAS = inspect.signature(keras.layers.SimpleRNNCell.__init__).parameters
every_kind = pytest.mark.parametrize("kind", ["regularizer", "constraint"])


def stems(case):
    """The names of the weights as Keras' arguments have them."""
    return [name.replace("recurrent_kernel", "recurrent") for name in case.weights]


@every_case
def test_the_arguments_of_keras_cells_are_here_in_their_order(case):
    names = list(inspect.signature(case.cell).parameters)
    of_keras = [name for name in KERAS if name not in ("self", "kwargs")]
    shared = [name for name in of_keras if name in names]
    assert set(of_keras) - set(shared) <= {"activation"}
    assert [name for name in names if name in shared] == shared


@every_case
def test_arguments_of_the_cell_are_properties_of_the_layer(case):
    layer = case.layer(**case.arguments, kernel_regularizer="l2", dropout=0.25, seed=4)
    for name in inspect.signature(case.cell).parameters:
        if name != "kwargs":
            assert getattr(layer, name) is getattr(layer.cell, name)
    assert layer.units == N and layer.dropout == 0.25 and layer.seed == 4
    assert isinstance(layer.kernel_initializer, keras.initializers.Initializer)
    assert isinstance(layer.kernel_regularizer, keras.regularizers.L2)
    with pytest.raises(AttributeError):
        layer.units = 3
    assert not hasattr(layer, "no_such_argument")


def test_arguments_of_a_cell_of_ones_own_are_properties_too():
    class Cell(DrivenRNNCell):
        def __init__(self, units, activation="relu", leak=0.5, **kwargs):
            super().__init__(units, activation, **kwargs)
            self.leak = leak

    class Layer(DrivenRNN):
        cell_class = Cell

    assert Layer(3).leak == 0.5 and not hasattr(DrivenRNN(3), "leak")


@every_case
def test_without_a_bias_there_is_no_such_weight(case, tmp_path):
    layer, biased = case.make_layer(use_bias=False), case.make_layer(bias_initializer="zeros")
    assert layer.cell.bias is None
    assert [w.name for w in layer.weights] == [name for name in case.weights if name != "bias"]
    for weight in biased.weights:
        same = getattr(layer.cell, weight.name)
        weight.assign(ops.zeros(weight.shape) if same is None else same)
    assert_same(run(layer, X, drive=DRIVE), run(biased, X, drive=DRIVE))
    found, expected = (probing.record(each, X, ("a", "h")) for each in (layer, biased))
    assert_same(list(found.values()), list(expected.values()))
    assert dynamics_of(layer, bias=True).parameters()["bias"] == 0
    model = keras.Sequential([keras.Input((T, I)), layer])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert_same(run(again, X), run(layer, X))


def test_groups_of_weights_of_a_network_without_biases():
    layer = GammaRNN(3, use_bias=False, name="recurrent")
    model = keras.Sequential([keras.Input((T, I)), layer], name="gamma")
    names = [weight.name for weight in weight_groups._variables(model, "recurrent")]
    assert names == ["kernel", "recurrent_kernel"]
    assert models.trainable_parameters(model) == 3 * I + 3 * 3 + 3 + 3


@every_case
@every_kind
def test_arguments_of_every_weight_come_back_and_reach_it(case, kind):
    made = {
        "regularizer": lambda k: keras.regularizers.L1(0.1 * k),
        "constraint": lambda k: keras.constraints.MaxNorm(float(k), axis=None),
    }[kind]
    given = {f"{stem}_{kind}": made(k) for k, stem in enumerate(stems(case), 1)}
    layer = case.layer(**case.arguments, **given)
    again = case.layer.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    again.build((B, T, I))
    for weight, expected in zip(again.weights, given.values(), strict=True):
        assert getattr(weight, kind).get_config() == expected.get_config()


@every_case
def test_regularizers_of_the_weights_that_train_add_their_losses(case):
    given = {f"{stem}_regularizer": keras.regularizers.L2(0.1) for stem in stems(case)}
    layer = case.make_layer(**given)
    expected = sum(0.1 * (array(w) ** 2).sum() for w in layer.trainable_weights)
    assert array(sum(layer.losses)) == pytest.approx(expected, rel=1e-5)


def test_fit_counts_the_losses_of_regularizers_and_applies_constraints():
    given = {"controller_kernel_regularizer": "l2", "readout_kernel_constraint": "unit_norm"}
    layer = CASES[-1].make_layer(kernel_constraint="non_neg", fused=False, **given)
    expected = 0.01 * (array(layer.cell.controller_kernel) ** 2).sum()
    model = keras.Sequential([keras.Input((T, I)), layer])
    model.compile(keras.optimizers.SGD(0.0), loss=lambda y, h: 0 * ops.sum(h))
    history = model.fit(X, np.zeros((B, N), "float32"), verbose=0).history
    assert history["loss"] == pytest.approx([expected], rel=1e-5)
    assert (array(layer.cell.kernel) >= 0).all() and array(layer.cell.recurrent_kernel).min() < 0
    assert np.allclose(np.linalg.norm(array(layer.cell.readout_kernel), axis=0), 1, rtol=1e-5)


@every_kind
@pytest.mark.parametrize("value", ["no such", 3.0, object, [1]], ids=str)
def test_bad_regularizers_and_constraints(kind, value):
    for name in (f"kernel_{kind}", f"controller_bias_{kind}"):
        with pytest.raises(ValueError, match=f"`{name}` must be a {kind} .* Received"):
            ARU(3, 2, **{name: value})


def test_bad_biases():
    with pytest.raises(ValueError, match="`use_bias` must be True or False"):
        DrivenRNN(3, use_bias="no")
