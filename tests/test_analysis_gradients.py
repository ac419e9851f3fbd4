"""Where dL/dW_hh comes from, against automatic differentiation with the states detached."""

import keras
import numpy as np
import pytest
from keras import ops
from support import BACKEND, gradients, relative_error

from aru_keras import ARU, DrivenRNN, GammaRNN, models
from aru_keras.analysis.gradients import (
    propagation,
    propagation_from_adjoints,
    propagation_of_simple_rnn,
)

B, T, I, N, CLASSES = 6, 7, 2, 5, 3  # noqa: E741
RNG = np.random.default_rng(0)
X = RNG.normal(size=(B, T, I))
LABELS = RNG.integers(0, CLASSES, B)
LAYERS = {
    "arun": lambda **o: ARU(N, 4, **o),
    "gamma": lambda **o: GammaRNN(N, **o),
    "relu": lambda **o: DrivenRNN(N, **o),
}
# On torch Keras' matrix product, and so the read-out, is of float32 precision.
EXACT = 1e-5 if BACKEND == "torch" else 1e-12


def network(name, dtype="float64", batch=None, **options):
    pixels = keras.Input(batch_shape=(batch, T, I), dtype=dtype)
    layer = LAYERS[name](dtype=dtype, name="recurrent", **options)
    h = layer(pixels)
    h = h[0] if isinstance(h, list | tuple) else h
    model = keras.Model(pixels, keras.layers.Dense(CLASSES, dtype=dtype)(h))
    rng = np.random.default_rng(1)
    for weight in model.weights:
        start = {"n": 2.0, "readout_bias": np.array([2.0, 0.3])}.get(weight.name, 0.0)
        weight.assign(start + 0.5 * rng.normal(size=weight.shape))
    return model


def cross_entropy(logits, labels=LABELS):
    lowered = logits - ops.stop_gradient(ops.max(logits, axis=1, keepdims=True))
    target = ops.convert_to_tensor(np.eye(logits.shape[1])[labels], dtype=logits.dtype)
    target = ops.sum(lowered * target, axis=1)
    losses = ops.log(ops.sum(ops.exp(lowered), axis=1)) - target
    return ops.sum(losses) / len(labels)


def detached_gradient(model, t0):
    """dL/dW_hh by automatic differentiation, every state detached before step t0."""
    cell, readout = model.get_layer("recurrent").cell, model.layers[-1]

    def loss(x):
        states = cell.get_initial_state(B)
        for t in range(T):
            if t == t0:
                states = [ops.stop_gradient(state) for state in states]
            h, states = cell(x[:, t], states)
        return cross_entropy(h @ readout.kernel.value + readout.bias.value)

    (_, found) = gradients(loss, X, variables=[cell.recurrent_kernel])[1]
    return np.zeros((N, N)) if found is None else found


@pytest.mark.parametrize("name", LAYERS)
def test_detaching_the_states_leaves_the_partial_sum(name):
    model = network(name)
    found = propagation(model, X, LABELS)
    known = [detached_gradient(model, t0) for t0 in range(T)]
    norms = np.array([np.linalg.norm(one) for one in known])
    assert (np.diff(norms[1:]) != 0).all() and norms[-1] > 0
    assert relative_error(found.gradient, known[0]) < EXACT
    assert relative_error(found.detached, norms) < EXACT
    steps = [np.linalg.norm(a - b) for a, b in zip(known, [*known[1:], 0 * known[0]], strict=True)]
    assert relative_error(found.contributions, steps) < EXACT
    assert found.lengths.tolist() == list(range(T, 0, -1))


@pytest.mark.parametrize(
    ("name", "encoder"), [("arun", "linear"), ("relu", "linear"), ("arun", "conv")]
)
def test_the_whole_is_the_gradient_of_the_loss_of_the_model(name, encoder):
    shape = (T, 1) if encoder == "linear" else (8, 8, 3)
    model = models.build_network(
        name, shape, encoder=encoder, classes=CLASSES, units=N, controller_units=4
    )
    x = RNG.random((B, *shape)).astype("float32")
    kernel = model.get_layer("recurrent").cell.recurrent_kernel
    _, (_, known) = gradients(
        lambda pixels: cross_entropy(model(pixels, training=False)), x, variables=[kernel]
    )
    found = propagation(model, x, LABELS)
    # Float32 over a few steps.
    assert relative_error(found.gradient, known) < 1e-4


