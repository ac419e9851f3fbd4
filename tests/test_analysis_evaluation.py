"""Scores under perturbations: those of Keras, of a plain loop, and of an interrupted run."""

import json

import keras
import numpy as np
import pytest
from support import array, only_on

from aru_keras import ARU, models, tasks
from aru_keras._util.numerics import NetworkOverflowError
from aru_keras.analysis import robustness, sensitivity
from aru_keras.analysis.evaluation import Evaluator, Score, score_grid
from aru_keras.analysis.score_file import ScoreFile
from aru_keras.perturbations import Contrast, NoisyDrive, Perturbations, StepDrive

SIZE = {"units": 6, "controller_units": 4, "match_parameters": False}
IMAGES = 23  # Not a multiple of the batches below.
# Losses of float32, summed in another order.
CLOSE = 1e-5


@pytest.fixture(scope="module")
def task():
    return tasks.load_task("digits")


def network(task, name, **options):
    """A network whose outputs differ between images and perturbations."""
    model = models.build_network(name, task.input_shape, **SIZE, **options)
    model.get_layer("readout").kernel.assign(np.random.default_rng(0).normal(size=(6, 10)))
    model.compile(
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    return model


def assert_score(found, loss, accuracy, images=IMAGES):
    assert found.loss == pytest.approx(loss, rel=CLOSE)
    assert found.accuracy == pytest.approx(accuracy, abs=1e-6) and found.n == images


@pytest.mark.parametrize(
    ("name", "drive"), [("arun", False), ("gamma", False), ("relu", False), ("arun", True)]
)
def test_scores_are_those_of_evaluate(name, drive, task):
    """Whether or not the network was built with a drive."""
    driven = network(task, name, drive=True)
    model = driven if drive else network(task, name)
    model.set_weights(driven.get_weights())
    evaluate = Evaluator(model, task, batch_size=10, limit=IMAGES)
    for perturbation in (StepDrive(3), NoisyDrive(2) + Contrast(0.7)):
        batches = task.batches("test", 10, limit=IMAGES, perturbation=perturbation, units=6)
        assert_score(evaluate(perturbation), *driven.evaluate(batches, verbose=0))
    plain = network(task, name)
    plain.set_weights(driven.get_weights())
    x, y = task.examples("test", range(IMAGES))
    for nothing in (None, StepDrive(0), Contrast(0)):
        assert_score(evaluate(nothing), *plain.evaluate(x, y, verbose=0))


def test_scores_are_those_of_a_loop_over_images(task):
    """Step by step with the cell, the drive by its definition t0 < t < t0 + τ."""
    model = network(task, "arun")
    cell, readout = model.get_layer("recurrent").cell, model.get_layer("readout")
    x, y = task.examples("test", range(3))
    losses, hits = [], []
    for pixels, label in zip(x, y, strict=True):
        states = cell.get_initial_state(1)
        for t in range(64):
            # A scaled start and duration: round(200·64/784) = 16.
            h, states = cell(pixels[None, t], states, drive=4.0 if 16 < t < 32 else 0.0)
        logits = (array(h) @ array(readout.kernel) + array(readout.bias))[0].astype("float64")
        losses.append(np.log(np.exp(logits).sum()) - logits[label])
        hits.append(logits.argmax() == label)
    found = Evaluator(model, task, limit=3)(StepDrive(4))
    assert_score(found, np.mean(losses), np.mean(hits), 3)


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_gated_networks_take_contrast_alone(name, task):
    model = network(task, name)
    evaluate = Evaluator(model, task, batch_size=10, limit=IMAGES)
    x, y = task.examples("test", range(IMAGES))
    changed = x * (1 + 0.5 * np.sin(2 * np.pi * np.arange(64) / 64))[None, :, None]
    assert_score(evaluate(Contrast(0.5)), *model.evaluate(changed.astype("float32"), y, verbose=0))
    with pytest.raises(ValueError, match="LSTM and GRU"):
        evaluate(StepDrive(1))


@pytest.mark.parametrize("kind", ["activation", "layer"])
def test_a_softmax_gets_no_second_one(kind, task):
    model = network(task, "relu")
    logits = model.get_layer("readout")
    # Probabilities above 1e-7, below which Keras cuts them off.
    logits.kernel.assign(0.1 * array(logits.kernel))
    logits.bias.assign(np.linspace(-2, 2, 10))
    twin = keras.models.clone_model(model)
    if kind == "activation":
        twin.get_layer("readout").activation = keras.activations.softmax
    else:
        twin = keras.Model(twin.inputs, keras.layers.Softmax()(twin.outputs[0]))
    twin.set_weights(model.get_weights())
    assert logits.activation is not keras.activations.softmax
    found, known = (Evaluator(one, task, limit=IMAGES)(StepDrive(1)) for one in (twin, model))
    assert_score(found, known.loss, known.accuracy)


LAYERS = {
    "arun": lambda **options: ARU(6, 4, **options),
    "lstm": lambda **options: keras.layers.LSTM(6, **options),
    "both directions": lambda **options: keras.layers.Bidirectional(
        keras.layers.LSTM(6, **options)
    ),
}


def classifier(task, name, batch=None, **options):
    pixels = keras.Input(batch_shape=(batch, *task.input_shape))
    last = LAYERS[name](**options)(pixels)
    last = last[0] if isinstance(last, list | tuple) else last
    return keras.Model(pixels, keras.layers.Dense(10)(last))


@pytest.mark.parametrize("name", LAYERS)
def test_batches_of_a_stateful_network_begin_anew_and_leave_its_states(name, task):
    model = classifier(task, name, 5, stateful=True)
    plain = classifier(task, name)
    plain.set_weights(model.get_weights())
    known = Evaluator(plain, task, limit=IMAGES)()
    model(task.examples("test", range(5))[0])
    before = [array(state) for state in model.layers[1].states]
    assert all(state.any() for state in before)
    evaluate = Evaluator(model, task, batch_size=10, limit=IMAGES)
    for _ in range(2):
        assert_score(evaluate(), known.loss, known.accuracy)
    for state, value in zip(model.layers[1].states, before, strict=True):
        np.testing.assert_array_equal(array(state), value)


def test_a_network_whose_layer_returns_its_states_too(task):
    model, plain = classifier(task, "arun", return_state=True), classifier(task, "arun")
    plain.set_weights(model.get_weights())
    found, known = (Evaluator(one, task, limit=IMAGES)(StepDrive(1)) for one in (model, plain))
    assert_score(found, known.loss, known.accuracy)


def test_losses_of_half_precision_networks_are_taken_in_float32(task):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = network(task, "gamma")
    finally:
        keras.config.set_dtype_policy("float32")
    x, y = task.examples("test", range(IMAGES))
    found = Evaluator(model, task, limit=IMAGES)()
    assert_score(found, *model.evaluate(x, y, verbose=0))


def test_images_pass_the_convolutional_encoder_as_in_evaluation():
    rng = np.random.default_rng(0)
    images, labels = rng.random((5, 8, 8, 3)).astype("float32"), np.arange(5, dtype="int32")

    class Colour:
        timesteps, sizes = 4, {"test": 5}

        def examples(self, split, indices):
            return images[indices], labels[indices]

        def perturbed(self, x, indices, perturbation, units):
            return perturbation.pixels(x), perturbation.drive(indices, 4, units)

    model = models.build_network("arun", (8, 8, 3), encoder="conv", units=6, controller_units=4)
    model.get_layer("norm_1").moving_mean.assign(rng.normal(size=3))
    model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    found = Evaluator(model, Colour())(Contrast(0.5))
    x = Contrast(0.5).pixels(images)
    assert found.loss == pytest.approx(model.evaluate(x, labels, verbose=0), rel=CLOSE)
    assert Evaluator(model, Colour())(StepDrive(5, start=1, duration=3)).loss != found.loss


@only_on("tensorflow", "jax", reason="traces nothing")
def test_all_amplitudes_and_batches_run_one_program(task):
    evaluate = Evaluator(network(task, "arun"), task, batch_size=10, limit=IMAGES)
    score_grid(evaluate, robustness.step_drives())
    score_grid(evaluate, robustness.contrasts())
    assert evaluate.traces == 1


def test_an_interrupted_map_goes_on_where_it_was(task, tmp_path):
    model, grid = network(task, "arun"), sensitivity.step_map((0, 1, 5), (4, 20))
    evaluate = Evaluator(model, task, limit=IMAGES)
    whole = score_grid(evaluate, grid)
    assert len(np.unique(whole.loss)) == 5
    asked = []

    def until_killed(perturbation, last=2):
        if len(asked) == last:
            raise KeyboardInterrupt
        asked.append(perturbation)
        return evaluate(perturbation)

    path = tmp_path / "scores.json"
    with pytest.raises(KeyboardInterrupt):
        score_grid(until_killed, grid, done=ScoreFile(path, evaluate.identity()))
    # Another process: a fresh evaluator and a fresh file.
    evaluate = Evaluator(model, task, limit=IMAGES)
    done = ScoreFile(path, evaluate.identity())
    assert list(done) == asked == [Perturbations(), StepDrive(1, duration=4)]
    again = score_grid(lambda p: until_killed(p, last=5), grid, done=done)
    assert len(set(asked)) == len(asked) == 5
    np.testing.assert_array_equal(again.loss, whole.loss)
    np.testing.assert_array_equal(again.accuracy, whole.accuracy)


def test_a_file_of_other_scores_or_a_damaged_one_is_refused(task, tmp_path):
    path, model = tmp_path / "scores.json", network(task, "relu")
    evaluate = Evaluator(model, task, limit=3)
    score_grid(evaluate, [StepDrive(1)], done=ScoreFile(path, evaluate.identity()))
    model.get_layer("readout").bias.assign(np.ones(10))
    with pytest.raises(ValueError, match="Choose another file"):
        ScoreFile(path, evaluate.identity())
    path.write_text(path.read_text()[:-20])
    with pytest.raises(ValueError, match="damaged"):
        ScoreFile(path, evaluate.identity())
    path.write_text(json.dumps({"identity": {}, "scores": [{"loss": 1.0}]}))
    with pytest.raises(ValueError, match="damaged"):
        ScoreFile(path, {})


def test_a_network_that_overflows_is_an_error(task):
    model = network(task, "relu")
    model.get_layer("recurrent").cell.recurrent_kernel.assign(100.0 * np.eye(6))
    with pytest.raises(
        NetworkOverflowError, match=r"3 of 3 images .* under StepDrive\(amplitude=5"
    ):
        Evaluator(model, task, limit=3)(StepDrive(5))


def test_a_grid_is_measured_in_its_shape_and_nothing_twice():
    asked = []

    def evaluate(perturbation):
        asked.append(perturbation)
        if not perturbation.components:
            return Score(0.0, 1.0, 7)
        return Score(perturbation.amplitude + 10 * perturbation.phase, 0.5, 7)

    found = score_grid(evaluate, sensitivity.contrast_map((0, 1, 2), (0.0, 0.1)))
    np.testing.assert_allclose(found.loss, [[0, 0], [1, 2], [2, 3]])
    np.testing.assert_allclose(found.accuracy, [[1, 1], [0.5, 0.5], [0.5, 0.5]])
    assert found.n == 7 and len(asked) == 5


def test_what_does_not_fit_is_an_error(task):
    model = network(task, "relu")
    with pytest.raises(ValueError, match="Did you mean 'test'"):
        Evaluator(model, task, "tst")
    with pytest.raises(ValueError, match="`limit`"):
        Evaluator(model, task, limit=0)
