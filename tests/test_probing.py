"""Recording: that signals are what the layer computes, wherever the layer stands."""

import keras
import numpy as np
import pytest
from contract import (
    CASES,
    CLOSE,
    DRIVE,
    B,
    G,
    I,
    N,
    T,
    X,
    assert_same,
    every_case,
    keras_rnn,
    run,
    settle,
)
from support import array, relative_error

from aru_keras import ARU, GammaRNN, gamma
from aru_keras.probing import Record, Recorder, record

ARU_CASE = CASES[-1]
ALL = ("a", "n", "s", "h", "g")


@every_case
@pytest.mark.parametrize("drive", [None, DRIVE, DRIVE[..., :1], 0.7], ids=["no", "N", "1", "0.7"])
def test_signals_are_those_of_the_layer(case, drive):
    layer = case.make_layer(return_sequences=True)
    found = record(layer, X, case.signals, drive)
    assert list(found) == list(case.signals)
    for name, values in found.items():
        assert values.shape == (B, T, N * G if name == "g" else N) and values.dtype == np.float32
    assert_same([found["h"]], run(layer, X, drive=drive))
    before = np.concatenate([np.zeros((B, 1, N)), found["h"][:, :-1]], axis=1)
    cell = layer.cell
    a = X @ array(cell.kernel) + before @ array(cell.recurrent_kernel) + array(cell.bias)
    assert relative_error(found["a"], a + (0 if drive is None else drive)) < CLOSE
    if "n" in found:
        h = gamma(*(found[name].astype("float64") for name in "ans"))
        assert relative_error(found["h"], array(h)) < CLOSE
    if "n" in found and "g" not in found:
        assert (found["n"] == array(cell.n)).all() and (found["s"] == array(cell.s)).all()


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_controller_signals(policy):
    """In mixed precision too: g is carried, and read out, without rounding."""
    layer = ARU_CASE.make_layer(dtype=policy)
    cell, found = layer.cell, record(layer, X, ALL, DRIVE)
    g = found["g"].reshape(B, T, N, G)
    before = np.concatenate([np.zeros((B, 1, N, G)), g[:, :-1]], axis=1)
    z = found["a"][..., None] * array(cell.controller_kernel)[0] + array(cell.controller_bias)
    z = z + before @ array(cell.controller_recurrent_kernel)
    assert relative_error(g, np.tanh(z)) < CLOSE
    readout = g @ array(cell.readout_kernel) + array(cell.readout_bias)
    assert_same([found["n"], found["s"]], [readout[..., 0], readout[..., 1]])


def test_choice_and_order_of_signals():
    layer = ARU_CASE.make_layer()
    everything = record(layer, X, ALL)
    assert list(record(layer, X)) == ["h", "n", "s"]
    for signals in (("s", "a"), ["g"], "n", ("h",), ("n", "g", "h")):
        found = record(layer, X, signals)
        assert list(found) == list((signals,) if isinstance(signals, str) else signals)
        for name, values in found.items():
            assert relative_error(values, everything[name]) < 1e-6


@every_case
def test_keras_rnn_around_the_cell(case):
    layer = case.make_layer()
    found = record(keras_rnn(layer), X, case.signals, DRIVE)
    expected = record(layer, X, case.signals, DRIVE)
    assert_same(list(found.values()), list(expected.values()), 1e-6)


def test_options_of_the_layer():
    expected = record(ARU_CASE.make_layer(), X[:, ::-1], ALL, DRIVE[:, ::-1])
    found = record(ARU_CASE.make_layer(go_backwards=True), X, ALL, DRIVE)
    assert_same(list(found.values()), list(expected.values()), 1e-6)
    layer = ARU_CASE.make_layer(stateful=True, unroll=True)
    layer(X)
    before = [array(state).copy() for state in layer.states]
    assert_same(list(record(layer, X).values()), list(record(ARU_CASE.make_layer(), X).values()))
    assert all((array(s) == b).all() for s, b in zip(layer.states, before, strict=True))


