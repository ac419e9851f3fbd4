"""The external drive of every layer and cell: what it adds, where, and in what shapes."""

import keras
import numpy as np
import pytest
from contract import (
    CASES,
    DRIVE,
    MASK,
    B,
    I,
    N,
    T,
    X,
    assert_same,
    every_case,
    run,
    settle,
    slopes,
    steps,
)
from keras import ops
from support import array, only_on, relative_error

from aru_keras.layers import Bidirectional

SHAPES = [(), (1,), (N,), (T, 1), (T, N), (1, T, 1), (B, 1, 1), (B, T, 1), (B, T, N), (1, 1, N)]


@every_case
def test_is_added_to_the_preactivation_at_its_step(case):
    layer = case.make_layer(return_sequences=True, return_state=True)
    driven = run(layer, X, drive=DRIVE)
    assert relative_error(driven[0], run(layer, X)[0]) > 1e-2
    assert_same(driven, steps(case.make_cell(), X, DRIVE))
    cell = case.make_cell()
    h = np.random.default_rng(3).normal(size=(B, N)).astype("float32")
    difference = cell.preactivation(X[:, 0], h, DRIVE[:, 0]) - cell.preactivation(X[:, 0], h)
    assert relative_error(array(difference), DRIVE[:, 0]) < 1e-5


@every_case
def test_equals_a_bias_that_changes_in_time(case):
    """The drive by hand: for every step a cell whose bias is larger by ξ_t."""
    layer = case.make_layer(return_sequences=True)
    cell = case.make_cell()
    bias, drive = array(cell.bias), DRIVE[0]
    states, outputs = cell.get_initial_state(batch_size=B), []
    for t in range(T):
        cell.bias.assign(bias + drive[t])
        h, states = cell(X[:, t], states)
        outputs.append(array(h))
    assert_same(run(layer, X, drive=drive), [np.stack(outputs, axis=1)])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shapes(shape):
    layer = CASES[-1].make_layer(return_sequences=True)
    drive = np.random.default_rng(4).normal(size=shape).astype("float32")
    expected = run(layer, X, drive=np.broadcast_to(drive, (B, T, N)))
    assert_same(run(layer, X, drive=drive), expected, 1e-6)


def test_python_numbers():
    layer = CASES[-1].make_layer()
    expected = run(layer, X, drive=np.full((B, T, N), 2.0, "float32"))
    assert_same(run(layer, X, drive=2), expected, 1e-6)
    cell = CASES[-1].make_cell()
    states = cell.get_initial_state(batch_size=B)
    h, _ = cell(X[:, 0], states, drive=2)
    expected, _ = cell(X[:, 0], states, drive=np.full((B, N), 2.0, "float32"))
    assert (array(h) == array(expected)).all()


@pytest.mark.parametrize(
    "shape", [(T + 1, 1), (B, T, N + 1), (2, T, 1), (N + 1,), (1, B, T, N), (0, 1)], ids=str
)
def test_shapes_that_do_not_broadcast(shape):
    layer = CASES[-1].make_layer()
    with pytest.raises(ValueError, match=r"`drive` must broadcast.*Received: drive\.shape"):
        layer(X, drive=np.zeros(shape, "float32"))
    if len(shape) == 3 and shape[0] != 2:
        with pytest.raises(ValueError, match=r"`drive` must broadcast.*Received: drive\.shape"):
            layer(keras.Input((T, I)), drive=keras.Input(shape[1:]))


@every_case
def test_zero_is_no_drive_and_weights_stay_the_same(case):
    layer = case.make_layer(return_sequences=True)
    shapes = [tuple(w.shape) for w in layer.weights]
    assert_same(run(layer, X, drive=0.0), run(layer, X), 1e-6)
    assert [tuple(w.shape) for w in layer.weights] == shapes
    fresh = case.layer(**case.arguments)
    fresh(X, drive=DRIVE)
    assert [tuple(w.shape) for w in fresh.weights] == shapes


@every_case
def test_gradients_in_the_drive_and_weights(case):
    layer = case.make_layer(return_sequences=True)
    found = slopes(
        lambda x, drive: layer(x, drive=drive), X, DRIVE, variables=layer.trainable_variables
    )
    cell = case.make_cell()

    def by_hand(x, drive):
        states, outputs = cell.get_initial_state(batch_size=B), []
        for t in range(T):
            h, states = cell(x[:, t], states, drive=drive[:, t])
            outputs.append(h)
        return ops.stack(outputs, axis=1)

    expected = slopes(by_hand, X, DRIVE, variables=cell.trainable_variables)
    assert all(gradient.any() for gradient in expected)
    assert_same(found, expected)


def test_gradient_of_a_broadcast_drive_is_summed():
    layer = CASES[-1].make_layer(return_sequences=True)
    (full,) = slopes(lambda d: layer(X, drive=d), np.full((B, T, N), 0.3, "float32"))
    for shape, axes in (((), (0, 1, 2)), ((N,), (0, 1)), ((T, 1), (0, 2)), ((B, T, 1), (2,))):
        (found,) = slopes(lambda d: layer(X, drive=d), np.full(shape, 0.3, "float32"))
        assert relative_error(found, full.sum(axis=axes).reshape(shape)) < 1e-5


@every_case
@pytest.mark.parametrize("unroll", [False, True])
def test_stays_with_its_input_step_going_backwards(case, unroll):
    options = {"return_sequences": True, "return_state": True, "unroll": unroll}
    backward = case.make_layer(go_backwards=True, **options)
    expected = steps(case.make_cell(), X[:, ::-1], DRIVE[:, ::-1])
    assert_same(run(backward, X, drive=DRIVE), expected)


