"""Perturbations in pipelines, recordings and training: the same numbers everywhere."""

import dataclasses

import keras
import numpy as np
import pytest
from support import BACKEND, array

from aru_keras import tasks
from aru_keras.models import build_network
from aru_keras.perturbations import Contrast, NoisyDrive, Perturbations, StepDrive
from aru_keras.probing import record

UNITS, LIMIT, BATCH = 5, 70, 30
STEP, NOISE, CONTRAST = StepDrive(2.5), NoisyDrive(seed=3), Contrast(1.5, 2, 0.3)
ALL = [STEP, NOISE, CONTRAST, STEP + CONTRAST, NOISE + CONTRAST + STEP, Perturbations()]


@pytest.fixture(scope="module")
def task():
    return tasks.load_task("digits")


def _whole_task():
    """Like scifar10-conv, with a few images: whole, in colour, read as 8×8 features."""
    spec = dataclasses.replace(tasks.TASKS["scifar10-conv"], sizes={"validation": 10})
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 32, 32, 3), dtype="uint8")
    labels = np.arange(60, dtype="uint8") % 10
    splits = {"train": (images[:50], labels[:50]), "test": (images[50:], labels[50:])}
    return tasks.Task(spec, splits, downsample=1, permutation_seed=0)


def _perturbed_split(task, split, chosen, perturbation):
    """The perturbed examples, made from the whole split."""
    x, y = task.arrays(split)
    drive = perturbation.drive(chosen, task.timesteps, UNITS)
    if drive is not None:
        drive = np.broadcast_to(drive, (len(chosen), *drive.shape[1:]))
    return perturbation.pixels(x)[chosen], drive, y[chosen]


def _one_pass(pipeline):
    """x, drive or None, and y of one pass."""
    inputs, y = zip(*pipeline, strict=True)
    driven = isinstance(inputs[0], dict)
    x = np.concatenate([array(batch["pixels"] if driven else batch) for batch in inputs])
    drive = np.concatenate([array(batch["drive"]) for batch in inputs]) if driven else None
    return x, drive, np.concatenate([array(labels) for labels in y])