def test_leaves_an_unbuilt_layer_ready():
    for drive in (None, 0.5):
        layer = ARU(N, G)
        found = record(layer, X, "h", drive)["h"]
        assert_same([found[:, -1]], run(layer, X, drive=drive))


def recurrent(model):
    return next(layer for layer in model.layers if hasattr(layer, "cell"))


def models():
    """Models with what stands before the layer, and the shape of their pixels."""
    layers = keras.layers
    sequential = keras.Sequential(
        [keras.Input((T, 3)), layers.Dense(I), ARU(N, G), layers.Dense(2)], name="dense"
    )
    spread = keras.Sequential(
        [keras.Input((T, 3)), layers.TimeDistributed(layers.Dense(I)), GammaRNN(N)], name="spread"
    )
    image = keras.Input((4, 4, 1))
    hidden = layers.Conv2D(I, 3, padding="same", strides=2, activation="relu")(image)
    outputs = ARU(N, G, return_sequences=True)(layers.Reshape((4, I))(hidden))
    convolution = keras.Model(image, outputs, name="convolution")
    plain = keras.Sequential([keras.Input((None, 3)), GammaRNN(N, return_sequences=True)])
    return [(sequential, (T, 3)), (spread, (T, 3)), (convolution, (4, 4, 1)), (plain, (T, 3))]


@pytest.mark.parametrize("index", range(4), ids=["dense", "spread", "convolution", "plain"])
def test_models(index):
    model, shape = models()[index]
    settle(recurrent(model))
    x = np.random.default_rng(7).normal(size=(B, *shape)).astype("float32")
    layer = recurrent(model)
    encoded = x
    for before in model.layers[: model.layers.index(layer)]:
        encoded = encoded if isinstance(before, keras.layers.InputLayer) else before(encoded)
    found = record(model, x, ("h", "n"), drive=0.3)
    expected = record(layer, array(encoded), ("h", "n"), drive=0.3)
    assert_same(list(found.values()), list(expected.values()))
    top = keras.Model(model.inputs, layer.output)
    last = record(model, x, "h")["h"]
    assert_same([last if layer.return_sequences else last[:, -1]], run(top, x))


@pytest.mark.parametrize("order", ["pixels first", "drive first", "dictionary"])
def test_models_with_an_input_for_the_drive(order):
    pixels, drive = keras.Input((T, 3), name="pixels"), keras.Input((T, 1), name="drive")
    encoded = keras.layers.Dense(I, name="encoder")(pixels)
    layer = ARU(N, G, return_sequences=True)
    inputs = {
        "pixels first": [pixels, drive],
        "drive first": [drive, pixels],
        # Flattened in the order of its keys, so that "drive" comes first.
        "dictionary": {"pixels": pixels, "drive": drive},
    }[order]
    model = keras.Model(inputs, layer(encoded, drive=drive))
    x = np.random.default_rng(7).normal(size=(B, T, 3)).astype("float32")
    xi = DRIVE[..., :1]
    given = {
        "pixels first": [x, xi],
        "drive first": [xi, x],
        "dictionary": {"pixels": x, "drive": xi},
    }[order]
    assert_same([record(model, x, "h", drive=xi)["h"]], run(model, given))


def test_recorder_serves_many_shapes_and_follows_the_weights():
    layer = ARU_CASE.make_layer()
    recorder = Recorder(layer, ("n", "h"))
    for batch, length, drive in ((B, T, None), (2, 3, None), (2, 3, 0.5), (B, T, DRIVE)):
        x = X[:batch, :length]
        expected = record(layer, x, ("n", "h"), drive)
        assert_same(list(recorder(x, drive).values()), list(expected.values()), 1e-6)
    before = recorder(X)["n"]
    layer.cell.readout_bias.assign(array(layer.cell.readout_bias) + 1)
    assert relative_error(recorder(X)["n"], before) > 0.05


