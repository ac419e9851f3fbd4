"""Weights of classes in the loss, beside those of sequences and of padding."""

import numpy as np

from aru_keras import tasks

K, T, I = 40, 9, 3  # noqa: E741
X = np.random.default_rng(0).normal(size=(K, T, I)).astype("float32")
LENGTHS = np.array([T, 5, 7, 3] * (K // 4))


def test_balanced_classes_weigh_the_same():
    y = np.repeat([0, 1], [30, 10])
    _, labels, weights = next(
        iter(tasks.from_arrays(*[(X, y)] * 3).batches("train", K, class_weights="balanced"))
    )
    np.testing.assert_allclose(np.bincount(labels, weights), [20, 20])
    steps = np.where(np.arange(T) < 2, 1, 0) * np.ones((K, 1), int)
    split = {"x": X, "y": steps, "lengths": LENGTHS}
    task = tasks.from_arrays(split, split, split)
    _, labels, weights = next(iter(task.batches("train", K, class_weights="balanced")))
    sums = np.bincount(labels.ravel(), weights.ravel())
    np.testing.assert_allclose(sums, LENGTHS.sum() / 2, rtol=1e-5)


def test_balanced_classes_weigh_the_same_with_the_weights_of_the_sequences():
    y = np.repeat([0, 1], [30, 10])
    split = (X, y, np.where(y == 0, 5.0, 1.0))
    task = tasks.from_arrays(split, split, split)
    _, labels, weights = next(iter(task.batches("train", K, class_weights="balanced")))
    np.testing.assert_allclose(np.bincount(labels, weights), [80, 80])


def test_a_class_that_training_lacks_weighs_1():
    y = np.repeat([0, 1], [30, 10])
    task = tasks.from_arrays((X, y), (X, y + 1), (X, y), classes=3)
    _, labels, weights = next(iter(task.batches("validation", K, class_weights="balanced")))
    assert set(weights[labels == 2]) == {1} and set(weights[labels == 1]) == {2}
    _, labels, weights = next(iter(task.batches("train", K, class_weights="balanced")))
    np.testing.assert_allclose(np.bincount(labels, weights), [20, 20])
