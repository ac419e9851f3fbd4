"""Episodes that begin inside a sequence: each is computed as if it were alone."""

import itertools

import keras
import numpy as np
import pytest
from contract import CASES, DRIVE, MASK, B, I, N, T, X, assert_same, every_case, run, settle
from keras import ops
from support import array, gradients
from test_fused import EXACT, FUSED, LARGE, MODE, SINGLE, pair, places
from test_fused_masks import BATCH, STEPS, mask_of

from aru_keras.layers import Restarting

# One sequence without a start, one that starts at its first step, one that starts twice in a row.
STARTS = np.array([[0, 0, 0, 0, 0], [1, 0, 0, 1, 0], [0, 1, 1, 0, 0]], bool)
ALL = {"return_sequences": True, "return_state": True}
GATED = [keras.layers.GRUCell, keras.layers.LSTMCell]


def starts_of(share=0.3):
    """Starts, (B, T), the first step among them for some sequences."""
    return np.random.default_rng(7).random((BATCH, STEPS)) < share


def episodes(starts):
    """Slices of steps between the starts of one sequence."""
    bounds = sorted({0, *np.flatnonzero(starts), len(starts)})
    return [slice(a, b) for a, b in itertools.pairwise(bounds)]


@every_case
@pytest.mark.parametrize("drive", [None, DRIVE], ids=["undriven", "driven"])
def test_every_episode_is_computed_as_if_it_were_alone(case, drive):
    layer = case.make_layer(**ALL)
    first = [np.full((B, width), 0.3, "float32") for width in case.states]
    outputs, *states = run(layer, X, initial_state=first, drive=drive, starts=STARTS)
    for b, starts in enumerate(STARTS):
        of_sequence = slice(b, b + 1)
        for steps in episodes(starts):
            start = None if starts[steps.start] else [value[of_sequence] for value in first]
            driven = None if drive is None else drive[of_sequence, steps]
            alone = run(layer, X[of_sequence, steps], initial_state=start, drive=driven)
            assert_same([outputs[of_sequence, steps]], alone[:1], SINGLE)
        assert_same([value[of_sequence] for value in states], alone[1:], SINGLE)


@pytest.mark.parametrize("cell_class", GATED, ids=lambda cls: cls.__name__)
def test_the_cell_serves_gated_units(cell_class):
    cell = cell_class(N)
    plain = keras.layers.RNN(cell, **ALL)
    plain.build((B, T, I))
    layer = keras.layers.RNN(Restarting(cell), **ALL)
    outputs, *states = run(layer, np.concatenate([X, STARTS[..., None]], -1).astype("float32"))
    for b, starts in enumerate(STARTS):
        for steps in episodes(starts):
            alone = run(plain, X[b : b + 1, steps])
            assert_same([outputs[b : b + 1, steps]], alone[:1], SINGLE)
        assert_same([value[b : b + 1] for value in states], alone[1:], SINGLE)


def test_the_cell_is_saved_with_the_one_inside():
    layer = keras.layers.RNN(Restarting(keras.layers.GRUCell(N)))
    copy = keras.layers.RNN.from_config(layer.get_config())
    assert copy.cell.cell.units == N
    with pytest.raises(TypeError, match=r"`cell` must be a recurrent cell.* Received: .*Dense"):
        Restarting(keras.layers.Dense(3))


@pytest.mark.parametrize("option", ["dropout", "recurrent_dropout"])
def test_the_cell_refuses_dropout_whose_mask_nothing_would_renew(option):
    cell = keras.layers.GRUCell(N, **{option: 0.5})
    for inside in (cell, keras.layers.StackedRNNCells([keras.layers.GRUCell(N), cell])):
        with pytest.raises(ValueError, match=r"`cell` must have no dropout.* dropout 0.5"):
            Restarting(inside)


