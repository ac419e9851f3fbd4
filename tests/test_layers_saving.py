"""The contract of every cell and layer on disk: configurations, files, exported programs."""

import keras
import numpy as np
import pytest
from contract import CASES, DRIVE, B, I, N, T, X, assert_same, every_case, run, settle
from support import array, arrays, only_on

from aru_keras import ARU, DrivenRNN, DrivenRNNCell, GammaRNN
from aru_keras.initializers import HenaffOrthogonal
from aru_keras.layers import Bidirectional


@every_case
def test_config_round_trip(case):
    options = {
        "return_sequences": True,
        "return_state": True,
        "go_backwards": True,
        "stateful": True,
        "unroll": True,
        "zero_output_for_mask": True,
        "trainable": False,
        "name": "mine",
        "dtype": "mixed_float16",
        "kernel_initializer": keras.initializers.RandomNormal(0.0, 0.3, seed=4),
        "bias_initializer": 0.5,
    }
    layer = case.layer(**case.arguments, **options)
    again = case.layer.from_config(layer.get_config())
    assert type(again) is case.layer and again.get_config() == layer.get_config()
    assert again.name == "mine" and again.compute_dtype == "float16" and not again.trainable
    assert all(getattr(again, name) is True for name in list(options)[:6])
    again.build((B, T, I))
    assert (array(again.cell.bias) == 0.5).all() and abs(array(again.cell.kernel)).max() < 1.5
    cell = case.make_cell(name="mine")
    copy = case.cell.from_config(cell.get_config())
    assert copy.get_config() == cell.get_config()
    copy.build((B, I))
    assert [tuple(w.shape) for w in copy.weights] == [tuple(w.shape) for w in cell.weights]


def test_arguments_of_each_layer_are_in_its_config():
    assert ARU(4, 3, fused=False).get_config()["fused"] is False
    assert ARU(4, 3).get_config()["controller_units"] == 3
    assert GammaRNN(4, shared=True).get_config()["shared"] is True
    assert DrivenRNN(4, "tanh").get_config()["activation"] == "tanh"
    assert "activation" not in ARU(4, 3).get_config()

    class Mine(DrivenRNNCell):
        pass

    assert Mine.from_config(Mine(4, activation="tanh").get_config()).activation.__name__ == "tanh"


@every_case
@pytest.mark.parametrize("wrapper", ["layer", "rnn", "stacked", "bidirectional"])
def test_keras_file_round_trip(case, wrapper, tmp_path):
    layer = case.layer(**case.arguments, return_sequences=True)
    if wrapper == "rnn":
        layer = keras.layers.RNN(layer.cell)
    elif wrapper == "stacked":
        cells = [case.cell(**case.arguments) for _ in range(2)]
        layer = keras.layers.RNN(keras.layers.StackedRNNCells(cells))
    elif wrapper == "bidirectional":
        layer = Bidirectional(layer)
    model = keras.Sequential([keras.Input((T, I)), layer])
    settle(model)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert_same(arrays(again.weights), arrays(model.weights), 1e-12)
    assert_same(run(again, X), run(model, X), 1e-6)


@every_case
def test_weights_file_round_trip(case, tmp_path):
    model, again = (
        keras.Sequential([keras.Input((T, I)), case.layer(**case.arguments)]) for _ in range(2)
    )
    settle(model)
    model.save_weights(tmp_path / "model.weights.h5")
    again.load_weights(tmp_path / "model.weights.h5")
    assert_same(run(again, X), run(model, X), 1e-6)


@every_case
def test_layer_and_keras_rnn_read_each_others_weights(case):
    layer = case.make_layer()
    rnn = keras.layers.RNN(case.cell(**case.arguments))
    rnn.build((B, T, I))
    rnn.set_weights(layer.get_weights())
    assert_same(run(rnn, X), run(layer, X), 1e-6)


def exported(model, path, *given):
    """Export, then run what came out with TensorFlow."""
    import tensorflow as tf

    model.export(path, format="tf_saved_model", verbose=False)
    loaded = tf.saved_model.load(path)
    given = [tf.constant(value) for value in given]
    outputs = loaded.serve(given if len(given) > 1 else given[0])
    return [value.numpy() for value in (outputs if isinstance(outputs, list) else [outputs])]


@every_case
@only_on("tensorflow", "jax", reason="Keras exports recurrent models to SavedModel not from here")
def test_saved_model(case, tmp_path):
    pytest.importorskip("tensorflow")
    model = keras.Sequential([keras.Input((T, I)), case.make_layer(return_sequences=True)])
    assert_same(exported(model, str(tmp_path / "saved"), X), run(model, X))


@only_on("tensorflow", "jax", reason="Keras exports recurrent models to SavedModel not from here")
def test_saved_model_with_a_drive(tmp_path):
    pytest.importorskip("tensorflow")
    sequences, drive = keras.Input((T, I)), keras.Input((T, N))
    model = keras.Model([sequences, drive], CASES[-1].make_layer()(sequences, drive=drive))
    found = exported(model, str(tmp_path / "saved"), X, DRIVE)
    assert_same(found, run(model, [X, DRIVE]))


@every_case
@only_on("tensorflow", reason="ONNX export of recurrent models needs tf2onnx, that is TensorFlow")
def test_onnx(case, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    model = keras.Sequential([keras.Input((T, I)), case.make_layer(return_sequences=True)])
    expected = run(model, X)
    path = tmp_path / "model.onnx"
    model.export(path, format="onnx", verbose=False)
    session = runtime.InferenceSession(path)
    (found,) = session.run(None, {session.get_inputs()[0].name: X})
    assert_same([found], expected)


@every_case
@only_on("tensorflow", reason="other backends compile nothing into what they export")
def test_an_export_that_says_training_false_is_of_plain_operations(case, tmp_path):
    model = keras.Sequential([keras.Input((T, I)), case.make_layer(return_sequences=True)])
    archive = keras.export.ExportArchive()
    archive.track(model)
    spec = keras.InputSpec(shape=(None, T, I), dtype="float32")
    archive.add_endpoint("serve", lambda x: model(x, training=False), input_signature=[spec])
    archive.write_out(str(tmp_path / "saved"), verbose=False)
    assert b"_XlaMustCompile" not in (tmp_path / "saved" / "saved_model.pb").read_bytes()


def test_arrays_and_generators_of_seeds_as_initializers_survive_saving(tmp_path):
    kernel, gains = 0.1 * np.arange(I * N).reshape(I, N), np.linspace(1, 2, N)
    seed = keras.random.SeedGenerator(1)
    layer = GammaRNN(
        N,
        kernel_initializer=kernel,
        n_initializer=gains,
        recurrent_initializer=HenaffOrthogonal(seed=seed),
        bias_initializer=keras.ops.ones((N,)),
    )
    model = keras.Sequential([keras.Input((T, I)), layer])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert_same(run(again, X), run(model, X), 1e-6)
    new = GammaRNN.from_config(again.layers[-1].get_config())
    new.build((B, T, I))
    assert_same(array(new.cell.kernel), kernel, 1e-6)
    assert_same(array(new.cell.n), gains, 1e-6)
    assert_same(array(new.cell.bias), np.ones(N), 1e-6)
    # The generator begins anew, and its first draw is that of the saved model.
    assert_same(array(new.cell.recurrent_kernel), array(layer.cell.recurrent_kernel), 1e-6)
