"""Tasks of one's own arrays: what they hold, what they refuse, and what they give a pipeline."""

import numpy as np
import pytest

from aru_keras import tasks
from aru_keras.perturbations import Contrast, NoisyDrive
from aru_keras.tasks._fingerprint import differences

K, T, I, C = 40, 9, 3, 4  # noqa: E741
RNG = np.random.default_rng(0)
X = RNG.normal(size=(K, T, I)).astype("float32")
LENGTHS = np.array([T, 5, 7, 3] * (K // 4))
ROWS = [x[:n] for x, n in zip(X, LENGTHS, strict=True)]
LABELS = np.arange(K) % C
STEP_LABELS = RNG.integers(0, C, (K, T))
VALUES = RNG.normal(size=(K, 2))
STEP_VALUES = RNG.normal(size=(K, T, 2))

TARGETS = {
    "a class at the end": (LABELS, ()),
    "a class at every step": (STEP_LABELS, (T,)),
    "values at the end": (VALUES, (2,)),
    "values at every step": (STEP_VALUES, (T, 2)),
}


def whole(x=X, y=LABELS, **options):
    """A task whose splits are all the same."""
    return tasks.from_arrays((x, y), (x, y), (x, y), **options)


@pytest.mark.parametrize("kind", TARGETS)
def test_arrays_come_back_as_they_were_given(kind):
    y, shape = TARGETS[kind]
    task = whole(y=y)
    given_x, given_y = task.arrays("validation")
    np.testing.assert_array_equal(given_x, X)
    np.testing.assert_allclose(given_y, y, rtol=1e-7)
    assert given_y.dtype == ("int32" if "class" in kind else "float32")
    assert given_y.shape[1:] == shape and task.input_shape == (T, I)
    assert task.spec.every_step == ("every" in kind)
    assert (task.spec.target, task.spec.outputs) == (
        ("class", C) if "class" in kind else ("value", 2)
    )
    assert not task.weighted and task.padding is None


@pytest.mark.parametrize("form", ["list", "lengths"])
@pytest.mark.parametrize("kind", ["a class at every step", "values at every step"])
def test_sequences_of_different_lengths_are_padded_and_their_padding_weighs_nothing(form, kind):
    y = TARGETS[kind][0]
    rows = [one[:n] for one, n in zip(y, LENGTHS, strict=True)]
    split = {"x": ROWS, "y": rows}
    if form == "lengths":
        dirty = np.where(np.arange(T)[:, None] < LENGTHS[:, None, None], X, np.nan)
        split = {"x": dirty, "y": y, "lengths": LENGTHS}
    task = tasks.from_arrays(split, split, split)
    x, padded = task.arrays("test")
    mask = task.mask("test")
    np.testing.assert_array_equal(task.lengths("test"), LENGTHS)
    np.testing.assert_array_equal(mask.sum(axis=1), LENGTHS)
    np.testing.assert_array_equal(x[mask], np.concatenate(ROWS))
    assert (x[~mask] == task.padding).all() and not padded[~mask].any()
    np.testing.assert_allclose(padded[mask], np.concatenate(rows), rtol=1e-7)
    *_, weights = next(iter(task.batches("test", K)))
    np.testing.assert_array_equal(weights, mask)


def test_a_list_and_a_padded_array_make_the_same_task():
    from_list = tasks.from_arrays((ROWS, LABELS))
    split = {"x": X, "y": LABELS, "lengths": LENGTHS}
    assert from_list.hash == tasks.from_arrays(split).hash


def test_drawn_splits_are_stratified_disjoint_and_a_function_of_the_seed():
    marked = np.arange(K, dtype="float32")[:, None] * np.ones(T, "float32")
    task = tasks.from_arrays((marked, LABELS), validation=0.2, test=0.3, split_seed=1)
    assert task.sizes == {"train": 20, "validation": 8, "test": 12}
    for split, size in task.sizes.items():
        np.testing.assert_array_equal(np.bincount(task.arrays(split)[1]), size // C)
    seen = np.concatenate([task.arrays(split)[0][:, 0, 0] for split in task.sizes])
    np.testing.assert_array_equal(np.sort(seen), np.arange(K))
    again = [tasks.from_arrays((marked, LABELS), 0.2, 0.3, split_seed=seed) for seed in (1, 2)]
    assert [task.hash == other.hash for other in again] == [True, False]


def test_a_given_split_is_kept_and_the_other_drawn():
    task = tasks.from_arrays((X, LABELS), test=(X[:3], LABELS[:3]))
    assert task.sizes == {"train": 34, "validation": 6, "test": 3}
    np.testing.assert_array_equal(task.arrays("test")[0], X[:3])


def test_names_are_classes_in_their_order():
    names = np.array(["run", "rest", "walk", "turn"])[LABELS]
    assert whole(y=names).spec.class_names == ("rest", "run", "turn", "walk")
    task = whole(y=list(names), classes=["walk", "turn", "run", "rest"])
    np.testing.assert_array_equal(task.arrays("train")[1], np.array([2, 3, 0, 1])[LABELS])


def test_what_a_task_is_called_and_measured_in_stands_in_its_spec():
    task = whole(channels=["x", "y", "z"], interval=2, unit="ms", name="arm", classes=7)
    assert (task.spec.channels, task.spec.interval, task.spec.unit) == (("x", "y", "z"), 2.0, "ms")
    assert (task.name, task.classes) == ("arm", 7)
    assert "<Task arm: T=9, input_shape=(9, 3), 7 classes at the end" in repr(task)


def test_a_task_does_not_change_with_the_array_it_was_made_from():
    x = X.copy()
    task = whole(x)
    x[:] = 0  # The array stays the caller's own.
    np.testing.assert_array_equal(task.arrays("train")[0], X)


@pytest.mark.parametrize("kind", ["batches", "dataset"])
def test_pipelines_give_sequences_targets_and_weights_in_one_order(kind):
    if kind == "dataset":
        pytest.importorskip("tensorflow")
    split = (ROWS, LABELS, np.linspace(0.5, 1, K))
    task = tasks.from_arrays(split, split, split)
    stream = getattr(task, kind)("train", 16, seed=3, class_weights=[1, 0, 2, 1])
    x, y, weights = (
        np.concatenate([np.asarray(one) for one in values]) for values in zip(*stream, strict=True)
    )
    order = tasks.epoch_order(3, 0, K)
    np.testing.assert_array_equal(x, task.arrays("train")[0][order])
    np.testing.assert_array_equal(y, LABELS[order])
    expected = split[2][order] * np.array([1, 0, 2, 1])[LABELS[order]]
    np.testing.assert_allclose(weights, expected, rtol=1e-6)


def test_perturbations_leave_padding_as_it_is():
    task = tasks.from_arrays((ROWS, LABELS), (ROWS, LABELS), (ROWS, LABELS))
    x, _ = task.arrays("test")
    seen, drive = task.perturbed(x, range(K), Contrast(0.9) + NoisyDrive(), units=5)
    mask = task.mask("test")
    np.testing.assert_array_equal(seen[~mask], x[~mask])
    changed = Contrast(0.9).pixels(X)
    np.testing.assert_array_equal(seen[mask], changed[mask])
    assert drive.shape == (K, T, 5)
    inputs, _ = next(iter(task.batches("test", K, perturbation=Contrast(0.9))))
    np.testing.assert_array_equal(inputs, seen)


def test_the_fingerprint_says_what_changed():
    task, fewer = whole(), tasks.from_arrays((X[:-1], LABELS[:-1]), (X, LABELS), (X, LABELS))
    assert differences(task.fingerprint, fewer.fingerprint) == "train has 39 sequences, and had 40"
    other = whole(X + 1)
    assert "the 40 sequences of test changed" in differences(task.fingerprint, other.fingerprint)
    assert "names" in differences(task.fingerprint, whole(interval=2.0).fingerprint)
    assert differences(task.fingerprint, whole().fingerprint) == ""


def test_a_task_without_images_says_so():
    for method in (lambda: whole().images("test"), lambda: whole().pixel_index(0)):
        with pytest.raises(ValueError, match="needs a task of images"):
            method()


NOT_A_NUMBER = np.where(np.arange(K)[:, None, None] == 2, np.nan, X)
WRONG = {
    "no pair": ({"train": X}, r"Give one tuple: from_arrays\(\(x, y\)\)"),
    "no pair, but two arguments": (
        {"train": X, "validation": LABELS},
        r"Give one tuple: from_arrays\(\(x, y\)\)",
    ),
    "NaN": ({"train": (NOT_A_NUMBER, LABELS)}, "`train` must hold as x finite real"),
    "NaN in a list": (
        {"train": (list(NOT_A_NUMBER), LABELS)},
        r"`train` must hold as x\[2\] finite",
    ),
    "no sequence": ({"train": ([], [])}, "`train` must hold sequences"),
    "an empty array": ({"train": (X[:0], LABELS[:0])}, "`train` must hold sequences"),
    "an empty test": ({"test": (X[:0], LABELS[:0])}, "`test` must hold sequences"),
    "a sequence without steps": (
        {"train": ([*ROWS[:-1], X[0, :0]], LABELS)},
        r"`train` must hold as x\[39\]",
    ),
    "other channels": (
        {"train": ([*ROWS[:-1], X[0, :, :2]], LABELS)},
        r"same channels. Received: 3 in x\[0\] and 2 in x\[39\]",
    ),
    "other channels in a split": (
        {"test": (X[..., :2], LABELS)},
        "must have the same channels. Received: 3 in train, 3 in validation, 2 in test",
    ),
    "too few targets": ({"train": (X, LABELS[:-1])}, "a target for each of its 40 sequences"),
    "a negative class": (
        {"train": (X, LABELS - 1)},
        "whole numbers from 0 up. Received: numbers from -1 to 2",
    ),
    "a class too high": (
        {"classes": 3},
        "whole numbers from 0 to 2. Received: numbers from 0 to 3",
    ),
    "one class": (
        {"train": (X, LABELS * 0), "validation": 0.2, "test": 0.2},
        "`y` must have at least two classes. Received: 1",
    ),
    "an unknown name": (
        {"train": (X, np.array(["a", "b"])[LABELS % 2]), "classes": ["a", "c"]},
        "names of `classes`, a, c. Received: \\['b'\\]",
    ),
    "a step too few": (
        {"train": (X, list(STEP_LABELS[:, 1:]))},
        r"must hold as y\[0\] 9 class",
    ),
    "one-hot classes": (
        {"train": (X, np.eye(C, dtype=int)[LABELS])},
        r"must hold as y\[0\] 9",
    ),
    "NaN in y": ({"train": (X, VALUES * np.nan)}, "must hold as y finite"),
    "classes of values": ({"train": (X, VALUES), "classes": 3}, "`classes` must be left out"),
    "an unknown kind": ({"target": "label"}, "`target` must be one of class, value"),
    "a length too long": (
        {"train": {"x": X, "y": LABELS, "lengths": LENGTHS + 1}},
        "from 1 to T = 9",
    ),
    "lengths of a list": (
        {"train": {"x": ROWS, "y": LABELS, "lengths": LENGTHS}},
        "Leave them out",
    ),
    "a negative weight": ({"train": (X, LABELS, -np.ones(K))}, "must hold as weights 40"),
    "weights of nothing": ({"train": (X, LABELS, np.zeros(K))}, "not all of them 0"),
    "a name too few": ({"channels": ["a", "b"]}, "`channels` must be 3 different names"),
    "a name twice": ({"channels": ["a", "b", "a"]}, "`channels` must be 3 different names"),
    "no share": ({"test": 1.5}, "`test` must be the split itself"),
    "a share of everything": ({"validation": 0.6, "test": 0.4}, "must have more sequences"),
    "no interval": ({"interval": 0}, "`interval` must be positive"),
    "no unit": ({"unit": ""}, "`unit` must be text"),
    "an unknown field": (
        {"train": {"x": X, "label": LABELS}},
        "`train` must be one of x, y",
    ),
    "what would be padding": ({"train": (X * 0 - 32768, LABELS)}, "which stands for padding"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_in_one_clear_error(case):
    options, message = WRONG[case]
    splits = {"train": (X, LABELS), "validation": 0.2, "test": 0.2} | options
    if "train" not in options:
        splits = {"train": (X, LABELS), "validation": (X, LABELS), "test": (X, LABELS)} | options
    with pytest.raises(ValueError, match=message):
        tasks.from_arrays(**splits)


LIKE_CLASSES = {
    "one-hot rows": (np.eye(C)[LABELS], r"one-hot rows, which are read as 4 values.*argmax"),
    "one-hot rows of every step": (np.eye(C)[STEP_LABELS], r"give y.argmax\(axis=-1\)"),
    "labels": (LABELS.astype(float), r"whole numbers as floats.*give y.astype\(int\)"),
    "a column of labels": (LABELS[:, None].astype("float32"), r'give target="value"'),
    "labels of every step": (list(STEP_LABELS.astype(float)), "whole numbers as floats"),
}


@pytest.mark.parametrize("case", LIKE_CLASSES)
def test_real_numbers_that_look_like_classes_are_read_as_values_with_a_warning(case):
    y, message = LIKE_CLASSES[case]
    with pytest.warns(UserWarning, match=message) as warned:
        task = tasks.from_arrays((X, y))
    assert task.spec.target == "value" and warned[0].filename == __file__


def test_what_is_said_to_be_values_or_does_not_look_like_classes_gives_no_warning():
    assert whole(y=LABELS.astype(float), target="value").spec.target == "value"
    assert whole(y=LABELS.astype(float), target="class").spec.classes == C
    for y in (LABELS + 0.5, LABELS - 1.0, LABELS * 100.0, LABELS * 0.0, np.ones((K, 2))):
        assert whole(y=y).spec.target == "value"


@pytest.mark.parametrize("wrong", ["even", [1, 2], [1, 2, 3, -1]])
def test_wrong_class_weights_are_refused(wrong):
    with pytest.raises(ValueError, match='`class_weights` must be "balanced", or 4 numbers'):
        whole().batches("train", class_weights=wrong)
    with pytest.raises(ValueError, match="need a task with classes"):
        whole(y=VALUES).batches("train", class_weights="balanced")