@pytest.mark.parametrize(
    "steps", [slice(1, 4), slice(None, None, 2), [0, 3], [-1], np.array([4, 1, 1]), []]
)
def test_chosen_steps(steps):
    layer = ARU_CASE.make_layer()
    found = record(layer, X, Record(("n", "g"), steps), DRIVE)
    for name, values in record(layer, X, ("n", "g"), DRIVE).items():
        np.testing.assert_array_equal(found[name], values[:, steps])


@every_case
def test_isolated_units_are_a_network_whose_recurrent_kernel_is_diagonal(case):
    layer = case.make_layer()
    found = record(layer, X, Record(case.signals, isolated=True), DRIVE)
    kernel = array(layer.cell.recurrent_kernel)
    assert relative_error(found["h"], record(layer, X, "h", DRIVE)["h"]) > 1e-3
    layer.cell.recurrent_kernel.assign(np.diag(np.diag(kernel)))
    assert_same(list(found.values()), list(record(layer, X, case.signals, DRIVE).values()))


def test_a_progress_bar_when_asked_for(capsys):
    layer = ARU_CASE.make_layer()
    record(layer, X, "h")
    assert not capsys.readouterr().out
    record(layer, X, "h", memory_limit=1, progress=True)
    assert f"{B}/{B}" in capsys.readouterr().out


def test_what_is_recorded_by_default():
    assert list(record(CASES[0].make_layer(), X)) == ["h"]
    assert list(record(ARU_CASE.make_layer(), X, Record(steps=[0]))) == ["h", "n", "s"]


def test_bad_records():
    layer = ARU_CASE.make_layer()
    with pytest.raises(ValueError, match=r"`steps` must lie below T = 5.*Received: 0…5"):
        record(layer, X, Record("n", [0, T]))
    with pytest.raises(ValueError, match="`steps` must be None, a slice or a list of whole"):
        record(layer, X, Record("n", [0.5]))
    with pytest.raises(ValueError, match="`steps` must be None, a slice or a list"):
        record(layer, X, Record("n", 5))
    with pytest.raises(ValueError, match="`signals` must name at least one"):
        record(layer, X, 5)
    with pytest.raises(ValueError, match="`memory_limit` must be a whole number of at least 1"):
        record(layer, X, "n", memory_limit=0)


def test_unknown_signals():
    with pytest.raises(ValueError, match=r"`signals` must be one of a, n, s, h\. Received: 'g'"):
        record(CASES[1].make_layer(), X, ("n", "g"))
    with pytest.raises(ValueError, match="Did you mean 'h'"):
        record(ARU_CASE.make_layer(), X, "hh")
    with pytest.raises(ValueError, match="at least one"):
        record(ARU_CASE.make_layer(), X, ())


def test_features_and_lengths_that_the_network_does_not_read():
    dense = keras.Sequential([keras.Input((T, 3)), keras.layers.Dense(I), ARU(N, G)])
    for network, free in ((dense, T), (ARU_CASE.make_layer(), "None")):
        with pytest.raises(
            ValueError, match=rf"shape that the network reads, \(None, {free}.*\(3, 5, 9"
        ):
            record(network, np.zeros((B, T, 9), "float32"))
    with pytest.raises(ValueError, match=r"at least one step. Received: x.shape=\(3, 0, 2\)"):
        record(ARU_CASE.make_layer(), np.zeros((B, 0, I), "float32"))


def test_an_example_without_its_batch_axis_is_refused():
    model = keras.Sequential([keras.Input((T, 1)), ARU(N, G)])
    with pytest.raises(ValueError, match=r"3 axes.*Received: x\.shape=\(5, 1\)"):
        record(model, np.zeros((T, 1), "float32"))


def test_wrong_shapes():
    with pytest.raises(ValueError, match=r"\(batch, time, features\).*Received: x\.shape=\(5, 2\)"):
        record(ARU_CASE.make_layer(), X[0])
    with pytest.raises(ValueError, match=r"`drive` must broadcast.*Received: drive\.shape"):
        record(ARU_CASE.make_layer(), X, drive=np.zeros((T + 1, 1)))
