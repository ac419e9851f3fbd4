"""A driven forward and backward pass of the ARU against independent reference numbers."""

import pathlib

import keras
import numpy as np
import pytest
from keras import ops
from support import BACKEND, array, gradients, relative_error

from aru_keras import ARU, ARUCell, probing

GOLDEN = dict(np.load(pathlib.Path(__file__).parent / "golden" / "arun.npz"))
TOLERANCE = 1e-9
# Our weights by the reference's: transposed, since torch keeps (out, in).
KERNELS = {
    "kernel": ["Uxh.weight"],
    "recurrent_kernel": ["Whh.weight"],
    "controller_kernel": ["Uag.weight"],
    "controller_recurrent_kernel": ["Wgg.weight"],
    "readout_kernel": ["Wgn.weight", "Wgs.weight"],
}


def reference(kind):
    """The reference's `param` or `grad` arrays under our names."""

    def get(name):
        return GOLDEN[f"{kind}_{name}"]

    found = {name: np.concatenate([get(k) for k in keys]).T for name, keys in KERNELS.items()}
    # Two biases in one sum: the sum is our bias, and the gradient of either is its gradient.
    second = get if kind == "param" else lambda name: 0.0
    found["bias"] = get("Uxh.bias") + second("Whh.bias")
    found["controller_bias"] = get("Uag.bias") + second("Wgg.bias")
    found["readout_bias"] = np.concatenate([get("Wgn.bias"), get("Wgs.bias")])
    return found


@pytest.fixture
def layer():
    layer = ARU(9, 6, dtype="float64", return_sequences=True)
    layer.build((4, 25, 1))
    for name, value in reference("param").items():
        getattr(layer.cell, name).assign(value)
    return layer


def test_signals(layer):
    found = probing.record(layer, GOLDEN["x"], ("a", "n", "s", "h"), drive=GOLDEN["drive"])
    for name, values in found.items():
        assert values.dtype == "float64"
        assert relative_error(values, GOLDEN[name]) < TOLERANCE, name


def test_output(layer):
    h = layer(GOLDEN["x"], drive=GOLDEN["drive"])
    assert relative_error(array(h), GOLDEN["h"]) < TOLERANCE


def test_keras_rnn_around_the_cell(layer):
    cell = ARUCell(9, 6, dtype="float64")
    rnn = keras.layers.RNN(cell, return_sequences=True, dtype="float64")
    rnn.build((4, 25, 1))
    rnn.set_weights(layer.get_weights())
    undriven = layer(GOLDEN["x"])
    assert relative_error(array(rnn(GOLDEN["x"])), array(undriven)) < 1e-13


@pytest.mark.parametrize("mode", ["eager", "jit"])
def test_loss_and_every_gradient(layer, mode):
    if mode == "jit" and BACKEND == "torch":
        pytest.skip("torch: always eager")
    head, offset = GOLDEN["param_lin.weight"].T, GOLDEN["param_lin.bias"]
    labels = np.eye(10)[GOLDEN["y"]]
    weights = layer.trainable_variables

    def loss(x, drive, head, offset):
        logits = layer(x, drive=drive)[:, -1] @ head + offset
        # Written out: Keras' losses return float32, and its means pass through it.
        lowered = logits - ops.stop_gradient(ops.max(logits, axis=1, keepdims=True))
        target = ops.sum(lowered * ops.convert_to_tensor(labels), axis=1)
        return ops.sum(ops.log(ops.sum(ops.exp(lowered), axis=1)) - target) / 4

    logits = array(layer(GOLDEN["x"], drive=GOLDEN["drive"]))[:, -1] @ head + offset
    assert relative_error(logits, GOLDEN["logits"]) < TOLERANCE
    value, found = gradients(
        loss, GOLDEN["x"], GOLDEN["drive"], head, offset, variables=weights, mode=mode
    )
    assert relative_error(value, GOLDEN["loss"]) < TOLERANCE
    expected = {
        "x": GOLDEN["grad_x"],
        "drive": GOLDEN["grad_drive"],
        "head": GOLDEN["grad_lin.weight"].T,
        "offset": GOLDEN["grad_lin.bias"],
        **{w.name: reference("grad")[w.name] for w in weights},
    }
    assert len(expected) == 12
    for (name, known), gradient in zip(expected.items(), found, strict=True):
        assert gradient.dtype == "float64"
        assert relative_error(gradient, known) < TOLERANCE, name
