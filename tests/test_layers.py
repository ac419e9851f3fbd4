"""The contract of every cell and layer over sequences: shapes, states, loops, masks, stacks."""

import keras
import numpy as np
import pytest
from contract import (
    CASES,
    CLOSE,
    MASK,
    B,
    I,
    N,
    T,
    X,
    assert_same,
    every_case,
    keras_rnn,
    run,
    settle,
    slopes,
    steps,
)
from support import array, dtype_of, relative_error, tensorflow_only

from aru_keras import ARU, ARUCell, DrivenRNN
from aru_keras.layers._fused import FusedRNN


@every_case
def test_weights(case):
    for made in (case.make_layer(), case.make_cell()):
        assert {w.name: tuple(w.shape) for w in made.weights} == case.weights
        trained = [w.name for w in made.trainable_variables]
        assert trained == [name for name in case.weights if name not in case.untrained]


def test_count_of_the_paper():
    layer = ARU(400, 50)
    layer.build((None, 784, 1))
    assert layer.count_params() + 400 * 10 + 10 == 167_512


@every_case
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("state", [False, True])
def test_output_shapes(case, sequences, state):
    layer = case.make_layer(return_sequences=sequences, return_state=state)
    found = [y.shape for y in run(layer, X)]
    expected = [(B, T, N) if sequences else (B, N)]
    assert found == expected + ([(B, width) for width in case.states] if state else [])
    symbolic = layer(keras.Input((None, I)))
    symbolic = symbolic if isinstance(symbolic, list | tuple) else [symbolic]
    unknown = [(None,) * (len(shape) - 1) + shape[-1:] for shape in found]
    assert [y.shape for y in symbolic] == unknown
    assert {dtype_of(y) for y in symbolic} == {"float32"}


@every_case
def test_layer_equals_its_cell_step_by_step(case):
    layer = case.make_layer(return_sequences=True, return_state=True)
    assert_same(run(layer, X), steps(case.make_cell(), X))


@every_case
@pytest.mark.parametrize("sequences", [False, True])
def test_layer_equals_keras_rnn_around_its_cell(case, sequences):
    by_steps = {"fused": False} if issubclass(case.layer, FusedRNN) else {}
    layer = case.make_layer(return_sequences=sequences, return_state=True, **by_steps)
    rnn = keras_rnn(layer, return_sequences=sequences, return_state=True)
    assert_same(run(layer, X), run(rnn, X), 1e-6)
    variables = layer.trainable_variables
    assert_same(slopes(layer, X, variables=variables), slopes(rnn, X, variables=variables), 1e-5)


@every_case
def test_initial_state_continues_a_sequence(case):
    layer = case.make_layer(return_sequences=True, return_state=True)
    whole = run(layer, X)
    first, *states = layer(X[:, :2])
    second = run(layer, X[:, 2:], initial_state=states)
    joined = np.concatenate([array(first), second[0]], axis=1)
    assert_same([joined, *second[1:]], whole)
    assert relative_error(second[0], run(layer, X[:, 2:])[0]) > 1e-3


@every_case
def test_stateful(case):
    whole = run(case.make_layer(return_sequences=True), X)[0]
    layer = case.make_layer(return_sequences=True, stateful=True)
    for _ in range(2):
        halves = [run(layer, X[:, :2])[0], run(layer, X[:, 2:])[0]]
        assert relative_error(np.concatenate(halves, axis=1), whole) < CLOSE
        layer.reset_state()


@every_case
def test_stateful_reset_takes_the_initial_states_of_the_cell(case):
    class Warm(case.cell):
        def get_initial_state(self, batch_size=None):
            return [state + 0.5 for state in super().get_initial_state(batch_size)]

    class WarmLayer(case.layer):
        cell_class = Warm

    layer = WarmLayer(**case.arguments, stateful=True)
    layer.build((B, T, I))
    settle(layer)
    first, cold = run(layer, X)[0], run(case.make_layer(), X)[0]
    assert relative_error(first, cold) > 1e-3
    assert relative_error(run(layer, X)[0], first) > 1e-4
    layer.reset_state()
    for variable in layer.states:
        assert (array(variable) == 0.5).all()
    assert_same(run(layer, X), [first], 1e-7)


def test_stateful_around_stacked_cells_is_reset_by_keras_with_an_error():
    """Keras' own fault: its `reset_state` and its states disagree about nesting."""
    cells = [ARUCell(N, 3), ARUCell(N, 3)]
    rnn = keras.layers.RNN(keras.layers.StackedRNNCells(cells), stateful=True)
    rnn(X)
    with pytest.raises(AttributeError):
        rnn.reset_state()


@every_case
def test_go_backwards(case):
    forward = case.make_layer(return_sequences=True, return_state=True)
    backward = case.make_layer(return_sequences=True, return_state=True, go_backwards=True)
    assert_same(run(backward, X), run(forward, X[:, ::-1]), 1e-6)


