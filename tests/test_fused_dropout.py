"""Dropout in sequences at once: with the same masks, what the loop step by step computes."""

import keras
import numpy as np
import pytest
from contract import X, assert_same, run
from support import BACKEND, relative_error
from test_fused import EXACT, FUSED, LARGE, SINGLE, every_fused, pair, places
from test_fused_masks import BATCH, STEPS, mask_of, values_and_gradients

from aru_keras import ARU

# Layers of one seed draw the same masks in the same order.
DROPOUT = {"dropout": 0.4, "recurrent_dropout": 0.3, "seed": 11}
ALL_OUTPUTS = {"return_sequences": True, "return_state": True}


def assert_equals_the_loop(case, mask, options, dtype="float64", tolerance=EXACT):
    given = places(case, BATCH, STEPS, dtype)
    layers = pair(case, dtype, **{**DROPOUT, **options})
    assert_same(*(values_and_gradients(layer, given, mask) for layer in layers), tolerance)


@every_fused
@pytest.mark.parametrize("kind", [None, "right", "holes"])
def test_values_last_states_and_every_gradient(case, kind):
    assert_equals_the_loop(case, None if kind is None else mask_of(kind), ALL_OUTPUTS)


@pytest.mark.parametrize("case", [FUSED[0], LARGE], ids=str)
@pytest.mark.parametrize("kind", [None, "left"])
def test_recomputed_residuals(case, kind):
    mask = None if kind is None else mask_of(kind)
    assert_equals_the_loop(case, mask, {**ALL_OUTPUTS, "checkpoint_every": 4})


@pytest.mark.parametrize(
    "options",
    [
        {"recurrent_dropout": 0.0, "return_sequences": True},
        {"dropout": 0.0, "go_backwards": True},
        {"use_bias": False, "zero_output_for_mask": True},
    ],
    ids=str,
)
def test_one_dropout_alone_and_other_options(options):
    assert_equals_the_loop(LARGE, None, options)


def test_dropout_in_float32():
    assert_equals_the_loop(LARGE, None, {"return_sequences": True}, "float32", SINGLE)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_dropout_in_mixed_precision(policy):
    layers = pair(LARGE, policy, **DROPOUT)
    found, expected = (run(layer, X, training=True)[0] for layer in layers)
    assert relative_error(found, expected) < 2e-2


@every_fused
def test_a_stateful_layer_with_dropout(case):
    layers = pair(case, stateful=True, **DROPOUT)
    for layer in layers:
        layer(X, training=True)
    assert_same(*(run(layer, X, training=True) for layer in layers), SINGLE)


def test_training_in_fit_is_that_of_the_loop(monkeypatch):
    """On TensorFlow with a graph that does not know its length."""
    if BACKEND == "tensorflow":
        from aru_keras.fused import tensorflow_shapes

        monkeypatch.setattr(tensorflow_shapes, "COMPILATION", 0.0)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(16, STEPS, 1)).astype("float32"), rng.integers(0, 6, 16)
    weights = []
    for fused in ("auto", False):
        keras.utils.set_random_seed(3)
        inputs = keras.Input((None, 1))
        model = keras.Model(inputs, ARU(6, 3, fused=fused, **DROPOUT)(inputs))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.01), loss)
        model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    assert_same(*weights, 1e-3)  # Gradients of biases are sums that nearly cancel.
