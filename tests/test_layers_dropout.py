"""Dropout of the cells and layers: Keras' own masks, one a call, in training alone."""

import keras
import numpy as np
import pytest
from contract import CASES, DRIVE, B, I, N, T, X, assert_same, every_case, run, settle
from keras import ops
from support import BACKEND, array

from aru_keras import ARU, ARUCell, DrivenRNN, DrivenRNNCell, probing
from aru_keras.layers import Bidirectional

RATES = {"dropout": 0.5, "recurrent_dropout": 0.5}
ONES = np.ones((64, 3, 1), "float32")


def adding(**options):
    """A layer in which h_t = x_t + h_{t−1}."""
    initializers = {"kernel_initializer": "ones", "recurrent_initializer": "identity"}
    return DrivenRNN(64, "linear", return_sequences=True, **initializers, **options)


def test_a_driven_rnn_drops_what_keras_simple_rnn_drops():
    options = {**RATES, "seed": 3, "return_sequences": True, "activation": "tanh"}
    ours, keras_own = DrivenRNN(N, **options), keras.layers.SimpleRNN(N, **options)
    for layer in (ours, keras_own):
        layer.build((B, T, I))
        settle(layer)
    for _ in range(2):  # The second call has masks of its own.
        assert_same(run(ours, X, training=True), run(keras_own, X, training=True), 1e-6)
    assert_same(run(ours, X, training=False), run(keras_own, X, training=False), 1e-6)


def test_one_mask_holds_at_every_step_of_a_call():
    x = array(adding(dropout=0.25, seed=1)(ONES, training=True))
    assert np.unique(x[:, 0]) == pytest.approx([0, 4 / 3])
    assert np.allclose(x, x[:, :1] * [[[1], [2], [3]]], rtol=1e-5)
    assert 0.1 < (x == 0).mean() < 0.4
    kept = array(adding(recurrent_dropout=0.25, seed=1)(ONES, training=True))
    scale = kept[:, 1] - 1
    assert np.unique(scale.round(5)) == pytest.approx([0, 4 / 3], abs=1e-4)
    assert np.allclose(kept[:, 2], 1 + scale * kept[:, 1], rtol=1e-5)


@every_case
def test_dropout_acts_in_training_alone_and_anew_at_every_call(case):
    layer, plain = case.make_layer(**RATES), case.make_layer()
    for training in (False, None):
        assert_same(run(layer, X, training=training), run(plain, X))
    first, second = (run(layer, X, training=True)[0] for _ in range(2))
    assert (first != second).any()


@every_case
def test_a_drive_is_not_dropped(case):
    layer, plain = case.make_layer(dropout=1.0), case.make_layer()
    expected = run(plain, np.zeros_like(X), drive=DRIVE)
    assert_same(run(layer, X, drive=DRIVE, training=True), expected)


@every_case
@pytest.mark.parametrize("stacked", [False, True])
def test_a_cell_in_a_layer_of_keras_has_a_new_mask_at_every_call(case, stacked):
    cell = case.cell(**case.arguments, **RATES, seed=5)
    cells = keras.layers.StackedRNNCells([case.cell(**case.arguments), cell]) if stacked else cell
    layer = keras.layers.RNN(cells)
    layer.build((B, T, I))
    settle(cell)
    rest, again = run(layer, X)[0], run(layer, X)[0]
    first, second = (run(layer, X, training=True)[0] for _ in range(2))
    assert (rest == again).all() and (first != second).any() and (first != rest).any()
    if not stacked:
        ours = case.make_layer(**RATES, seed=5)
        ours.cell.seed_generator.state.assign(np.array([5, 2 * 2], "uint32"))  # Two calls at rest.
        assert_same([run(ours, X, training=True)[0]], [first])


def test_both_directions_drop():
    layer = Bidirectional(ARU(N, 2, return_sequences=True, **RATES))
    first, second = (run(layer, X, drive=DRIVE, training=True)[0] for _ in range(2))
    assert (first[..., :N] != second[..., :N]).any() and (first[..., N:] != second[..., N:]).any()
    assert_same(run(layer, X), run(layer, X))


def test_masks_do_not_outlive_a_call_that_fails():
    layer = CASES[-1].make_layer(**RATES)
    with pytest.raises(ValueError, match="drive"):
        layer(X, drive=np.zeros((B, T, N + 1), "float32"), training=True)
    assert run(layer, X[:2], training=True)[0].shape == (2, N)  # Masks of three rows would fail.


def test_recording_and_single_steps_are_without_dropout():
    layer, plain = (CASES[-1].make_layer(**options) for options in (RATES, {}))
    signals = [probing.record(each, X, ("a", "h")) for each in (layer, plain)]
    assert_same(*(list(found.values()) for found in signals))
    state = plain.cell.get_initial_state(B)
    assert_same(*([array(each.cell(X[:, 0], state)[0])] for each in (layer, plain)))


def test_without_dropout_there_is_no_seed():
    assert len(CASES[-1].make_layer().variables) == len(CASES[-1].weights)
    assert len(CASES[-1].make_layer(dropout=0.1).variables) == len(CASES[-1].weights) + 1


@pytest.mark.skipif(BACKEND == "torch", reason="torch: Keras compiles no loops")
@pytest.mark.parametrize("layer", [ARU, DrivenRNN])
def test_every_batch_of_a_compiled_fit_has_its_own_mask(layer):
    arguments = {"units": N, "controller_units": 2} if layer is ARU else {"units": N}
    model = keras.Sequential([keras.Input((T, I)), layer(**arguments, **RATES)])
    model.compile(keras.optimizers.SGD(0.0), "mse", jit_compile=True)
    x = np.repeat(X[:1], 8, axis=0)
    losses = [model.train_on_batch(x, np.zeros((8, N), "float32")) for _ in range(2)]
    model.reset_metrics()
    assert losses[0] != losses[1]


@pytest.mark.parametrize("name", ["dropout", "recurrent_dropout"])
@pytest.mark.parametrize("rate", [-0.1, 1.5, None, "half"])
def test_bad_rates(name, rate):
    for make in (DrivenRNN, DrivenRNNCell, lambda units, **o: ARUCell(units, 2, **o)):
        with pytest.raises(ValueError, match=f"`{name}` must be .* at least 0.* at most 1.*Rec"):
            make(N, **{name: rate})


def test_bad_seeds():
    with pytest.raises(ValueError, match="`seed` must be a whole number"):
        DrivenRNN(N, seed=-1)
    assert ops.shape(DrivenRNN(N, dropout=0.5, seed=0)(X, training=True)) == (B, N)
