"""Masked sequences at once: the values and gradients of the loop step by step."""

import keras
import numpy as np
import pytest
from contract import X, assert_same, run
from keras import ops
from support import BACKEND, array, gradients, only_on
from test_fused import EXACT, FUSED, LARGE, MODE, SINGLE, every_fused, pair, places

from aru_keras import ARU

BATCH, STEPS = 6, 9


def mask_of(kind):
    """A mask, (B, T), of sequences of different length; the last one has no step at all."""
    if kind == "holes":
        mask = np.random.default_rng(5).random((BATCH, STEPS)) < 0.5
    else:
        mask = np.arange(STEPS) < np.array([3, 1, 5, 7, 4, 0])[:, None]
        mask = mask[:, ::-1] if kind == "left" else mask
    mask[-1] = False
    return mask


every_kind = pytest.mark.parametrize("kind", ["right", "left", "holes"])


def all_outputs(layer, x, drive, *states, mask):
    outputs = layer(x, drive=drive, initial_state=list(states), mask=mask, training=True)
    return outputs if isinstance(outputs, list | tuple) else [outputs]


def values_and_gradients(layer, given, mask):
    """Every output, and the gradients of a weighted sum of them in all that it depends on."""

    def total(x, drive, *states):
        outputs = all_outputs(layer, x, drive, *states, mask=mask)
        return sum(ops.sum(ops.cos(ops.arange(y.shape[-1], dtype=y.dtype)) * y) for y in outputs)

    variables = layer.trainable_variables
    value, found = gradients(total, *given, variables=variables, mode=MODE)
    outputs = all_outputs(layer, *map(ops.convert_to_tensor, given), mask=mask)
    return [*map(array, outputs), value, *found]


def assert_equals_the_loop(case, kind, options, dtype="float64", tolerance=EXACT):
    given, mask = places(case, BATCH, STEPS, dtype), mask_of(kind)
    at_once, by_steps = pair(case, dtype, **options)
    found, expected = (values_and_gradients(layer, given, mask) for layer in (at_once, by_steps))
    assert_same(found, expected, tolerance)


@every_fused
@every_kind
@pytest.mark.parametrize("checkpoint_every", [None, 2])
def test_masked_sequences_and_their_last_states(case, kind, checkpoint_every):
    options = {"return_sequences": True, "return_state": True}
    assert_equals_the_loop(case, kind, {**options, "checkpoint_every": checkpoint_every})


@every_fused
@every_kind
def test_masked_sequences_in_float32(case, kind):
    assert_equals_the_loop(case, kind, {"return_sequences": True}, "float32", SINGLE)


@every_kind
@pytest.mark.parametrize(
    "options",
    [
        {"go_backwards": True},
        {"return_sequences": True, "zero_output_for_mask": True, "checkpoint_every": 4},
        {"zero_output_for_mask": True, "return_state": True},
    ],
    ids=str,
)
def test_masks_with_other_options(kind, options):
    assert_equals_the_loop(FUSED[0], kind, options)


def test_what_padding_holds_changes_nothing():
    layer, _ = pair(LARGE, return_sequences=True)
    (x, drive, *_), mask = places(LARGE, BATCH, STEPS, "float32"), mask_of("holes")
    found = []
    for padding in (0.0, np.nan):
        x[~mask] = padding
        found.append(run(layer, x, mask=mask, drive=drive, training=True))
    assert_same(*found, 1e-7)


def test_a_stateful_layer_keeps_the_states_of_the_last_steps_taken():
    at_once, by_steps = pair(LARGE, stateful=True)
    mask = np.arange(X.shape[1]) < np.array([2, 5, 1])[:, None]
    for layer in (at_once, by_steps):
        layer(X, mask=mask)
    assert_same(run(at_once, X), run(by_steps, X), SINGLE)


@pytest.mark.parametrize("known", [True, False], ids=["known length", "any length"])
def test_training_on_padded_sequences_is_that_of_the_loop(known, monkeypatch):
    if BACKEND == "tensorflow":
        from aru_keras.fused import tensorflow_shapes

        monkeypatch.setattr(tensorflow_shapes, "COMPILATION", 0.0)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(13, STEPS, 1)).astype("float32"), rng.integers(0, 3, 13)
    for row, length in zip(x, rng.integers(0, STEPS - 2, 13), strict=True):
        row[length:] = -1.0
    weights = []
    for fused in ("auto", False):
        keras.utils.set_random_seed(3)
        inputs = keras.Input((STEPS if known else None, 1))
        h = ARU(6, 3, fused=fused)(keras.layers.Masking(-1.0)(inputs))
        model = keras.Model(inputs, keras.layers.Dense(3)(h))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.1), loss)
        model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
        weights.append([*model.get_weights(), model.predict(x, verbose=0)])
    assert_same(*weights, SINGLE)


@only_on("torch", reason="the others count the steps in the compiled program")
def test_steps_behind_the_longest_sequence_are_not_run(monkeypatch):
    from aru_keras.fused import torch_aru

    layer, _ = pair(LARGE, return_sequences=True)
    taken = []
    forward = torch_aru.ARULoops.forward
    monkeypatch.setattr(
        torch_aru.ARULoops,
        "forward",
        lambda self, state, u, *rest, **options: (
            taken.append(len(u)) or forward(self, state, u, *rest, **options)
        ),
    )
    mask = np.arange(X.shape[1]) < np.array([2, 3, 1])[:, None]
    assert run(layer, X, mask=mask)[0].shape[1] == X.shape[1]
    assert sum(taken) == 3
