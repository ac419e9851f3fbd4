"""The order of images is a function of (seed, epoch) alone: in loops, in fit, in both pipelines."""

import itertools
import random
import threading

import keras
import numpy as np
import pytest

from aru_keras import tasks

LIMIT, BATCH = 110, 40  # Three batches, the last one partial.
KINDS = ["batches", "dataset"]


@pytest.fixture(scope="module")
def task():
    return tasks.load_task("digits")


def _pipeline(task, kind, split="train", batch_size=BATCH, **options):
    if kind == "dataset":
        pytest.importorskip("tensorflow")
    return getattr(task, kind)(split, batch_size, **{"limit": LIMIT, **options})


def _passes(pipeline, count):
    """[(x, y)] of whole passes."""
    passes = []
    for _ in range(count):
        x, y = zip(*((np.asarray(x), np.asarray(y)) for x, y in pipeline), strict=True)
        passes.append((np.concatenate(x), np.concatenate(y)))
    return passes


def test_epoch_order_is_a_function_of_seed_and_epoch():
    order = tasks.epoch_order(3, 5, 100)
    np.testing.assert_array_equal(order, tasks.epoch_order(3, 5, 100))
    np.testing.assert_array_equal(np.sort(order), np.arange(100))
    assert not np.array_equal(order, tasks.epoch_order(3, 6, 100))
    assert not np.array_equal(order, tasks.epoch_order(5, 3, 100))
    assert tasks.epoch_order(0, 0, 10).tolist() == [0, 7, 8, 6, 9, 5, 1, 3, 2, 4]


@pytest.mark.parametrize("kind", KINDS)
def test_pass_k_has_the_order_of_epoch_k(task, kind):
    x, y = task.arrays("train")
    pipeline = _pipeline(task, kind, seed=4, initial_epoch=2)
    for k, (seen_x, seen_y) in enumerate(_passes(pipeline, 3)):
        order = tasks.epoch_order(4, 2 + k, LIMIT)
        np.testing.assert_array_equal(seen_x, x[order])
        np.testing.assert_array_equal(seen_y, y[order])


@pytest.mark.parametrize("kind", KINDS)
def test_the_remainder_of_every_pass_is_dropped(task, kind):
    x, _ = task.arrays("train")
    pipeline = _pipeline(task, kind, drop_remainder=True)
    assert len(pipeline) == 2
    for k, (seen, _) in enumerate(_passes(pipeline, 3)):
        np.testing.assert_array_equal(seen, x[tasks.epoch_order(0, k, LIMIT)[: 2 * BATCH]])
    with pytest.raises(ValueError, match="`batch_size` must be at most 110"):
        _pipeline(task, kind, batch_size=LIMIT + 1, drop_remainder=True)


@pytest.mark.parametrize("kind", KINDS)
def test_last_batch_is_kept_and_types_are_right(task, kind):
    pipeline = _pipeline(task, kind)
    assert len(pipeline) == 3
    batches = list(pipeline)
    assert [x.shape for x, _ in batches] == [(40, 64, 1), (40, 64, 1), (30, 64, 1)]
    assert {np.asarray(x).dtype for x, _ in batches} == {np.dtype("float32")}
    assert {np.asarray(y).dtype for _, y in batches} == {np.dtype("int32")}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("split", ["validation", "test"])
def test_only_training_data_is_shuffled(task, kind, split):
    for _, y in _passes(_pipeline(task, kind, split), 2):
        np.testing.assert_array_equal(y, task.arrays(split)[1][:LIMIT])
    _, y = _passes(_pipeline(task, kind, "train", shuffle=False), 1)[0]
    np.testing.assert_array_equal(y, task.arrays("train")[1][:LIMIT])
    _, y = _passes(_pipeline(task, kind, split, shuffle=True), 1)[0]
    order = tasks.epoch_order(0, 0, LIMIT)
    np.testing.assert_array_equal(y, task.arrays(split)[1][:LIMIT][order])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("limit", [None, 5000])
def test_without_a_limit_the_whole_split_comes(task, kind, limit):
    assert sum(len(y) for _, y in _pipeline(task, kind, limit=limit)) == 1257


@pytest.mark.parametrize("kind", KINDS)
def test_a_loop_that_breaks_off_is_no_epoch(task, kind):
    pipeline = _pipeline(task, kind)
    next(iter(pipeline))
    _, y = _passes(pipeline, 1)[0]
    np.testing.assert_array_equal(y, task.arrays("train")[1][tasks.epoch_order(0, 0, LIMIT)])