def test_batches_make_no_difference():
    model = network("arun")
    whole, parts = (propagation(model, X, LABELS, batch_size=size) for size in (B, 4))
    assert relative_error(parts.gradient, whole.gradient) < EXACT
    assert relative_error(parts.contributions, whole.contributions) < EXACT


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize(
    "options",
    [
        {"dropout": 0.5, "recurrent_dropout": 0.5, "seed": 1},
        {"stateful": True, "batch": B},
        {"return_state": True},
    ],
    ids=["dropout", "stateful", "states too"],
)
def test_options_of_the_layer_make_no_difference(name, options):
    model = network(name, **options)
    layer = model.get_layer("recurrent")
    model(X)
    before = [ops.convert_to_numpy(state).copy() for state in layer.states or ()]
    found, known = propagation(model, X, LABELS), propagation(network(name), X, LABELS)
    assert relative_error(found.gradient, known.gradient) < EXACT
    assert relative_error(found.contributions, known.contributions) < EXACT
    for state, value in zip(layer.states or (), before, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(state), value)


def test_a_simple_rnn_from_its_weights_is_our_layer():
    model = network("relu")
    readout = model.layers[-1].get_weights()
    weights = model.get_layer("recurrent").get_weights()
    found = propagation_of_simple_rnn(weights, readout, X, LABELS, "relu")
    known = propagation(model, X, LABELS)
    assert relative_error(found.gradient, known.gradient) < EXACT
    assert relative_error(found.detached, known.detached) < EXACT


@pytest.mark.parametrize("activation", ["linear", "relu", "tanh", "sigmoid"])
def test_a_simple_rnn_from_its_weights_is_the_one_of_keras(activation):
    pixels = keras.Input((T, I))
    layer = keras.layers.SimpleRNN(N, activation=activation, bias_initializer="random_normal")
    model = keras.Model(pixels, keras.layers.Dense(CLASSES)(layer(pixels)))
    x = X.astype("float32")
    matrix = layer.cell.recurrent_kernel
    _, (_, known) = gradients(lambda x: cross_entropy(model(x)), x, variables=[matrix])
    readout = model.layers[-1].get_weights()
    found = propagation_of_simple_rnn(layer.get_weights(), readout, x, LABELS, activation)
    # Keras computes it in float32.
    assert relative_error(found.gradient, known) < 1e-5


def test_a_chain_whose_gradient_is_known():
    """h_t = w·h_{t−1} + x_t of one unit, L linear in h_T: step t adds h_{t−1}·w^(T−1−t)."""
    w, steps = 0.5, 6
    h = np.cumsum(w ** np.arange(steps))[None, :, None]
    adjoints = (w ** np.arange(steps)[::-1])[None, :, None]
    found = propagation_from_adjoints(h, adjoints)
    terms = np.r_[0, h[0, :-1, 0]] * adjoints[0, :, 0]
    np.testing.assert_allclose(found.contributions, terms, rtol=1e-14)
    np.testing.assert_allclose(found.detached, np.cumsum(terms[::-1])[::-1], rtol=1e-14)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: propagation(network("relu"), X, LABELS[:-1]), "one for each of `x`"),
        (lambda: propagation(network("relu"), X, LABELS * 0.5), "whole numbers"),
        (
            lambda: propagation(
                models.build_network("relu", (T, I), padding=0.0, drive=True), X, LABELS
            ),
            "mask no step",
        ),
        (
            lambda: propagation(
                models.build_network(
                    "lstm", (T, I), units=20, controller_units=9, match_parameters=False
                ),
                X,
                LABELS,
            ),
            "exactly one ARU",
        ),
        (
            lambda: propagation_from_adjoints(np.full((1, 2, 1), np.inf), np.ones((1, 2, 1))),
            "explodes",
        ),
        (lambda: propagation_of_simple_rnn([], [], X, LABELS, "rleu"), "Did you mean 'relu'"),
    ],
)
def test_what_does_not_fit_is_an_error(call, message):
    with pytest.raises(ValueError, match=message):
        call()
