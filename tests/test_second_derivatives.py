"""Gradients of gradients: step by step they work, at once they work on JAX or are refused."""

import numpy as np
import pytest
from contract import X, assert_same
from keras import ops
from support import BACKEND, array, gradients, only_on
from test_fused import FUSED, LARGE, MODE, pair

MASK = np.arange(X.shape[1]) < np.array([2, 5, 3])[:, None]
CALLS = {
    "plain": ({}, {}),
    "masked": ({"return_state": True}, {"mask": MASK}),
    "dropout": ({"dropout": 0.3, "recurrent_dropout": 0.3, "seed": 2}, {}),
}
every_call = pytest.mark.parametrize("call", CALLS)


def layers(case, call, dtype="float64"):
    """The layer at once and step by step, and what its call is given."""
    made, given = CALLS[call]
    return *pair(case, dtype, **made), given


def total(layer, given):
    """A scalar function of x: the sum of squares of what the layer puts out in training."""

    def function(x):
        outputs = layer(x, training=True, **given)
        outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
        return sum(ops.sum(y * y) for y in outputs)

    return function


def penalty_slopes(function, variables, mode):
    """The gradients, in x and in the variables, of Σ (∂f/∂x)²."""
    if BACKEND == "jax":
        import jax

        first = jax.grad(function)
    elif BACKEND == "torch":
        import torch

        def first(x):
            return torch.autograd.grad(function(x), x, create_graph=True)[0]

    else:
        import tensorflow as tf

        def first(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = function(x)
            return tape.gradient(y, x)

    x = X.astype("float64")
    return gradients(lambda x: ops.sum(first(x) ** 2), x, variables=variables, mode=mode)[1]


@every_call
@pytest.mark.parametrize("case", [FUSED[0], LARGE], ids=str)
def test_step_by_step_they_are_the_slopes_of_the_gradient(case, call):
    """Against central differences in x and in W_hh along a random direction."""
    _, layer, given = layers(case, call)
    kernel = layer.cell.recurrent_kernel
    rng, size, start = np.random.default_rng(4), 1e-5, array(kernel).copy()
    directions = [rng.normal(size=X.shape), rng.normal(size=start.shape)]

    def restart():
        if call == "dropout":
            layer.cell.seed_generator.state.assign(np.array([2, 0], "uint32"))

    restart()
    found = penalty_slopes(total(layer, given), [kernel], MODE)
    values = []
    for sign in (size, -size):
        restart()
        kernel.assign(start + sign * directions[1])
        x = X.astype("float64") + sign * directions[0]
        _, (slope,) = gradients(total(layer, given), x, mode=MODE)
        values.append((slope**2).sum())
    slope = sum((a * b).sum() for a, b in zip(found, directions, strict=True))
    assert slope == pytest.approx((values[0] - values[1]) / (2 * size), rel=1e-5)


@only_on("jax", reason="the others refuse")
@every_call
def test_at_once_they_are_those_of_the_loop(call):
    at_once, by_steps, given = layers(LARGE, call)
    found, expected = (
        penalty_slopes(total(layer, given), layer.trainable_variables, MODE)
        for layer in (at_once, by_steps)
    )
    assert_same(found, expected, 1e-7)


@only_on("tensorflow", "torch", reason="JAX differentiates twice")
@every_call
@pytest.mark.parametrize("mode", ["eager", "graph"] if BACKEND == "tensorflow" else ["eager"])
@pytest.mark.parametrize("case", [FUSED[0], LARGE], ids=str)
def test_at_once_they_are_refused_with_a_way_out(case, call, mode):
    layer, _, given = layers(case, call, "float32")
    for variables in ([], [layer.cell.recurrent_kernel]):
        with pytest.raises(NotImplementedError, match=r"differentiated once.*fused=False"):
            penalty_slopes(total(layer, given), variables, mode)