@every_case
def test_stateful_and_initial_state(case):
    whole = run(case.make_layer(return_sequences=True), X, drive=DRIVE)[0]
    layer = case.make_layer(return_sequences=True, stateful=True)
    halves = [run(layer, X[:, cut], drive=DRIVE[:, cut])[0] for cut in (np.s_[:2], np.s_[2:])]
    assert relative_error(np.concatenate(halves, axis=1), whole) < 1e-5


@every_case
def test_masked_steps_keep_the_state(case):
    layer = case.make_layer(return_sequences=True, return_state=True)
    found = run(layer, X, mask=MASK, drive=DRIVE)
    for b in range(B):
        read = MASK[b]
        alone = run(layer, X[b : b + 1][:, read], drive=DRIVE[b : b + 1][:, read])
        assert_same([y[b] for y in found[1:]], [y[0] for y in alone[1:]])


@every_case
def test_keeps_the_mask_of_a_masking_layer(case):
    """With a second tensor Keras fills `sequences_mask`, not `mask`."""
    x = np.where(MASK[..., None], X, 7.0)
    layer = case.make_layer(return_sequences=True)
    sequences, drive = keras.Input((T, I)), keras.Input((T, N))
    masked = keras.layers.Masking(7.0)(sequences)
    model = keras.Model([sequences, drive], layer(masked, drive=drive))
    assert_same(run(model, [x, DRIVE]), run(layer, X, mask=MASK, drive=DRIVE), 1e-6)
    states = [np.full((B, width), 0.2, "float32") for width in case.states]
    given = layer(keras.layers.Masking(7.0)(x), initial_state=states)
    assert_same([array(given)], run(layer, X, mask=MASK, initial_state=states), 1e-6)


@every_case
@pytest.mark.parametrize("features", [1, N])
def test_in_a_functional_model_survives_saving(case, features, tmp_path):
    sequences, drive = keras.Input((None, I)), keras.Input((None, features))
    model = keras.Model([sequences, drive], case.layer(**case.arguments)(sequences, drive=drive))
    settle(model)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    given = [X, DRIVE[..., :features]]
    expected = run(case.make_layer(), X, drive=given[1])
    assert_same(run(model, given), expected)
    assert_same(run(again, given), expected)


# Bidirectional: the subclass that passes a drive on


def two_ways(case, merge_mode="concat", **options):
    both = Bidirectional(case.make_layer(**options), merge_mode)
    both.build((B, T, I))
    settle(both.forward_layer)
    settle(both.backward_layer, seed=1)
    return both


@every_case
@pytest.mark.parametrize("masked", [False, True])
def test_bidirectional_equals_two_layers(case, masked):
    both = two_ways(case, return_sequences=True, return_state=True)
    options = {"drive": DRIVE, "mask": MASK if masked else None}
    ahead = run(both.forward_layer, X, **options)
    back = run(both.backward_layer, X, **options)
    expected = [np.concatenate([ahead[0], back[0][:, ::-1]], axis=-1), *ahead[1:], *back[1:]]
    assert_same(run(both, X, **options), expected, 1e-6)


@pytest.mark.parametrize("mode", ["concat", "sum", "ave", "mul", None])
@pytest.mark.parametrize("sequences", [False, True])
def test_bidirectional_merges_as_keras_does(mode, sequences):
    both = two_ways(CASES[-1], mode, return_sequences=sequences)
    assert_same(run(both, X, drive=0.0), run(both, X), 1e-6)
    assert relative_error(run(both, X, drive=0.5)[0], run(both, X)[0]) > 1e-3


def test_bidirectional_initial_states_and_masking_layer():
    both = two_ways(CASES[-1], return_sequences=True)
    states = [np.full((B, w), v, "float32") for v in (0.3, -0.2) for w in (N, N * 3)]
    expected = run(both, X, initial_state=states, mask=MASK)
    assert_same(run(both, X, initial_state=states, mask=MASK, drive=0.0), expected, 1e-6)
    x = np.where(MASK[..., None], X, 7.0)
    sequences, drive = keras.Input((T, I)), keras.Input((T, N))
    outputs = both(keras.layers.Masking(7.0)(sequences), drive=drive)
    model = keras.Model([sequences, drive], outputs)
    assert_same(run(model, [x, DRIVE]), run(both, X, mask=MASK, drive=DRIVE), 1e-6)


@every_case
def test_bidirectional_survives_saving(case, tmp_path):
    both = two_ways(case)
    sequences, drive = keras.Input((T, I)), keras.Input((T, 1))
    model = keras.Model([sequences, drive], both(sequences, drive=drive))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again.layers[-1]) is Bidirectional
    assert_same(run(again, [X, DRIVE[..., :1]]), run(model, [X, DRIVE[..., :1]]), 1e-6)


@only_on("tensorflow", reason="shapes are always known when a call runs")
def test_lengths_unknown_to_the_graph_are_checked_when_it_runs():
    import tensorflow as tf

    layer = CASES[-1].make_layer()
    signature = [tf.TensorSpec((None, None, I)), tf.TensorSpec((None, None, None))]
    graph = tf.function(lambda x, d: layer(x, drive=d), input_signature=signature)
    assert_same(run(graph, X, DRIVE), run(layer, X, drive=DRIVE))
    with pytest.raises(tf.errors.InvalidArgumentError):
        graph(X, np.zeros((B, T + 1, 1), "float32"))
