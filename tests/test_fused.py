"""The whole sequence at once gives the values and gradients of the loop step by step."""

import keras
import numpy as np
import pytest
from contract import CASES, DRIVE, I, N, X, assert_same, run, settle, slopes
from keras import ops
from support import BACKEND, array, gradients, only_on, relative_error

from aru_keras import ARU, ARUCell, GammaRNN
from aru_keras.fused.plan import blocks, default_checkpoint_every

FUSED = [case for case in CASES if case.name in ("aru", "gamma", "gamma-shared")]
every_fused = pytest.mark.parametrize("case", FUSED, ids=str)
LARGE = FUSED[-1]
EXACT, SINGLE = 1e-9, 2e-5
# Eager loops of hundreds of steps are slow on TensorFlow, and compiled at each call on JAX.
MODE = {"tensorflow": "graph", "jax": "jit", "torch": "eager"}[BACKEND]


def pair(case, dtype="float32", **options):
    """The layer at once and step by step, with the same weights."""
    layers = []
    for fused in (True, False):
        layer = case.layer(**case.arguments, dtype=dtype, fused=fused, **options)
        layer.build((len(X), None, I))
        layers.append(settle(layer))
    return layers


def places(case, batch, steps, dtype="float64"):
    """Sequences, a drive, and initial states."""
    rng = np.random.default_rng(3)
    sizes = [(batch, steps, I), (batch, steps, N)] + [(batch, width) for width in case.states]
    return [(0.5 * rng.normal(size=size)).astype(dtype) for size in sizes]


def all_gradients(layer, x, drive, *states):
    """The sum of the squares of all outputs, and its gradients in x, drive, states and weights."""

    def total(x, drive, *states):
        outputs = layer(x, drive=drive, initial_state=list(states), training=True)
        outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
        return sum(ops.sum(y * y) for y in outputs)

    variables = layer.trainable_variables
    value, found = gradients(total, x, drive, *states, variables=variables, mode=MODE)
    return [value, *found]


def assert_same_gradients(case, options, batch, steps, dtype, tolerance):
    given = places(case, batch, steps, dtype)
    at_once, by_steps = pair(case, dtype, **options)
    if steps > 64:
        tame(at_once, by_steps)
    found, expected = all_gradients(at_once, *given), all_gradients(by_steps, *given)
    assert_same(found, expected, tolerance)


def tame(*layers):
    """Recurrent weights with which differences of rounding do not grow over hundreds of steps."""
    for layer in layers:
        kernel = array(layer.cell.recurrent_kernel)
        layer.cell.recurrent_kernel.assign(0.3 * kernel / np.linalg.norm(kernel, 2))


@every_fused
@pytest.mark.parametrize("steps", [1, 2, 64])
def test_values_and_every_gradient_in_double_precision(case, steps):
    options = {"return_sequences": True, "return_state": True}
    assert_same_gradients(case, options, 2, steps, "float64", EXACT)


@pytest.mark.parametrize("options", [{"go_backwards": True}, {"return_sequences": False}], ids=str)
def test_options_of_the_layer(options):
    options = {"return_sequences": True, **options}
    assert_same_gradients(LARGE, options, 2, 6, "float64", EXACT)


@pytest.mark.parametrize("case", [FUSED[0], LARGE], ids=str)
@pytest.mark.parametrize("steps", [64, 784])
def test_values_and_every_gradient_in_single_precision(case, steps):
    assert_same_gradients(case, {"return_sequences": True}, 3, steps, "float32", SINGLE)


@pytest.mark.parametrize(
    ("every", "state", "batch"),
    [(1, True, 2), (4, True, 2), (4, False, 9), (None, True, 2), (None, False, 8), (100, True, 2)],
)
def test_what_is_kept_changes_nothing(every, state, batch):
    """Batches of 8 and more go in two halves on TensorFlow."""
    options = {"checkpoint_every": every, "return_sequences": True, "return_state": state}
    assert_same_gradients(LARGE, options, batch, 6, "float64", EXACT)


@only_on("tensorflow", reason="others take a batch whole")
@pytest.mark.parametrize("every", [None, 4])
def test_many_chunks_of_a_batch_change_nothing(every, monkeypatch):
    from aru_keras.fused import tensorflow as path

    monkeypatch.setattr(path, "CHUNK_BYTES", 1)
    assert [path._chunk_count(size, 8) for size in (0, 1, 7, 13)] == [1, 1, 1, 3]
    options = {"checkpoint_every": every, "return_sequences": True, "return_state": True}
    assert_same_gradients(LARGE, options, 13, 7, "float64", EXACT)


@every_fused
def test_every_form_of_drive(case):
    at_once, by_steps = pair(case, return_sequences=True, return_state=True)
    for drive in (None, DRIVE, DRIVE[..., :1], DRIVE[:1], 0.5):
        assert_same(run(at_once, X, drive=drive), run(by_steps, X, drive=drive), SINGLE)
    assert_same(run(at_once, X, training=True), run(by_steps, X), SINGLE)