@pytest.mark.parametrize("kind", KINDS)
def test_a_loop_that_has_read_the_last_batch_is_an_epoch(task, kind):
    pipeline = _pipeline(task, kind)
    assert len(list(itertools.islice(pipeline, 3))) == 3
    _, y = _passes(pipeline, 1)[0]
    np.testing.assert_array_equal(y, task.arrays("train")[1][tasks.epoch_order(0, 1, LIMIT)])


def test_batches_have_their_indices_within_a_loop_and_after_one_that_breaks_off(task):
    batches = _pipeline(task, "batches")
    expected = [batches[index][1] for index in range(3)]
    for _, y in batches:
        np.testing.assert_array_equal(y, expected[0])
        np.testing.assert_array_equal(batches[2][1], expected[2])
        break
    for index in (0, 2, 1):
        np.testing.assert_array_equal(batches[index][1], expected[index])
    held = iter(batches)
    next(held)
    np.testing.assert_array_equal(batches[0][1], expected[0])
    assert batches.epoch == 0 and len(_passes(batches, 1)) == 1
    held.close()
    assert batches.epoch == 1


def test_batches_can_be_moved_to_an_epoch(task):
    batches = _pipeline(task, "batches")
    batches.epoch = 6
    np.testing.assert_array_equal(
        batches[0][1], task.arrays("train")[1][tasks.epoch_order(0, 6, LIMIT)][:BATCH]
    )
    with pytest.raises(IndexError):
        batches[3]
    with pytest.raises(ValueError, match="`epoch`"):
        batches.epoch = -1


def test_dataset_is_finite_and_knows_its_length(task):
    dataset = _pipeline(task, "dataset")
    assert int(dataset.cardinality()) == 3
    assert [tuple(spec.shape) for spec in dataset.element_spec] == [(None, 64, 1), (None,)]
    repeated = np.concatenate([y for _, y in dataset.repeat(2).as_numpy_iterator()])
    orders = np.concatenate([tasks.epoch_order(0, epoch, LIMIT) for epoch in (0, 1)])
    np.testing.assert_array_equal(repeated, task.arrays("train")[1][orders])


def test_full_batches_have_a_static_size(task):
    pytest.importorskip("tensorflow")
    for options in ({"drop_remainder": True}, {"limit": 2 * BATCH}):
        drives = {**options, "perturbation": "step:1"}
        dataset = _pipeline(task, "dataset", **options)
        assert [tuple(spec.shape) for spec in dataset.element_spec] == [(BATCH, 64, 1), (BATCH,)]
        inputs, _ = _pipeline(task, "dataset", **drives).element_spec
        assert tuple(inputs["drive"].shape) == (BATCH, 64, 1)
        assert sum(len(y) for _, y in dataset) == 2 * BATCH


@pytest.mark.parametrize(("apart", "options"), [(True, {}), (False, {"shuffle": False})])
def test_shards_have_the_whole_split_between_them(task, apart, options):
    pytest.importorskip("tensorflow")
    datasets = [_pipeline(task, "dataset", **options) for _ in range(2)]
    shards = [datasets[k if apart else 0].shard(2, k) for k in range(2)]
    x, _ = task.arrays("train")
    for _ in range(2):
        seen = [np.asarray(batch) for shard in shards for batch, _ in shard]
        np.testing.assert_array_equal(
            np.sort(np.concatenate(seen), axis=0), np.sort(x[:LIMIT], axis=0)
        )


def _model(built):
    layers = [keras.layers.Flatten(), keras.layers.Dense(10, kernel_initializer="zeros")]
    model = keras.Sequential([keras.Input((64, 1)), *layers] if built else layers)
    # Large steps, so that the order of images leaves its mark on the weights.
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(1.0), loss, metrics=["accuracy"])
    return model


