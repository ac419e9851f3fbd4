"""What the whole-sequence path keeps of models that are gone, on TensorFlow."""

import gc
import weakref

import keras
import pytest
from support import only_on

from aru_keras import ARU, GammaRNN


def gradients_in_a_graph(layer, steps):
    """A weak reference to a graph in which the layer is run and differentiated."""
    import tensorflow as tf

    graphs = []

    @tf.function(autograph=False)
    def gradients(x):
        graphs.append(weakref.ref(tf.compat.v1.get_default_graph()))
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x, training=True) ** 2)
        return tape.gradient(loss, [variable.value for variable in layer.trainable_variables])

    values = gradients(tf.ones((2, steps, 1)))
    assert all(value is not None for value in values)
    return graphs[0]


@only_on("tensorflow", reason="others keep no graphs")
@pytest.mark.parametrize("make", [lambda n: ARU(n, 2), GammaRNN], ids=["aru", "gamma"])
def test_the_graph_of_a_model_that_is_gone_is_gone(make):
    graph = gradients_in_a_graph(make(3), 4)
    keras.backend.clear_session()
    gc.collect()
    assert graph() is None


@only_on("tensorflow", reason="others keep no graphs")
def test_the_programs_that_are_kept_are_few(monkeypatch):
    import tensorflow as tf

    from aru_keras.fused import tensorflow as path

    # What is compiled does not matter here, and takes its time.
    compiled = tf.function
    monkeypatch.setattr(
        tf, "function", lambda *a, jit_compile=None, **k: compiled(*a, **k), raising=True
    )
    for units in range(1, path.PROGRAMS + 3):
        gradients_in_a_graph(GammaRNN(units), 3)
    assert path._graph_of.cache_info().currsize == path.PROGRAMS