@every_fused
def test_stateful_layers_go_on_where_they_stopped(case):
    at_once, by_steps = pair(case, stateful=True)
    for layer in (at_once, by_steps):
        layer(X)
    assert_same(run(at_once, X), run(by_steps, X), SINGLE)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(policy):
    case = LARGE
    at_once, by_steps = pair(case, policy, return_sequences=True)
    exact, _ = pair(case, "float32", return_sequences=True)
    found, expected = run(at_once, X)[0], run(exact, X)[0]
    assert str(array(at_once(X)).dtype) in ("float16", "float32")
    assert relative_error(found, expected) < 2e-2
    assert relative_error(found, run(by_steps, X)[0]) < 2e-2
    values = slopes(at_once, X, variables=at_once.trainable_variables)
    assert all(np.isfinite(value).all() for value in values)


@pytest.mark.parametrize("jit", [False, True])
def test_training_in_fit_is_that_of_the_loop(jit):
    if jit and BACKEND == "torch":
        pytest.skip("torch: Keras compiles no loops")
    x = np.random.default_rng(0).normal(size=(21, 6, 1)).astype("float32")
    y = np.random.default_rng(1).integers(0, 3, 21)
    weights = []
    for fused in ("auto", False):
        keras.utils.set_random_seed(3)
        model = keras.Sequential(
            [keras.Input((None, 1)), ARU(6, 3, fused=fused), keras.layers.Dense(3)]
        )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.1), loss, jit_compile=jit)
        model.fit(x, y, batch_size=8, shuffle=False, verbose=0)  # The last batch: 5.
        model.predict(x[:, :4], verbose=0)
        weights.append(model.get_weights())
    assert_same(*weights, SINGLE)


@only_on("tensorflow", reason="others know every shape")
@pytest.mark.parametrize("known", ["sequences", "states"])
def test_graphs_that_know_the_batch_of_some_arguments_alone(known):
    import tensorflow as tf

    at_once, by_steps = pair(LARGE, return_sequences=True)
    x, _, *states = places(LARGE, 3, 4, "float32")
    shapes = [(known == kind and 3) or None for kind in ("sequences", "states")]
    specs = [tf.TensorSpec((shapes[0], None, I))]
    specs += [tf.TensorSpec((shapes[1], width)) for width in LARGE.states]

    @tf.function(input_signature=specs)
    def slope(x, *states):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(at_once(x, initial_state=list(states), training=True) ** 2)
        return tape.gradient(y, x)

    expected = gradients(
        lambda x: ops.sum(by_steps(x, initial_state=list(map(tf.constant, states))) ** 2), x
    )[1]
    assert_same([array(slope(x, *states))], expected, SINGLE)


def test_saved_options_come_back(tmp_path):
    layer = ARU(4, 3, fused=True, checkpoint_every=7)
    model = keras.Sequential([keras.Input((None, 1)), layer])
    model.save(tmp_path / "model.keras")
    layer = keras.models.load_model(tmp_path / "model.keras").layers[0]
    assert (layer.fused, layer.checkpoint_every) == (True, 7)
    assert GammaRNN.from_config(GammaRNN(3, fused=False).get_config()).fused is False


class OwnCell(ARUCell):
    """A cell with an equation of its own."""

    def respond(self, a, memory):
        signals, memory = super().respond(a, memory)
        return {**signals, "h": 2 * signals["h"]}, memory


class OwnARU(ARU):
    cell_class = OwnCell


@pytest.mark.parametrize(
    ("build", "call", "words"),
    [
        (lambda **o: ARU(4, 3, unroll=True, **o), {}, "unroll=True"),
        (lambda **o: OwnARU(4, 3, **o), {}, "OwnCell"),
    ],
)
def test_where_it_does_not_apply(build, call, words):
    with pytest.raises(ValueError, match=rf'fused=True needs.*{words}.*Use fused="auto"'):
        build(fused=True)(X, **call)
    layers = [build(fused=fused) for fused in ("auto", False)]
    for layer in layers:
        layer.build(X.shape)
        settle(layer)
    assert_same(run(layers[0], X, **call), run(layers[1], X, **call), 1e-6)


@pytest.mark.parametrize("state", [False, True])
@pytest.mark.parametrize("every", [None, 1, 2, 5, 28, 100])
@pytest.mark.parametrize("steps", [1, 2, 5, 27, 28, 29, 784])
def test_blocks_cover_every_step_once(steps, every, state):
    found = blocks(steps, every, with_state=state)
    covered = [step for block in found for step in range(block.start, block.end)]
    assert covered == list(range(steps))
    assert all(block.recompute == (every is not None) for block in found)
    assert [block.ends for block in found] == [False] * (len(found) - 1) + [state]
    assert not state or found[-1].length == found[-1].count == 1


def test_checkpoints_at_the_papers_length():
    assert default_checkpoint_every(784) == 28 and default_checkpoint_every(1) == 1


@pytest.mark.parametrize("every", [0, -1, 2.5, "all", True])
def test_bad_checkpoints(every):
    with pytest.raises(ValueError, match="`checkpoint_every` must be a whole number"):
        ARU(4, 3, checkpoint_every=every)


def test_automatic_memory_is_a_matter_of_size():
    layer = ARU(400, 50)
    small, large = (np.zeros((784, batch, 400), "float32") for batch in (1, 100))
    small, large = ops.convert_to_tensor(small), ops.convert_to_tensor(large)
    assert layer._checkpoint_every(small, True) is None
    assert layer._checkpoint_every(large, True) == 28
    assert layer._checkpoint_every(large, False) == 784
    layer.checkpoint_every = None
    assert layer._checkpoint_every(large, True) is None
