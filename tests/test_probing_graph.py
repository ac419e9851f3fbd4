"""Networks whose recurrent layer cannot be told, or reads what cannot be encoded."""

import keras
import pytest
from contract import G, I, N, T, X

from aru_keras import ARU
from aru_keras.probing import record


def test_none_or_several_layers():
    layers = [keras.Input((T, I)), ARU(N, G, return_sequences=True), ARU(N, G)]
    for model in (keras.Sequential(layers), keras.Sequential([layers[0], keras.layers.GRU(2)])):
        with pytest.raises(ValueError, match=r"exactly one.*pass the layer"):
            record(model, X)
    with pytest.raises(ValueError, match="exactly one"):
        record(keras.layers.LSTM(2), X)


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