def _assert_same(seen, expected):
    for a, b in zip(seen, expected, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", ["batches", "dataset"])
@pytest.mark.parametrize("perturbation", ALL)
def test_pipelines_give_the_images_their_perturbations(task, kind, perturbation):
    if kind == "dataset":
        pytest.importorskip("tensorflow")
    options = {"seed": 2, "limit": LIMIT, "perturbation": perturbation, "units": UNITS}
    pipeline = getattr(task, kind)("train", BATCH, **options)
    for epoch in (0, 1):
        order = tasks.epoch_order(2, epoch, LIMIT)
        expected = _perturbed_split(task, "train", order, perturbation)
        _assert_same(_one_pass(pipeline if kind == "batches" else _numpy(pipeline)), expected)
    other_size = getattr(task, kind)("test", 7, **options)
    expected = _perturbed_split(task, "test", np.arange(LIMIT), perturbation)
    _assert_same(_one_pass(other_size if kind == "batches" else _numpy(other_size)), expected)


def _numpy(dataset):
    return list(dataset.as_numpy_iterator())


def test_a_dataset_knows_the_shape_of_its_drive(task):
    pytest.importorskip("tensorflow")
    for perturbation, width in ((STEP, 1), (NOISE, UNITS)):
        inputs, _ = task.dataset("test", perturbation=perturbation, units=UNITS).element_spec
        assert tuple(inputs["drive"].shape) == (None, 64, width)
        assert tuple(inputs["pixels"].shape) == (None, 64, 1)


def test_perturbed_is_what_the_pipelines_give(task):
    chosen = [5, 300, 5]
    x, y = task.examples("test", chosen)
    np.testing.assert_array_equal(x, task.arrays("test")[0][chosen])
    for perturbation in ALL:
        seen = task.perturbed(x, chosen, perturbation.to_config(), UNITS)
        _assert_same((*seen, y), _perturbed_split(task, "test", chosen, perturbation))
    with pytest.raises(ValueError, match="Received: 2 indices for 3 examples"):
        task.perturbed(x, [1, 2], STEP)


@pytest.mark.parametrize("downsample", [1, 2])
def test_examples_are_rows_of_the_arrays(downsample):
    task = tasks.load_task("digits", downsample=downsample)
    x, y = task.arrays("validation")
    for chosen in ([3], range(0, 180, 17), np.array([179, 0]), []):
        some_x, some_y = task.examples("validation", chosen)
        assert some_x.dtype == np.float32 and some_y.dtype == np.int32
        np.testing.assert_array_equal(some_x, x[list(chosen)])
        np.testing.assert_array_equal(some_y, y[list(chosen)])


@pytest.mark.parametrize("wrong", [[180], [-1], [0.0], 3])
def test_examples_outside_the_split_are_refused(task, wrong):
    with pytest.raises(ValueError, match=r"`indices` must be .* Received: "):
        task.examples("validation", wrong)


@pytest.mark.parametrize("method", ["batches", "dataset"])
def test_pipelines_refuse_at_once_what_does_not_fit(task, method):
    make = getattr(task, method)
    with pytest.raises(ValueError, match="Give units=N"):
        make("test", perturbation="noise")
    with pytest.raises(ValueError, match=r"StepDrive needs a step .* T = 64"):
        make("test", perturbation="step:5,start=64")
    with pytest.raises(ValueError, match="Did you mean 'noise'"):
        make("test", perturbation="noises")


def test_whole_images_are_perturbed_before_the_encoder_and_driven_behind_it():
    task = _whole_task()
    perturbation = NOISE + CONTRAST
    expected = _perturbed_split(task, "test", np.arange(10), perturbation)
    assert expected[0].shape == (10, 32, 32, 3) and expected[1].shape == (10, 64, UNITS)
    factor = CONTRAST.factors(1024)[0].reshape(32, 32, 1)
    np.testing.assert_array_equal(expected[0], task.arrays("test")[0] * factor)
    options = {"perturbation": perturbation, "units": UNITS}
    _assert_same(_one_pass(task.batches("test", 4, **options)), expected)
    pytest.importorskip("tensorflow")
    _assert_same(_one_pass(_numpy(task.dataset("test", 4, **options))), expected)


@pytest.mark.parametrize("kind", ["batches", "dataset"])
@pytest.mark.parametrize("perturbation", ["noise", "step:5+contrast"])
def test_a_driven_network_trains_and_predicts_on_perturbed_data(kind, perturbation):
    if kind == "dataset":
        pytest.importorskip("tensorflow")
    task = tasks.load_task("digits", downsample=2)
    model = build_network("gamma", task.input_shape, units=UNITS, drive=True)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    options = {"limit": LIMIT, "perturbation": perturbation, "units": UNITS}
    train = getattr(task, kind)("train", BATCH, **options)
    assert np.isfinite(model.fit(train, epochs=2, verbose=0).history["loss"]).all()
    test = getattr(task, kind)("test", BATCH, **options)
    x, y = task.examples("test", range(LIMIT))
    x, drive = task.perturbed(x, range(LIMIT), perturbation, UNITS)
    logits = model.predict({"pixels": x, "drive": drive}, verbose=0)
    np.testing.assert_allclose(model.predict(test, verbose=0), logits, atol=1e-5)
    accuracy = model.evaluate(test, verbose=0, return_dict=True)["accuracy"]
    assert accuracy == pytest.approx((logits.argmax(1) == y).mean())
    plain = model.predict({"pixels": x, "drive": np.zeros_like(drive)}, verbose=0)
    assert np.abs(plain - logits).max() > 1e-3


@pytest.mark.skipif(BACKEND == "torch", reason="torch: the same code, slowly")
def test_a_recording_shows_the_drive_in_its_window():
    task = tasks.load_task("digits", downsample=2)
    model = build_network("relu", task.input_shape, units=UNITS, drive=True)
    model.get_layer("recurrent").cell.recurrent_kernel.assign(np.zeros((UNITS, UNITS)))
    x, _ = task.examples("test", [8, 1])
    x, drive = task.perturbed(x, [8, 1], NOISE + STEP, UNITS)
    driven, plain = record(model, x, "a", drive)["a"], record(model, x, "a")["a"]
    np.testing.assert_allclose(driven - plain, drive, atol=1e-5)
