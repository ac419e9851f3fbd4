"""The contract of every cell and layer in training: gradients, precisions, compiled steps."""

import keras
import numpy as np
import pytest
from contract import (
    CASES,
    DRIVE,
    B,
    I,
    N,
    T,
    X,
    assert_same,
    every_case,
    keras_rnn,
    run,
    settle,
    slopes,
    steps,
)
from keras import ops
from support import BACKEND, array, arrays, dtype_of, gradients, relative_error

from aru_keras import probing

HALF = pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
# Some steps of half precision at values of a few units.
TOLERANCE = {"mixed_float16": 0.01, "mixed_bfloat16": 0.08}


@every_case
def test_gradients_reach_every_weight(case):
    layer = case.make_layer()
    found = slopes(layer, X, variables=layer.trainable_variables)
    for gradient, place in zip(found, [X, *layer.trainable_variables], strict=True):
        assert gradient is not None and np.isfinite(gradient).all() and gradient.any()
        assert gradient.dtype == np.float32 and gradient.shape == tuple(place.shape)


@every_case
def test_gradients_are_the_slopes_of_the_loss(case):
    """Central differences along a random direction of all weights, in float64."""
    layer = case.make_layer(dtype="float64", return_sequences=True)
    variables = layer.trainable_variables
    x, drive = X.astype("float64"), DRIVE.astype("float64")
    weights = np.random.default_rng(5).normal(size=(B, T, N))

    def loss():
        return ops.sum(layer(x, drive=drive) * ops.convert_to_tensor(weights))

    _, found = gradients(loss, variables=variables)
    rng, size = np.random.default_rng(6), 1e-6
    starts = [array(v).copy() for v in variables]
    directions = [rng.normal(size=v.shape) for v in variables]
    values = []
    for sign in (1, -1):
        for v, start, direction in zip(variables, starts, directions, strict=True):
            v.assign(start + sign * size * direction)
        values.append(float(array(loss())))
    slope = sum((g * d).sum() for g, d in zip(found, directions, strict=True))
    assert abs((values[0] - values[1]) / (2 * size) - slope) < 1e-5 * abs(slope)


@every_case
def test_float64_throughout(case):
    layer = case.make_layer(dtype="float64", return_sequences=True, return_state=True)
    x, drive = X.astype("float64"), DRIVE.astype("float64")
    outputs = layer(x, drive=drive)
    assert {dtype_of(y) for y in outputs} == {"float64"}
    assert {dtype_of(w) for w in layer.weights} == {"float64"}
    # Agreement far beyond float32 with the cell by hand, whose loop differs.
    assert_same(arrays(outputs), steps(case.make_cell(dtype="float64"), x, drive), 1e-13)
    weights = np.random.default_rng(5).normal(size=(B, T, N))
    _, found = gradients(
        lambda x, d: ops.sum(layer(x, drive=d)[0] * ops.convert_to_tensor(weights)),
        x,
        drive,
        variables=layer.trainable_variables,
    )
    assert {g.dtype for g in found} == {np.dtype("float64")}


@every_case
def test_float32_stays_float32(case):
    """Also where JAX knows float64, as in this suite."""
    layer = case.make_layer(return_state=True)
    assert {dtype_of(y) for y in layer(X, drive=0.5)} == {"float32"}
    assert {dtype_of(w) for w in layer.weights} == {"float32"}
    assert {v.dtype.name for v in probing.record(layer, X, case.signals).values()} == {"float32"}


@every_case
@HALF
def test_mixed_precision_keeps_gains_and_controller_in_float32(case, policy):
    half = policy.removeprefix("mixed_")
    layer = case.make_layer(dtype=policy, return_sequences=True)
    full = case.make_layer(return_sequences=True)
    assert dtype_of(layer(X)) == half
    assert {dtype_of(w) for w in layer.weights} == {"float32"}
    ours = probing.record(layer, X, case.signals, DRIVE)
    expected = probing.record(full, X, case.signals, DRIVE)
    for name in case.signals:
        assert ours[name].dtype == np.float32
        assert relative_error(ours[name], expected[name]) < TOLERANCE[policy], name
        rounded = array(ops.cast(ops.cast(ours[name], half), "float32"))
        if name in ("n", "s", "g") and case.name != "gamma-fixed":
            assert (rounded != ours[name]).any(), f"{name} was rounded"
        if name == "h":
            assert (rounded == ours[name]).all()


