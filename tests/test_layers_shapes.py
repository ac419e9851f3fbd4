"""Batches and lengths that a graph of TensorFlow does not know beforehand, and what is exported."""

import keras
import numpy as np
import pytest
from contract import I, N, T, assert_same
from support import array, arrays, tensorflow_only

from aru_keras import ARU

ROWS = np.random.default_rng(0).normal(size=(7, T, I)).astype("float32")
TARGETS = np.zeros((7, 2), "float32")


@pytest.fixture
def shapes():
    from aru_keras.fused import tensorflow_shapes

    return tensorflow_shapes


@tensorflow_only
@pytest.mark.parametrize("compilation", [0.0, np.inf], ids=["compiled", "plain"])
@pytest.mark.parametrize("state", [False, True])
def test_a_graph_that_knows_no_shape_gives_the_loop(compilation, state, shapes, monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr(shapes, "COMPILATION", compilation)
    options = {"return_sequences": True, "return_state": state, "dtype": "float64"}
    layers = [ARU(N, 3, fused=fused, **options) for fused in (True, False)]
    for layer in layers:
        layer.build((None, None, I))
    layers[1].set_weights(layers[0].get_weights())

    def slopes_of(layer):
        @tf.function(input_signature=[tf.TensorSpec((None, None, I), "float64")])
        def slopes(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                outputs = layer(x, training=True)
                total = sum(tf.reduce_sum(y * y) for y in (outputs if state else [outputs]))
            weights = [weight.value for weight in layer.trainable_variables]
            return [total, *tape.gradient(total, [x, *weights])]

        return slopes

    functions = [slopes_of(layer) for layer in layers]
    for batch, steps in ((3, 1), (3, 2), (5, 9), (3, 17), (1, 30)):
        x = tf.constant(np.random.default_rng(steps).normal(size=(batch, steps, I)))
        found, expected = (arrays(function(x)) for function in functions)
        assert_same(found, expected, 1e-9)


@tensorflow_only
def test_lengths_that_are_nearly_alike_share_a_program(shapes):
    lengths = np.arange(1, 800)
    taken = np.array([int(shapes.padded_length(int(steps))) for steps in lengths])
    assert (taken >= lengths).all() and (taken < lengths * (1 + 1 / 8) + 1).all()
    assert len(set(taken[lengths >= 100])) <= 8 * 3 + 1  # Three octaves, 100 … 799.


@tensorflow_only
def test_a_shape_is_compiled_once_it_has_come_back_often_enough(shapes):
    import tensorflow as tf

    def pays(visits):
        known = tf.TensorSpec((None, None, N))

        @tf.function(input_signature=[known])
        def ask(u):
            return visits.pays(u, [u[0]])

        return lambda steps, batch: bool(ask(tf.zeros((steps, batch, N))))

    ask = pays(shapes.Visits())
    often = int(np.ceil(shapes.COMPILATION / (40 * shapes.PER_STEP)))
    answers = [ask(40, 2) for _ in range(often)]
    assert not any(answers[: often // 2]) and answers[-1]
    assert ask(39, 2) and not ask(20, 2) and not ask(40, 3)  # 39 and 40 share a program.


@tensorflow_only
def test_a_graph_that_knows_the_length_is_always_compiled(monkeypatch):
    """Its bits must not depend on what ran before."""
    import tensorflow as tf

    from aru_keras.fused import tensorflow_shapes

    asked = []
    monkeypatch.setattr(tensorflow_shapes.Visits, "pays", lambda *_: asked.append(True))
    layer = ARU(5, 2)
    run = tf.function(lambda x: layer(x, training=True), autograph=False)
    run.get_concrete_function(tf.TensorSpec((2, 7, 1)))
    assert not asked
    run.get_concrete_function(tf.TensorSpec((2, None, 1)))
    assert asked


@pytest.mark.parametrize("training", [False, True])
def test_a_batch_without_sequences(training):
    layer = ARU(N, 2, return_state=True, fused=True)
    h, *states = layer(np.zeros((0, T, I), "float32"), training=training)
    assert [tuple(value.shape) for value in (h, *states)] == [(0, N), (0, N), (0, 2 * N)]


@tensorflow_only
def test_an_epoch_of_new_lengths_compiles_none_of_them(shapes, monkeypatch):
    """A program for each length takes ten times as long as the epoch step by step."""
    import tensorflow as tf

    compiled = tf.Variable(tf.zeros(2, "int32"))
    pays = shapes.Visits.pays

    def counted(visits, u, state):
        answer = pays(visits, u, state)
        compiled.assign_add(tf.stack([1, tf.cast(answer, "int32")]))
        return answer

    monkeypatch.setattr(shapes.Visits, "pays", counted)
    lengths = np.random.default_rng(0).permutation(np.arange(20, 116, 8))
    batches = [(np.zeros((4, length, 1)), np.zeros((4, 1))) for length in lengths]
    signature = (tf.TensorSpec((None, None, 1)), tf.TensorSpec((None, 1)))
    data = tf.data.Dataset.from_generator(lambda: iter(batches), output_signature=signature)
    data = data.apply(tf.data.experimental.assert_cardinality(len(batches)))
    model = keras.Sequential([keras.Input((None, 1)), ARU(8, 3), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(data, verbose=0)
    np.testing.assert_array_equal(compiled, [len(lengths), 0])


@tensorflow_only
def test_what_is_exported_for_inference_consists_of_plain_operations(tmp_path, monkeypatch):
    import tensorflow as tf

    from aru_keras.fused import tensorflow as fused

    calls = []
    whole = fused.sequence
    monkeypatch.setattr(fused, "sequence", lambda *a, **k: calls.append(1) or whole(*a, **k))
    model = keras.Sequential([keras.Input((T, I)), ARU(N, 2), keras.layers.Dense(2)])
    archive = keras.export.ExportArchive()
    archive.track(model)
    signature = [tf.TensorSpec((None, T, I), tf.float32)]
    archive.add_endpoint("serve", lambda x: model(x, training=False), signature)
    archive.write_out(str(tmp_path / "saved"), verbose=False)
    assert not calls
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    np.testing.assert_allclose(
        array(loaded.serve(ROWS)), model.predict(ROWS, verbose=0), rtol=2e-5, atol=1e-6
    )
    assert calls  # Keras' own loops run the sequence at once.
    calls.clear()
    model.compile("sgd", "mse")
    model.evaluate(ROWS, TARGETS, verbose=0)
    assert calls


@tensorflow_only
def test_onnx_runs_what_is_traced_for_inference(tmp_path):
    import tensorflow as tf

    runtime, tf2onnx = pytest.importorskip("onnxruntime"), pytest.importorskip("tf2onnx")
    model = keras.Sequential([keras.Input((T, I)), ARU(N, 2), keras.layers.Dense(2)])
    served = tf.function(lambda x: model(x, training=False))
    file = tmp_path / "model.onnx"
    signature = [tf.TensorSpec((None, T, I), tf.float32, name="x")]
    tf2onnx.convert.from_function(served, signature, output_path=str(file))
    (found,) = runtime.InferenceSession(str(file)).run(None, {"x": ROWS})
    np.testing.assert_allclose(found, model.predict(ROWS, verbose=0), rtol=2e-5, atol=1e-6)


@tensorflow_only
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter:UserWarning")
def test_tflite_runs_an_unrolled_layer_without_the_operations_of_tensorflow(tmp_path):
    import tensorflow as tf

    model = keras.Sequential([keras.Input((T, I)), ARU(N, 2, unroll=True), keras.layers.Dense(2)])
    file = str(tmp_path / "model.tflite")
    model.export(file, format="litert", verbose=False)
    interpreter = tf.lite.Interpreter(file)
    (into,), (out,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(into["index"], ROWS.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(into["index"], ROWS)
    interpreter.invoke()
    found = interpreter.get_tensor(out["index"])
    np.testing.assert_allclose(found, model.predict(ROWS, verbose=0), rtol=2e-5, atol=1e-6)
