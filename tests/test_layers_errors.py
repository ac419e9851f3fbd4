"""Bad input: one ValueError that names the argument, what it must be and what came."""

import keras
import numpy as np
import pytest
from contract import CASES, B, I, N, T, X, assert_same, every_case
from support import array, only_on

from aru_keras import ARU, ARUCell, DrivenRNN, GammaRNN


def refused(*words):
    """A ValueError with these words, and with what was received."""
    return pytest.raises(ValueError, match=r"(?s)" + ".*".join([*words, "(Received|found)"]))


@every_case
@pytest.mark.parametrize("units", [0, -1, 2.5, "3", None, True])
def test_units(case, units):
    for made in (case.layer, case.cell):
        with refused("`units` must be a whole number of at least 1"):
            made(**{**case.arguments, "units": units})


@pytest.mark.parametrize("size", [0, "3", 1.0])
def test_controller_units(size):
    for made in (ARU, ARUCell):
        with refused("`controller_units` must be a whole number of at least 1"):
            made(N, size)


def test_numpy_integers_are_integers():
    assert ARU(np.int64(4), np.int32(3)).get_config()["units"] == 4
    assert type(ARU(np.int64(4), np.int32(3)).cell.units) is int


@pytest.mark.parametrize("fused", ["no", None, 2])
def test_fused(fused):
    with refused("`fused` must be"):
        ARU(4, 3, fused=fused)


def test_unknown_arguments_are_refused():
    with pytest.raises((TypeError, ValueError), match="controler_units"):
        GammaRNN(4, controler_units=3)


@every_case
def test_rank_and_features_of_sequences(case):
    for layer in (case.make_layer(), case.layer(**case.arguments)):
        for x in (X[0], X[..., None]):
            with refused("expected ndim=3"):
                layer(x)
    with pytest.raises(ValueError, match=f"expected axis -1 of input shape to have value {I}"):
        case.make_layer()(X[..., :1])


@every_case
def test_rank_and_features_of_a_step(case):
    cell = case.make_cell()
    states = cell.get_initial_state(batch_size=B)
    with refused("expected ndim=2"):
        cell(X, states)
    with pytest.raises(ValueError, match=f"expected axis -1 of input shape to have value {I}"):
        cell(X[:, 0, :1], states)
    with refused("reads one step at a time"):
        case.cell(**case.arguments).build((B, T, I))


@every_case
def test_number_of_states(case):
    states = [np.zeros((B, width), "float32") for width in case.states]
    for wrong in ([], [*states, states[0]], states[:-1], states[0]):
        with refused("`states` must be a list of"):
            case.make_cell()(X[:, 0], wrong)
    for wrong in ([*states, states[0]], [*states, *states]):
        with refused("`initial_state` must be a list of"):
            case.make_layer()(X, initial_state=wrong)


def test_an_aru_does_not_start_from_h_alone():
    for wrong in ([np.zeros((B, N), "float32")], np.zeros((B, N), "float32")):
        with refused("`initial_state` must be a list of tensors"):
            CASES[-1].make_layer()(X, initial_state=wrong)


@every_case
def test_batch_of_a_stateful_layer(case):
    layer = case.make_layer(stateful=True)
    with refused("batch must stay at 3"):
        layer(X[:2])
    with pytest.raises(ValueError, match="batch size must be static"):
        case.layer(**case.arguments, stateful=True).build((None, T, I))


@every_case
@only_on("tensorflow", reason="lengths are always known when a call runs")
def test_unrolling_an_unknown_length(case):
    import tensorflow as tf

    layer = case.make_layer(unroll=True)
    graph = tf.function(layer, input_signature=[tf.TensorSpec((B, None, I))])
    with refused("unroll=True needs sequences of known length"):
        graph(X)


def test_number_of_units_of_a_functional_drive():
    with refused("`drive` must broadcast"):
        CASES[-1].make_layer()(keras.Input((T, I)), drive=keras.Input((T, N + 1)))


@only_on("tensorflow", reason="the others have no ragged tensors")
def test_ragged_sequences_are_refused_with_the_way_to_pad_them():
    import tensorflow as tf

    ragged = tf.ragged.constant([[[1.0], [2.0]], [[3.0]]], ragged_rank=1)
    with pytest.raises(ValueError, match=r"must be a dense tensor.*to_tensor.*Masking"):
        ARU(4, 2)(ragged)


@every_case
@pytest.mark.parametrize("fused", [False, True])
def test_shape_of_a_mask(case, fused):
    layer = case.make_layer(**({} if case.layer is DrivenRNN else {"fused": fused}))
    for mask in (np.ones((T, B), bool), np.ones(B * T, bool), np.ones((B, T + 1), bool)):
        with refused("`mask` must be", rf"\({B}, {T}\)"):
            layer(X, mask=mask)
    mask = np.arange(T) < np.array([[T], [2], [3]])
    assert_same(*(array(layer(X, mask=m)) for m in (mask, mask[..., None])))


@every_case
def test_shapes_of_initial_states(case):
    layer = case.make_layer()
    right = [np.zeros(state.shape, "float32") for state in layer.get_initial_state(B)]
    layer(X, initial_state=right)
    for wrong in (
        right[:-1],
        [state[:-1] for state in right],
        [s[:, :-1] for s in right],
        [*right] * 2,
    ):
        with refused("`initial_state` must be a list of tensors of shapes"):
            layer(X, initial_state=wrong)
