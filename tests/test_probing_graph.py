"""Networks whose recurrent layer cannot be told, or reads what cannot be encoded."""

import keras
import numpy as np
import pytest
from contract import CASES, MASK, B, G, I, N, T, X, assert_same
from support import array

from aru_keras import ARU, GammaRNN
from aru_keras.analysis.classification import Classifier
from aru_keras.probing import OnlineStep, class_probabilities, graph, record, record_dataset


def test_none_or_several_layers():
    layers = [keras.Input((T, I)), ARU(N, G, return_sequences=True), ARU(N, G)]
    for model in (keras.Sequential(layers), keras.Sequential([layers[0], keras.layers.GRU(2)])):
        with pytest.raises(ValueError, match=r"exactly one.*pass the layer"):
            record(model, X)
    with pytest.raises(ValueError, match="exactly one"):
        record(keras.layers.LSTM(2), X)


def grown():
    model = keras.Sequential()
    for layer in (keras.Input((T, I)), keras.layers.Dense(I), ARU(N, G), keras.layers.Dense(2)):
        model.add(layer)
    return model


def saved(model, folder):
    model.save(folder / "model.keras")
    return keras.models.load_model(folder / "model.keras")


def backwards(model):
    """A model that reads in reverse, of layers that are another model's, too."""
    x = keras.Input((T, I))
    return keras.Model(
        x, model.layers[2](model.layers[1](model.layers[0](keras.ops.flip(x, axis=1))))
    )


