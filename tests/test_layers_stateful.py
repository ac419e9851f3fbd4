"""Stateful layers in models: states go on from batch to batch, and a smaller batch is refused."""

import keras
import numpy as np
import pytest
from contract import I, T, every_case, settle
from support import BACKEND, array, relative_error

from aru_keras.layers import Bidirectional

B = 4
CALLS = {
    "predict": lambda model, x: model.predict(x, batch_size=B, verbose=0),
    "evaluate": lambda model, x: model.evaluate(x, targets(model, x), batch_size=B, verbose=0),
    "fit": lambda model, x: model.fit(x, targets(model, x), batch_size=B, shuffle=False, verbose=0),
}


def targets(model, x):
    return np.zeros((len(x), model.output_shape[-1]), "float32")


def stateful_model(layer, jit):
    model = keras.Sequential([keras.Input((T, I), batch_size=B), layer])
    settle(model)
    model.compile(keras.optimizers.SGD(0.0), "mse", jit_compile=jit)
    return model


def states(layer):
    parts = [getattr(layer, "forward_layer", layer), getattr(layer, "backward_layer", layer)]
    return [array(state) for part in parts for state in part.states]


@every_case
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_predict_goes_on_from_batch_to_batch(case, policy):
    x = np.random.default_rng(0).normal(size=(B, 2 * T, I)).astype("float32")
    options = {"return_sequences": True, "dtype": policy}
    layer = case.layer(**case.arguments, stateful=True, **options)
    model = stateful_model(layer, jit=False)
    found = [model.predict(half, batch_size=B, verbose=0) for half in np.split(x, 2, axis=1)]
    whole = case.layer(**case.arguments, **options)
    whole.build(x.shape)
    whole.set_weights(layer.get_weights())
    halves = np.split(array(whole(x)), 2, axis=1)
    assert relative_error(found[1], halves[1]) < (1e-5 if policy == "float32" else 0.05)
    assert relative_error(array(whole(np.split(x, 2, axis=1)[1])), halves[1]) > 0.1


@every_case
@pytest.mark.parametrize(
    ("wrapped", "call", "rest"),
    [(False, "predict", 1), (False, "fit", 3), (True, "evaluate", 1), (True, "fit", 3)],
)
def test_smaller_last_batch(case, wrapped, call, rest):
    assert_refused(case, wrapped, call, rest, jit=False)


@every_case
def test_smaller_last_batch_in_a_compiled_model(case):
    if BACKEND == "torch":
        pytest.skip("torch: Keras compiles no loops")
    assert_refused(case, False, "predict", 1, jit=True)


def assert_refused(case, wrapped, call, rest, jit):
    layer = case.layer(**case.arguments, stateful=True)
    layer = Bidirectional(layer) if wrapped else layer
    model = stateful_model(layer, jit)
    x = np.random.default_rng(0).normal(size=(B + rest, T, I)).astype("float32")
    CALLS[call](model, x[:B])
    assert any(state.any() for state in states(layer))  # Kept by `predict`.
    if BACKEND == "jax":  # After an error Keras' model has no values, its weights neither.
        with pytest.raises(Exception, match=r"Drop.the.last.partial.batch"):
            CALLS[call](model, x)
        return
    for part in (x[B:], x):
        before = states(layer)
        with pytest.raises(Exception, match=r"Drop.the.last.partial.batch"):
            CALLS[call](model, part)
        # What came before the smaller batch is as if it had been given alone.
        if part is not x:
            assert all((a == b).all() for a, b in zip(states(layer), before, strict=True))
    assert all(state.shape[0] == B and np.isfinite(state).all() for state in states(layer))
