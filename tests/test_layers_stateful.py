"""A stateful layer whose last batch is smaller: refused, with the states as they were."""

import keras
import numpy as np
import pytest
from contract import I, T, every_case, settle
from support import BACKEND, array

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
    assert BACKEND == "jax" or any(state.any() for state in states(layer))  # Kept by `predict`.
    # On JAX, Keras cannot call a model again after an error.
    for part in (x,) if BACKEND == "jax" else (x[B:], x):
        before = states(layer)
        with pytest.raises(Exception, match=r"Drop.the.last.partial.batch"):
            CALLS[call](model, part)
        # What came before the smaller batch is as if it had been given alone.
        if part is not x:
            assert all((a == b).all() for a, b in zip(states(layer), before, strict=True))
    assert all(state.shape[0] == B and np.isfinite(state).all() for state in states(layer))