@every_case
@HALF
def test_mixed_precision_carries_each_state_in_its_dtype(case, policy):
    half = policy.removeprefix("mixed_")
    cell = case.make_cell(dtype=policy)
    dtypes = [half, "float32"][: len(case.states)]
    states = cell.get_initial_state(batch_size=B)
    assert [dtype_of(state) for state in states] == dtypes
    h, states = cell(X[:, 0], states)
    assert [dtype_of(h), *map(dtype_of, states)] == [half, *dtypes]
    # The loop carries what the cell gives: equal to the last bit of the half precision.
    layer = case.make_layer(dtype=policy, return_sequences=True)
    by_hand = steps(cell, X)[0]
    assert relative_error(run(layer, X)[0], by_hand) < 2 * {"float16": 2e-3, "bfloat16": 1e-2}[half]
    # In Keras' own RNN every state is half precision; the weights and signals still are not.
    rnn = keras_rnn(layer, return_sequences=True, dtype=policy)
    assert dtype_of(rnn(X)) == half
    assert relative_error(run(rnn, X)[0], by_hand) < TOLERANCE[policy]


@every_case
@HALF
def test_mixed_precision_gradients(case, policy):
    layer = case.make_layer(dtype=policy)
    full = case.make_layer()
    found = slopes(layer, X, variables=layer.trainable_variables)
    expected = slopes(full, X, variables=full.trainable_variables)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == np.float32 and a.shape == b.shape and np.isfinite(a).all()
    # As one vector: a gradient that is small by cancellation has no digits to spare.
    found, expected = (np.concatenate([g.ravel() for g in gs]) for gs in (found, expected))
    assert np.linalg.norm(found - expected) < 4 * TOLERANCE[policy] * np.linalg.norm(expected)


@every_case
def test_pure_half_precision_runs(case):
    layer = case.make_layer(dtype="bfloat16")
    y = layer(X, drive=0.5)
    assert dtype_of(y) == "bfloat16"
    assert relative_error(array(y), run(case.make_layer(), X, drive=0.5)[0]) < 0.1


@every_case
def test_a_float32_cell_in_a_mixed_layer_computes_in_float32(case):
    cell = case.make_cell(dtype="float32")
    x = array(ops.cast(ops.cast(X, "float16"), "float32"))
    rnn = keras.layers.RNN(cell, return_sequences=True, dtype="mixed_float16")
    expected = steps(cell, x)[0]
    found = run(rnn, x)[0]
    assert found.dtype == np.float16
    assert (found == expected.astype("float16")).mean() > 0.95
    assert relative_error(found, expected) < 1e-3


@every_case
@pytest.mark.parametrize("compiled", [False, True])
def test_fit(case, compiled):
    if compiled and BACKEND == "torch":
        pytest.skip(
            "torch: torch.compile breaks its graph at each step of Keras' loop, for minutes"
        )
    layer = case.make_layer()
    model = keras.Sequential([keras.Input((T, I)), layer, keras.layers.Dense(1)])
    settle(model.layers[-1])
    y = np.ones((B, 1), "float32")
    before = [array(w).copy() for w in layer.weights]
    model.compile(keras.optimizers.SGD(0.01), "mse", jit_compile=compiled)
    start = model.evaluate(X, y, verbose=0)
    losses = model.fit(X, y, batch_size=B, epochs=3, verbose=0).history["loss"]
    assert relative_error(losses[0], start) < 1e-5
    assert losses[-1] < losses[0]
    for weight, old in zip(layer.weights, before, strict=True):
        assert (array(weight) != old).any() == (weight.name not in case.untrained), weight.name


def test_frozen_layers_do_not_train():
    layer = CASES[-1].make_layer(trainable=False)
    assert not layer.trainable_variables and len(layer.weights) == 8
    assert not CASES[-1].layer.from_config(layer.get_config()).trainable