@every_case
def test_unrolled_equals_the_loop(case):
    layer = case.make_layer(return_sequences=True, return_state=True)
    unrolled = case.make_layer(return_sequences=True, return_state=True, unroll=True)
    assert_same(run(unrolled, X), run(layer, X))
    assert_same(
        slopes(unrolled, X, variables=unrolled.trainable_variables),
        slopes(layer, X, variables=layer.trainable_variables),
    )


@every_case
@pytest.mark.parametrize("unroll", [False, True])
def test_masked_steps_keep_the_state(case, unroll):
    layer = case.make_layer(return_sequences=True, return_state=True, unroll=unroll)
    found = run(layer, X, mask=MASK)
    for b in range(B):
        alone = run(layer, X[b : b + 1][:, MASK[b]])
        assert_same([y[b] for y in found[1:]], [y[0] for y in alone[1:]])
        # A masked step emits the output before it.
        read = np.cumsum(MASK[b]) - 1
        assert relative_error(found[0][b], alone[0][0][read]) < CLOSE


@every_case
@pytest.mark.parametrize("zeros", [False, True])
def test_masking_layer_equals_the_mask_argument(case, zeros):
    x = np.where(MASK[..., None], X, 7.0)
    layer = case.make_layer(return_sequences=True, zero_output_for_mask=zeros)
    model = keras.Sequential([keras.Input((T, I)), keras.layers.Masking(7.0), layer])
    expected = run(layer, X, mask=MASK)
    assert_same(run(model, x), expected, 1e-6)
    if zeros:
        assert not expected[0][~MASK].any() and expected[0][MASK].any()


@every_case
def test_stacked_cells_equal_layers_one_after_the_other(case):
    cells = [case.make_cell(), case.make_cell(features=N, seed=1)]
    stacked = keras.layers.RNN(keras.layers.StackedRNNCells(cells), return_sequences=True)
    below, above = (keras.layers.RNN(cell, return_sequences=True) for cell in cells)
    assert_same(run(stacked, X), run(lambda x: above(below(x)), X))


@every_case
@pytest.mark.parametrize("merge_mode", ["concat", None])
def test_keras_bidirectional(case, merge_mode):
    both = keras.layers.Bidirectional(case.make_layer(return_sequences=True), merge_mode)
    both.build((B, T, I))
    settle(both.forward_layer)
    settle(both.backward_layer, seed=1)
    expected = run(both.forward_layer, X) + [y[:, ::-1] for y in run(both.backward_layer, X)]
    if merge_mode == "concat":
        expected = [np.concatenate(expected, axis=-1)]
    assert_same(run(both, X), expected, 1e-6)


@every_case
def test_batch_and_length_may_vary(case):
    layer = case.make_layer(return_sequences=True)
    model = keras.Sequential([keras.Input((None, I)), layer])
    for batch, length in ((B, T), (1, 3), (2, 1)):
        x = X[:batch, :length]
        assert_same([model.predict_on_batch(x)], steps(case.make_cell(), x)[:1])


@every_case
@tensorflow_only
def test_batch_and_length_unknown_to_the_graph(case):
    import tensorflow as tf

    layer = case.make_layer(return_sequences=True)
    signature = [tf.TensorSpec((None, None, I)), tf.TensorSpec((None, None, 1))]
    graph = tf.function(lambda x, drive: layer(x, drive=drive), input_signature=signature)
    for batch, length in ((B, T), (2, 3)):
        x = X[:batch, :length]
        drive = np.full((batch, length, 1), 0.3, "float32")
        assert_same(run(graph, x, drive), run(layer, x, drive=drive))


@every_case
def test_integers_are_read_as_floats(case):
    layer = case.make_layer()
    x = np.arange(B * T * I).reshape(B, T, I) % 3
    for drive in (None, 0.4):
        expected = run(layer, x.astype("float32"), drive=drive)
        assert_same(run(layer, x, drive=drive), expected, 1e-7)


def test_another_activation():
    layer = settle_built(DrivenRNN(N, "tanh", return_sequences=True))
    simple = settle_built(keras.layers.SimpleRNN(N, return_sequences=True))
    assert_same(run(layer, X), run(simple, X))


def settle_built(layer):
    layer.build((B, T, I))
    return settle(layer)


def test_controllers_are_private():
    """n and s of a unit depend on its own pre-activations, by weights that all units share."""
    cell = CASES[-1].make_cell()
    rng = np.random.default_rng(3)
    a, g = rng.normal(size=(B, N)).astype("float32"), rng.normal(size=(B, N, 3)).astype("float32")

    def respond(a, g):
        signals, _ = cell.respond(a, [g.reshape(B, N * 3)])
        return {name: array(value) for name, value in signals.items()}

    before = respond(a, g)
    changed, memory = a.copy(), g.copy()
    changed[:, 1] += 1
    memory[:, 1] -= 0.5
    after = respond(changed, memory)
    others = [0, 2, 3]
    for name in ("n", "s", "h"):
        assert (before[name][:, others] == after[name][:, others]).all()
        assert (before[name][:, 1] != after[name][:, 1]).all()
    order = [2, 0, 3, 1]
    permuted = respond(a[:, order], g[:, order])
    for name in ("n", "s", "h"):
        assert np.allclose(permuted[name], before[name][:, order], rtol=1e-6)