def _weights_after(task, epochs, batches=3):
    """The same softmax regression, by hand, over the images in the promised order.

    Args:
        task: The task.
        epochs: The epochs, of which the last may be broken off.
        batches: The number of batches of the last epoch.
    """
    x, y = task.arrays("train")
    x, y = x[:LIMIT, :, 0].astype("float64"), np.eye(10)[y[:LIMIT]]
    kernel, bias = np.zeros((64, 10)), np.zeros(10)
    for epoch in epochs:
        parts = np.split(tasks.epoch_order(0, epoch, LIMIT), range(BATCH, LIMIT, BATCH))
        for chosen in parts[: batches if epoch == epochs[-1] else None]:
            scores = np.exp(x[chosen] @ kernel + bias)
            error = (scores / scores.sum(1, keepdims=True) - y[chosen]) / len(chosen)
            kernel, bias = kernel - x[chosen].T @ error, bias - error.sum(0)
    return kernel


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("built", [True, False])
def test_epoch_k_of_fit_has_the_order_of_epoch_k(task, kind, built):
    train = _pipeline(task, kind)
    validation = _pipeline(task, kind, "validation")
    model = _model(built)
    random.seed(0)  # `fit` shuffles the indices of a PyDataset by default: it must not matter.
    model.fit(train, validation_data=validation, epochs=2, verbose=0)
    model.fit(train, epochs=1, verbose=0)
    weights = model.get_weights()[0]
    np.testing.assert_allclose(weights, _weights_after(task, [0, 1, 2]), atol=1e-4)
    assert np.abs(weights - _weights_after(task, [1, 2, 3])).max() > 1e-2
    x, y = task.arrays("validation")
    np.testing.assert_allclose(
        model.predict(validation, verbose=0),
        x[:LIMIT, :, 0] @ weights + model.get_weights()[1],
        atol=1e-3,
    )
    np.testing.assert_array_equal(_passes(validation, 1)[0][1], y[:LIMIT])


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("built", [True, False])
@pytest.mark.parametrize(
    ("steps", "epochs", "seen", "last"),
    # Two steps of three end an epoch of Keras, and a single one ends the pass.
    [(1, 5, [0, 1], 2), (2, 3, [0, 1], 2), (2, 4, [0, 1], 3), (3, 2, [0, 1], 3)],
)
def test_short_epochs_of_fit_go_through_whole_passes(task, kind, built, steps, epochs, seen, last):
    train, validation = _pipeline(task, kind), _pipeline(task, kind, "validation")
    model = _model(built)
    random.seed(1)
    options = {"validation_data": validation, "validation_steps": 2, "verbose": 0}
    model.fit(train, steps_per_epoch=steps, epochs=epochs, **options)
    np.testing.assert_allclose(model.get_weights()[0], _weights_after(task, seen, last), atol=1e-4)


def test_after_short_epochs_batches_have_their_indices_and_fit_begins_a_pass(task):
    train, model = _pipeline(task, "batches"), _model(True)
    expected = [train[index][1] for index in range(3)]
    model.fit(train, steps_per_epoch=1, epochs=2, verbose=0)
    _, y = task.arrays("train")
    orders = [y[tasks.epoch_order(0, epoch, LIMIT)][:BATCH] for epoch in (0, 1)]
    np.testing.assert_array_equal(train[0][1], orders[train.epoch])
    if train.epoch == 0:  # Otherwise TensorFlow has read ahead to the end of the pass.
        np.testing.assert_array_equal(train[2][1], expected[2])
    train.epoch, model = 0, _model(True)
    model.fit(train, epochs=1, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], _weights_after(task, [0]), atol=1e-4)


def _read_elsewhere(batches, index):
    """A batch that another thread reads, as TensorFlow does ahead of its use."""
    read = []
    thread = threading.Thread(target=lambda: read.append(batches[index]))
    thread.start()
    thread.join()
    return read[0][1]


@pytest.mark.parametrize("between", [0, 1, 2])
def test_batches_that_are_read_ahead_between_short_epochs_come_in_their_order(task, between):
    batches = _pipeline(task, "batches")
    expected = [batches[index][1] for index in range(3)]
    indices = iter([2, 0, 1][: batches.num_batches])
    batches.on_epoch_begin()
    read = [_read_elsewhere(batches, next(indices))]
    batches.on_epoch_end()
    read += [_read_elsewhere(batches, next(indices)) for _ in range(between)]
    np.testing.assert_array_equal(batches[1][1], expected[1])
    batches.on_epoch_begin()
    read += [_read_elsewhere(batches, index) for index in indices]
    batches.on_epoch_end()
    for seen, wanted in zip(read, expected, strict=True):
        np.testing.assert_array_equal(seen, wanted)
    assert batches.epoch == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_resumed_run_sees_what_an_uninterrupted_one_sees(task, kind):
    resumed = _pipeline(task, kind, initial_epoch=2)
    through = _passes(_pipeline(task, kind), 4)
    for (_, expected), (_, seen) in zip(through[2:], _passes(resumed, 2), strict=True):
        np.testing.assert_array_equal(seen, expected)
