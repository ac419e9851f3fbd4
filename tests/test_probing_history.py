"""The callback that follows n and s through training."""

import keras
import numpy as np
import pytest
from contract import B, G, I, N, T, X, assert_same

from aru_keras import ARU
from aru_keras.probing import Record, SignalHistory, record

Y = np.arange(B) % 2


def network(*before):
    model = keras.Sequential([keras.Input((T, I)), *before, ARU(N, G), keras.layers.Dense(2)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.5), loss)
    return model


def test_the_means_of_units_before_and_after_each_epoch():
    model, history = network(), SignalHistory(X)
    before = record(model, X)
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[history])
    assert history.epochs == [0, 1, 2] and list(history.history) == ["n", "s"]
    after = record(model, X)
    for name in ("n", "s"):
        found = history.history[name]
        expected = [values[name].mean(axis=(0, 1)) for values in (before, after)]
        assert_same([found[0], found[-1]], expected, 1e-5)
        assert (found[0] != found[1]).any() and (found[1] != found[2]).any()


def test_every_other_epoch_all_values_and_the_last():
    model = network()
    history = SignalHistory(X, Record("g", [-1]), 0.5, every=2, keep=np.array)
    model.fit(X, Y, epochs=3, verbose=0, callbacks=[history])
    assert history.epochs == [0, 2, 3]
    expected = record(model, X, "g", 0.5)["g"][:, -1]
    assert_same([history.history["g"][-1]], [expected], 1e-5)


def test_a_training_that_goes_on_dates_its_first_record():
    model, history = network(), SignalHistory(X)
    model.fit(X, Y, initial_epoch=3, epochs=5, verbose=0, callbacks=[history])
    assert history.epochs == [3, 4, 5]


def test_masked_steps_do_not_count():
    model = network(keras.layers.Masking(-9.0))
    x = np.where(np.arange(T)[:, None] < 3, X, -9).astype("float32")
    history = SignalHistory(x, "n", keep=np.array)
    model.fit(x, Y, epochs=1, verbose=0, callbacks=[history])
    assert_same([history.history["n"][-1]], [record(model, x, "n")["n"][:, :3].reshape(-1, N)])


def test_errors_come_before_training():
    with pytest.raises(ValueError, match="`every` must be a whole number of at least 1"):
        SignalHistory(X, every=0)
    gru = keras.Sequential([keras.Input((T, I)), keras.layers.GRU(2)])
    gru.compile("sgd", "mse")
    with pytest.raises(ValueError, match="exactly one, recurrent layer with signals"):
        gru.fit(X, np.zeros((B, 2)), verbose=0, callbacks=[SignalHistory(X)])
