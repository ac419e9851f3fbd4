"""Forms of models that users of Keras build around a layer: read rightly, or refused."""

import gymnasium as gym
import keras
import numpy as np
import pytest
from contract import B, G, I, N, T, X, assert_same
from keras import layers, ops
from support import array, relative_error

from aru_keras import ARU, models
from aru_keras.analysis import propagation
from aru_keras.analysis.classification import Classifier
from aru_keras.envs import Probe
from aru_keras.probing import (
    OnlineStep,
    SignalHistory,
    class_probabilities,
    record,
    record_dataset,
)

LABELS = np.arange(B) % 2


def inputs():
    return keras.Input((T, I))


def outputs_of_steps(model, x=X):
    """The output y after each step, (B, T, classes)."""
    step = OnlineStep(model, "y")
    state, found = step.initial_state(len(x)), []
    for t in range(x.shape[1]):
        _, state, signals = step(x[:, t], state)
        found.append(array(signals["y"]))
    return np.stack(found, axis=1)


BESIDE = {
    "before": lambda x: layers.Masking(-1.0)(x * 3.0),
    "after": lambda x: layers.Masking(-1.0)(x) * 3.0,
    "twice": lambda x: layers.Masking(0.5)(layers.Masking(-1.0)(x)),
}


@pytest.mark.parametrize("place", BESIDE)
def test_a_step_leaves_out_nothing_beside_masking(place):
    x = inputs()
    model = keras.Model(x, layers.Dense(2)(ARU(N, G)(BESIDE[place](x))))
    with pytest.raises(ValueError, match=r"`network` must (not mask|have a recurrent layer)"):
        OnlineStep(model)


def test_a_step_of_a_model_with_padding_and_a_drive():
    model = models.build_network(
        "arun", (T, I), units=N, controller_units=G, padding=-1.0, drive=True
    )
    expected = model({"pixels": X, "drive": np.zeros((B, T, 1), "float32")})
    assert_same([outputs_of_steps(model)[:, -1]], [array(expected)])


@pytest.mark.parametrize("hold", [False, True])
def test_a_step_whose_first_call_is_traced(hold):
    model = keras.Sequential([inputs(), ARU(N, G), layers.Dense(2)])
    step, expected = OnlineStep(model, hold_weights=hold), OnlineStep(model)
    x, state = ops.convert_to_tensor(X[:, 0]), step.initial_state(B)
    traced = compiled(lambda x, state: step(x, state)[0])
    for call in (traced, lambda x, state: step(x, state)[0]):
        assert_same([array(call(x, state))], [array(expected(x, state)[0])])


def compiled(function):
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(function)
    if keras.config.backend() == "jax":
        import jax

        return jax.jit(function)
    return function


SOFTMAX = {
    "operation": lambda h: ops.softmax(layers.Dense(3)(h)),
    "operation as activation": lambda h: layers.Dense(3, activation=ops.softmax)(h),
    "layer as activation": lambda h: layers.Dense(3, activation=layers.Softmax())(h),
    "linear after it": lambda h: layers.Activation("linear")(layers.Dense(3, "softmax")(h)),
    "nothing after it": lambda h: layers.Identity()(layers.Dropout(0.5)(layers.Softmax()(h))),
    "first of two": lambda h: [layers.Dense(3, "softmax")(h), layers.Dense(1)(h)],
}


@pytest.mark.parametrize("form", SOFTMAX)
def test_softmax_in_any_form_is_not_applied_twice(form):
    x = inputs()
    model = keras.Model(x, SOFTMAX[form](ARU(N, G)(x)))
    y = keras.tree.flatten(model(X))[0]
    np.testing.assert_array_equal(class_probabilities(model, y), array(y))
    losses = Classifier(model).cross_entropy(y, ops.convert_to_tensor(LABELS, "int32"))
    assert_same([array(losses)], [-np.log(array(y)[np.arange(B), LABELS])])


def test_softmax_of_another_output_is_applied():
    x = inputs()
    h = ARU(N, G)(x)
    model = keras.Model(x, [layers.Dense(2)(h), layers.Dense(3, "softmax")(h)])
    y = model(X)[0]
    assert_same([class_probabilities(model, y)], [array(ops.softmax(y))])


def test_softmax_of_a_model_without_a_graph():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.units, self.last = ARU(N, G), layers.Softmax()

        def call(self, x):
            return self.last(self.units(x))

    y = Own()(X)
    np.testing.assert_array_equal(class_probabilities(Own(), y), array(y))


def test_signals_of_a_sequential_model_that_fit_builds():
    model = keras.Sequential([ARU(N, G), layers.Dense(2)])
    model.compile("sgd", "mse")
    history = SignalHistory(X)
    model.fit(X, np.ones((B, 2)), callbacks=[history], verbose=0)
    assert np.shape(history.history["n"]) == (2, N)


def test_a_sequential_model_that_is_not_built():
    for measure in (lambda model: record(model, X), OnlineStep):
        with pytest.raises(ValueError, match=r"Begin it with keras\.Input, or call it once"):
            measure(keras.Sequential([ARU(N, G), layers.Dense(2)]))