def test_the_cell_serves_stacked_cells():
    stacked = keras.layers.StackedRNNCells([keras.layers.LSTMCell(N), keras.layers.GRUCell(N)])
    plain, layer = keras.layers.RNN(stacked), keras.layers.RNN(Restarting(stacked))
    plain.build((B, T, I))
    (found,) = run(layer, np.concatenate([X, STARTS[..., None]], -1).astype("float32"))
    for b, starts in enumerate(STARTS):
        alone = run(plain, X[b : b + 1, episodes(starts)[-1]])
        assert_same([found[b : b + 1]], alone, SINGLE)


def values_and_gradients(layer, given, mask, starts):
    """Every output, and the gradients of a weighted sum of them in all that it depends on."""

    def outputs(x, drive, *states):
        options = {"initial_state": list(states), "mask": mask, "starts": starts}
        outputs = layer(x, drive=drive, training=True, **options)
        return outputs if isinstance(outputs, list | tuple) else [outputs]

    def total(*tensors):
        return sum(
            ops.sum(ops.cos(ops.arange(y.shape[-1], dtype=y.dtype)) * y) for y in outputs(*tensors)
        )

    value, found = gradients(total, *given, variables=layer.trainable_variables, mode=MODE)
    return [*map(array, outputs(*map(ops.convert_to_tensor, given))), value, *found]


def assert_equals_the_loop(case, starts, mask=None, dtype="float64", tolerance=EXACT, **options):
    given = places(case, BATCH, STEPS, dtype)
    layers = pair(case, dtype, **{**ALL, **options})
    at_once, by_steps = (values_and_gradients(layer, given, mask, starts) for layer in layers)
    assert_same(at_once, by_steps, tolerance)


@pytest.mark.parametrize("case", [FUSED[0], LARGE], ids=str)
def test_at_once_equals_the_loop_in_values_and_every_gradient(case):
    assert_equals_the_loop(case, starts_of())


def test_with_masks_dropout_and_recomputed_residuals():
    options = {"recurrent_dropout": 0.3, "dropout": 0.4, "seed": 11, "checkpoint_every": 4}
    assert_equals_the_loop(FUSED[0], starts_of(), mask_of("holes"), **options)


def test_backwards_with_a_start_at_every_step():
    assert_equals_the_loop(LARGE, starts_of(1.0), go_backwards=True, return_state=False)


def test_nothing_of_an_episode_reaches_the_one_before():
    """The gradient of what follows a start, in what precedes it, is exactly 0."""
    layer = settle(LARGE.layer(**LARGE.arguments, **ALL))
    x, *_ = places(LARGE, 2, 6, "float32")
    starts = np.arange(6) == 3

    def later(x):
        return ops.sum(layer(x, starts=starts, training=True)[0][:, 3:] ** 2)

    (slope,) = gradients(later, x, mode=MODE)[1]
    assert not slope[:, :3].any() and slope[:, 3:].all()


def test_starts_are_an_input_of_a_functional_model(tmp_path):
    x, starts = keras.Input((T, I)), keras.Input((T,), dtype="bool")
    case = CASES[-1]
    model = keras.Model([x, starts], case.layer(**case.arguments)(x, starts=starts))
    expected = array(model([X, STARTS]))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert_same([array(again([X, STARTS]))], [expected], SINGLE)
    assert np.abs(expected - array(model([X, ~STARTS]))).max() > 1e-3


def test_starts_of_another_shape_are_refused():
    layer = CASES[0].make_layer()
    with pytest.raises(ValueError, match=r"`starts` must broadcast to \(batch, time\) = \(3, 5\)"):
        layer(X, starts=np.ones((B, T - 1), bool))
    assert_same(run(layer, X, starts=STARTS[1]), run(layer, X, starts=np.tile(STARTS[1], (B, 1))))


def test_a_start_at_a_skipped_step_is_skipped():
    layer = CASES[-1].make_layer()
    starts = ~MASK
    assert_same(run(layer, X, mask=MASK, starts=starts), run(layer, X, mask=MASK))
