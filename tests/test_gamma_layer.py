"""The layer `Gamma`: its weights, where it stands in models, what it saves."""

import keras
import numpy as np
import pytest
from keras import ops
from support import array, dtype_of, gradients, relative_error

from aru_keras import Gamma, gamma

X = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("fixed", [True, False])
def test_weights(shared, fixed):
    layer = Gamma(shared=shared, fixed=fixed)
    y = layer(X)
    shape = () if shared else (4,)
    assert [(w.name, tuple(w.shape)) for w in layer.weights] == [("n", shape), ("s", shape)]
    assert len(layer.trainable_variables) == (0 if fixed else 2)
    assert layer.count_params() == (2 if shared else 8)
    assert relative_error(array(y), array(gamma(X, array(layer.n), array(layer.s)))) < 1e-6


def test_default_initial_values():
    shared = [float(array(_built(Gamma(shared=True)).n)) for _ in range(20)]
    assert min(shared) >= 5 and max(shared) < 7 and np.std(shared) > 0.3
    per_unit = array(_built(Gamma(), units=4000).n)
    assert abs(per_unit.mean() - 5) < 0.15 and abs(per_unit.std() - 2) < 0.1
    assert not array(_built(Gamma()).s).any()


def test_numbers_as_initial_values():
    layer = _built(Gamma(n_initializer=np.float32(2.5), s_initializer=0.25))
    assert (array(layer.n) == 2.5).all() and (array(layer.s) == 0.25).all()
    again = _built(Gamma.from_config(layer.get_config()))
    assert (array(again.n) == 2.5).all() and (array(again.s) == 0.25).all()


@pytest.mark.parametrize("shared", [True, False])
def test_functional_model_survives_saving(shared, tmp_path):
    inputs = keras.Input((4,))
    hidden = Gamma(shared=shared, n_initializer=2.0, name="first")(keras.layers.Dense(5)(inputs))
    model = keras.Model(inputs, Gamma(shared=shared, name="second")(hidden))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert model.output_shape == again.output_shape == (None, 5)
    assert again.get_layer("second").shared is shared
    assert relative_error(array(again(X)), array(model(X))) < 1e-6


def test_trains_in_a_sequential_model():
    model = keras.Sequential([keras.layers.Dense(5), Gamma(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], verbose=0)
    layer = model.layers[1]
    before = [array(layer.n), array(layer.s)]
    model.fit(X, X[:, :1], verbose=0)
    for old, new in zip(before, (layer.n, layer.s), strict=True):
        assert np.abs(array(new) - old).max() > 0


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_keeps_the_gains_in_float32(policy):
    layer = _built(Gamma(dtype=policy))
    assert dtype_of(layer(X)) == policy.removeprefix("mixed_")
    assert [dtype_of(w) for w in layer.weights] == ["float32", "float32"]
    # 5.001 and 5.003 are one number in either half precision.
    layer.s.assign(ops.full((4,), 0.5))
    found = []
    for n in (5.001, 5.003):
        layer.n.assign(ops.full((4,), n))
        _, (slope,) = gradients(lambda: ops.sum(ops.cast(layer(X), "float32")), variables=[layer.n])
        assert slope.dtype == np.float32 and np.isfinite(slope).all() and slope.any()
        found.append(slope)
    assert np.abs(found[0] - found[1]).max() > 0


def test_gradients_reach_both():
    for shared in (True, False):
        layer = _built(Gamma(shared=shared))
        _, found = gradients(lambda x, m=layer: ops.sum(m(x)), X, variables=layer.weights)
        for gradient, place in zip(found, [X, *layer.weights], strict=True):
            assert gradient.shape == tuple(place.shape) and gradient.any()


def test_passes_a_mask_on():
    model = keras.Sequential(
        [keras.layers.Masking(), Gamma(n_initializer=2.0), keras.layers.SimpleRNN(2)]
    )
    x = np.ones((2, 3, 4), "float32")
    x[:, 2] = 0
    assert relative_error(array(model(x)), array(model(x[:, :2]))) < 1e-6


def test_another_number_of_units_is_refused():
    layer = _built(Gamma())
    for units in (1, 5):
        with pytest.raises(ValueError, match="expected axis -1"):
            layer(np.ones((2, units), "float32"))
    assert _built(Gamma(shared=True))(np.ones((2, 5), "float32")).shape == (2, 5)


def test_an_unknown_number_of_units():
    with pytest.raises(ValueError, match="known last axis"):
        Gamma()(keras.Input((None,)))
    assert Gamma(shared=True)(keras.Input((None,))).shape == (None, None)


def _built(layer, units=4):
    layer.build((None, units))
    return layer