def test_contributions_of_whole_numbers_in_half_precision():
    """bfloat16 has no 1001, and another row of the embedding would be taken."""
    ids = np.arange(1001, 1001 + B * T).reshape(B, T)
    networks = []
    for policy in ("float32", "mixed_bfloat16"):
        within = [layers.Embedding(1100, I), ARU(N, G, dtype=policy), layers.Dense(2)]
        networks.append(keras.Sequential([keras.Input((T,), dtype="int32"), *within]))
    exact, half = networks
    half.set_weights(exact.get_weights())
    found, expected = (propagation(model, ids, LABELS).contributions for model in (half, exact))
    assert relative_error(found, expected) < 0.05


def test_a_model_with_a_call_of_its_own():
    class Own(keras.Model):
        def __init__(self):
            x = inputs()
            super().__init__(x, layers.Dense(2)(ARU(N, G)(x)))

        def call(self, x, training=None, mask=None):
            return super().call(3.0 * x, training=training, mask=mask)

    model = Own()
    for measure in (lambda model: record(model, X), OnlineStep):
        with pytest.raises(ValueError, match="without a `call` of its own"):
            measure(model)
    assert not Classifier(model).takes_drive
    assert_same([array(Classifier(model).outputs(X))], [array(model(X))])


@pytest.mark.parametrize("twice", ["side by side", "one after the other"])
def test_a_layer_that_is_called_twice(twice):
    a, b, layer = inputs(), inputs(), ARU(I, G, return_sequences=True)
    h = layer(a) - layer(b) if twice == "side by side" else layer(layer(a) + b)
    with pytest.raises(ValueError, match="must be called once in the model"):
        record(keras.Model([a, b], layers.Dense(2)(h[:, -1])), X)


def test_steps_of_an_encoder_that_shortens_sequences_of_any_length():
    before = [keras.Input((None, I)), layers.Conv1D(3, 2, strides=2)]
    model = keras.Sequential([*before, ARU(N, G), layers.Dense(2)])
    recording = record_dataset(model, X)
    assert recording.sizes["step"] == T // 2
    assert_same([recording.y.values[:, -1]], [array(model(X))])


def test_a_classifier_of_every_step_has_no_place_for_a_drive():
    model = keras.Sequential([inputs(), ARU(N, G, return_sequences=True), layers.Dense(2)])
    classifier = Classifier(model)
    assert not classifier.takes_drive
    assert_same([array(classifier.outputs(X))], [array(model(X))])
    with pytest.raises(ValueError, match="compute its output from the last output"):
        propagation(model, X, LABELS)


def test_models_of_several_outputs_are_taken_by_the_first():
    x = inputs()
    for h in (ARU(N, G)(x), layers.LSTM(N)(x)):
        model = keras.Model(x, [layers.Dense(2)(h), layers.Dense(1)(h)])
        assert_same([array(Classifier(model).outputs(X))], [array(model(X)[0])])
    both = keras.Model(x, [layers.Dense(2)(h := ARU(N, G)(x)), layers.Dense(1)(h)])
    assert propagation(both, X, LABELS).contributions.shape == (T,)


def test_a_single_output_is_no_classifier():
    model = keras.Sequential([inputs(), ARU(N, G), layers.Dense(1, "sigmoid")])
    classifier = Classifier(model)
    with pytest.raises(ValueError, match="an output for each class, and so two or more"):
        classifier.cross_entropy(classifier.outputs(X), ops.convert_to_tensor(LABELS, "int32"))


ABOVE_EACH_STEP = {
    "time distributed": [layers.TimeDistributed(layers.Dense(2))],
    "normalized": [layers.LayerNormalization(), layers.Dense(2)],
    "rectified": [layers.ReLU(), layers.Dense(2)],
}


@pytest.mark.parametrize("kind", ABOVE_EACH_STEP)
def test_outputs_of_every_step(kind):
    model = keras.Sequential([inputs(), ARU(N, G, return_sequences=True), *ABOVE_EACH_STEP[kind]])
    assert_same([outputs_of_steps(model)], [array(model(X))])


def test_layers_above_that_may_look_at_other_steps():
    x = inputs()
    h = ARU(N, G, return_sequences=True)(x)
    model = keras.Model(x, layers.Dense(2)(h) * 2.0)
    with pytest.raises(ValueError, match=r"not all known to treat each step alike.*Ask for"):
        OnlineStep(model, "y")


def test_the_length_of_another_input():
    context, pixels = keras.Input((7,)), keras.Input((64, 1))
    h = layers.Concatenate()([ARU(N, G)(pixels), context])
    model = keras.Model([context, pixels], layers.Dense(10)(h))
    env = Probe(gym.make("aru/Digits-v0"), model, signals="h")
    assert env.reset(seed=0)[1]["h"].shape == (N,)


def test_inputs_by_name():
    with pytest.raises(ValueError, match="`x` must be finite real numbers, the pixels alone"):
        record(ARU(N, G), {"pixels": X, "drive": X[..., :1]})