FORMS = {
    "grown": lambda _: grown(),
    "loaded": lambda folder: saved(grown(), folder),
    "loaded twice": lambda folder: saved(saved(grown(), folder), folder),
    "cloned": lambda _: keras.models.clone_model(grown()),
    "of another's layers": lambda _: backwards(grown()),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_graph_is_that_of_the_model(form, tmp_path):
    """Keras makes a sequential model anew, and its layers keep the graphs of before, too."""
    model = FORMS[form](tmp_path)
    dense, _, readout = model.layers[-3:]
    expected = array(model(X))
    assert_same([record_dataset(model, X).y.values[:, -1]], [expected])
    assert_same([array(readout(record(model, X, "h")["h"][:, -1]))], [expected])
    assert Classifier(model).takes_drive
    read = X[:, ::-1] if form == "of another's layers" else X
    sequences = graph.encoder(model, graph.recurrent_layer(model))(X)
    assert_same([array(sequences)], [array(dense(read))])


@pytest.mark.parametrize("grow", [False, True])
def test_every_step_of_a_loaded_model(grow, tmp_path):
    layers = [keras.Input((T, I)), ARU(N, G, return_sequences=True), keras.layers.Dense(2)]
    model = keras.Sequential() if grow else keras.Sequential(layers)
    for layer in layers if grow else ():
        model.add(layer)
    for form in (model, saved(model, tmp_path)):
        assert_same([record_dataset(form, X).y.values], [array(model(X))])


def test_a_read_out_that_is_no_chain():
    x = keras.Input((T, I))
    h = ARU(N, G, return_sequences=True)(x)
    y = keras.layers.Dense(N)(h)
    for output in (keras.layers.Add()([y, h]), y + h, keras.layers.Dense(2)(y[:, :1])):
        assert "y" not in OnlineStep(keras.Model(x, output)).signals


def test_inputs_that_are_mixed_before_the_layer_are_refused():
    first, second = keras.Input((T, I)), keras.Input((T, I))
    model = keras.Model([first, second], ARU(N, G)(keras.layers.Add()([first, second])))
    with pytest.raises(ValueError, match=r"one input of the model.*Encode the sequences yourself"):
        record(model, X)


def test_a_layer_inside_an_inner_model_is_refused():
    inner = keras.Sequential([keras.Input((T, I)), ARU(N, G)])
    model = keras.Sequential([keras.Input((T, I)), inner, keras.layers.Dense(2)])
    with pytest.raises(ValueError, match=r"inside of another one\. Pass that inner model"):
        record(model, X)
    record(inner, X)


def test_models_without_a_graph_are_refused():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = ARU(N, G)

        def call(self, x):
            return self.inner(x)

    model = Own()
    model(X)
    with pytest.raises(ValueError, match=r"functional or sequential.*Pass the layer itself"):
        record(model, X)


def dense(x):
    return keras.layers.Dense(N)(x[:, 0])


LOST = {
    "initial_state": lambda x: {"initial_state": [dense(x)]},
    "constant initial_state": lambda x: {"initial_state": [np.ones((B, N), "float32")]},
    "drive": lambda x: {"drive": x[..., :1] + 1},
    "constant drive": lambda x: {"drive": 0.5},
    "constant mask": lambda x: {"mask": MASK},
    "starts": lambda x: {"starts": keras.Input((T,), dtype="bool")},
    "computed starts": lambda x: {"starts": x[..., 0] > 0},
}


@pytest.mark.parametrize("name", LOST)
def test_what_would_be_lost_outside_of_the_model_is_refused(name):
    """Each of them was left out without a word, or taken for a mask."""
    x = keras.Input((T, I))
    more = LOST[name](x)
    h = GammaRNN(N, name="units")(x, **more)
    inputs = [x, *(value for value in more.values() if name == "starts")]
    model = keras.Model(inputs, keras.layers.Dense(2)(h))
    message = (
        f"'units' must be called with .* another argument, `{name.split()[-1]}`, .* (Build|Make)"
    )
    for measure in (lambda model: record(model, X), OnlineStep, Classifier):
        with pytest.raises(ValueError, match=message):
            measure(model)


def test_so_is_an_initial_state_given_by_position_to_a_layer_of_keras():
    x = keras.Input((T, I))
    model = keras.Model(x, keras.layers.RNN(GammaRNN(N).cell)(x, [dense(x)]))
    with pytest.raises(ValueError, match="another argument, `initial_state`"):
        record(model, X)


@pytest.mark.parametrize("options", [{}, {"return_state": True}], ids=["h", "states too"])
def test_a_softmax_above_every_step_is_part_of_the_read_out(options):
    x = keras.Input((T, I))
    layer = CASES[-1].make_layer(return_sequences=True, **options)
    h = layer(x)[0] if options else layer(x)
    model = keras.Model(x, keras.layers.Softmax()(keras.layers.Dense(2)(h)))
    step, expected = OnlineStep(model), array(model(X))
    assert "y" in step.signals
    state = step.initial_state(B)
    for t in range(T):
        _, state, signals = step(X[:, t], state)
        assert_same([array(signals["y"])], [expected[:, t]])
        assert_same([class_probabilities(model, signals["y"])], [expected[:, t]])


def test_a_softmax_over_time_is_not():
    x = keras.Input((T, I))
    h = keras.layers.Dense(2)(ARU(N, G, return_sequences=True)(x))
    model = keras.Model(x, keras.layers.Softmax(axis=1)(h))
    assert "y" not in OnlineStep(model).signals
    outputs = model(X)
    softmax = array(keras.ops.softmax(outputs))
    assert_same([class_probabilities(model, outputs)], [softmax])


def softmax_last(kind):
    layers = [keras.Input((T, I)), GammaRNN(N)]
    above = {
        "activation": [keras.layers.Dense(2, "softmax")],
        "layer": [keras.layers.Dense(2), keras.layers.Softmax()],
        "axis": [keras.layers.Dense(2), keras.layers.Softmax(axis=[1])],
        "inner model": [keras.Sequential([keras.layers.Dense(2), keras.layers.Softmax()])],
    }
    return keras.Sequential([*layers, *above[kind]])


@pytest.mark.parametrize("kind", ["activation", "layer", "axis", "inner model"])
def test_probabilities_of_a_softmax_stay_as_they_are(kind):
    model = softmax_last(kind)
    outputs = model(X)
    np.testing.assert_array_equal(class_probabilities(model, outputs), array(outputs))


def test_a_stateful_layer_before_the_recurrent_one_begins_anew_and_keeps_its_states():
    options = {"return_sequences": True, "kernel_initializer": "ones"}
    first = keras.layers.LSTM(I, stateful=True, **options)
    layers = [keras.Input(batch_shape=(B, T, I)), first, CASES[-1].make_layer()]
    model = keras.Sequential(layers)
    expected = record(model, X, "h")
    assert all(not array(state).any() for state in first.states)
    model(X)
    before = [array(state) for state in first.states]
    assert all(state.any() for state in before)
    assert_same(list(record(model, X, "h").values()), list(expected.values()), 1e-6)
    for state, known in zip(first.states, before, strict=True):
        np.testing.assert_array_equal(array(state), known)
