"""What is easily mistaken about one's own arrays: refused, or read with a warning, never silent."""

import warnings

import numpy as np
import pytest

from aru_keras import tasks

K, T, I = 40, 6, 2  # noqa: E741
X = np.random.default_rng(0).normal(size=(K, T, I)).astype("float32")
Y = np.arange(K) % 2
NAMES = np.array(["rest", "run"])[Y]
STEPS = np.arange(K * T).reshape(K, T) % 2
ROWS = [x[: T - k % 3] for k, x in enumerate(X)]


def missing(values, k=2):
    """The values as a list of objects, one of which is NaN."""
    return [np.nan if index == k else value for index, value in enumerate(values)]


MIXED = {
    "a missing name": (missing(NAMES), r"names alone.*Received: nan as y\[2\]"),
    "an array of objects": (np.array(missing(NAMES), object), r"Received: nan as y\[2\]"),
    "a number first": ([0, "run"] * (K // 2), r"names alone.*Received: 0 as y\[0\]"),
    "a missing step": ([missing(["a", "b", "a", "b", "a", "b"])] * K, r"nan in y\[0\]"),
}


@pytest.mark.parametrize("case", MIXED)
def test_a_missing_label_is_no_class(case):
    y, message = MIXED[case]
    with pytest.raises(ValueError, match=message):
        tasks.from_arrays((X, y))


def test_a_missing_label_of_a_series_is_no_class():
    pandas = pytest.importorskip("pandas")
    for y in (pandas.Series(missing(NAMES)), pandas.Series(missing(NAMES)).astype("category")):
        with pytest.raises(ValueError, match="Leave out sequences without a label"):
            tasks.from_arrays((X, y))


@pytest.mark.parametrize("columns", [T, K])
def test_a_table_holds_the_rows_of_y(columns):
    pandas = pytest.importorskip("pandas")
    x = np.tile(X, (1, K, 1))[:, :columns]
    values = np.random.default_rng(1).normal(size=(K, columns))
    for y in (values, STEPS[:, :1] + np.arange(columns) % 2):
        table, options = pandas.DataFrame(y), {"every_step": y.dtype.kind == "i"}
        plain = tasks.from_arrays((x, y), **options)
        assert tasks.from_arrays((x, table), **options).hash == plain.hash
    series = pandas.Series(NAMES, index=np.arange(K) + 7)
    assert tasks.from_arrays((X, series)).hash == tasks.from_arrays((X, NAMES)).hash


def test_a_missing_label_that_was_made_text_is_warned_of():
    y = np.array(missing(NAMES))
    with pytest.warns(UserWarning, match=r"y has a class 'nan'.*names of all classes"):
        task = tasks.from_arrays((X, y))
    assert tasks.from_arrays((X, y), classes=task.spec.class_names).hash == task.hash


def test_names_at_every_step_may_be_objects():
    y = np.array(["rest", "run"], object)[STEPS]
    task = tasks.from_arrays((X, y))
    assert task.spec.every_step and task.spec.class_names == ("rest", "run")


@pytest.mark.parametrize("factor", [2**32, 10**7, 2**62])
def test_class_numbers_beyond_any_network_are_refused(factor):
    with pytest.raises(ValueError, match=r"`train` must hold as y classes.*astype"):
        tasks.from_arrays((X, Y * factor))


GAPS = {
    "from one": (Y + 1, "no class 0: 2 of 3 occur"),
    "far away": (Y + 1000, r"no class 0, 1, 2, … \(1,000 classes\): 2 of 1,002 occur"),
    "between": (Y * 2, "no class 1: 2 of 3 occur"),
    "at every step": (STEPS + 1, "no class 0: 2 of 3 occur"),
}


@pytest.mark.parametrize("case", GAPS)
def test_classes_that_never_occur_are_warned_of(case):
    y, message = GAPS[case]
    with pytest.warns(UserWarning, match=message) as warned:
        task = tasks.from_arrays((X, y))
    assert len(warned) == 1 and warned[0].filename == __file__
    assert task.classes == y.max() + 1
    assert f"classes={task.classes}" in str(warned[0].message)
    assert tasks.from_arrays((X, y), classes=task.classes).hash == task.hash


def test_a_class_may_be_absent_from_a_split_that_is_given():
    task = tasks.from_arrays((X, Y * 2), (X, Y + 1), (X, Y))
    assert task.classes == 3


@pytest.mark.parametrize("number", [0, 1, 7])
def test_a_single_class_is_refused_whatever_its_number(number):
    with pytest.raises(ValueError, match=r"at least two classes. Received: 1[.,]"):
        tasks.from_arrays((X, Y * 0 + number))


TOO_LONG = {
    "of an array": (X, np.tile(STEPS, 2)),
    "of a list": (ROWS, STEPS),
    "values": (ROWS, np.ones((K, T, 1))),
    "beyond the padding": ({"x": X, "lengths": [T, T - 1] * (K // 2)}, np.tile(STEPS, 2)),
}


@pytest.mark.parametrize("case", TOO_LONG)
def test_more_targets_than_steps_are_refused(case):
    x, y = TOO_LONG[case]
    split = {**(x if isinstance(x, dict) else {"x": x}), "y": y}
    with pytest.raises(ValueError, match=r"`train` must hold as y\[[01]\] [\d(]+.*each step"):
        tasks.from_arrays(split)


def test_targets_may_be_padded_as_far_as_their_sequences():
    lengths = [T - 1, T - 2] * (K // 2)
    task = tasks.from_arrays({"x": X, "y": STEPS, "lengths": lengths})
    assert task.timesteps == T - 1 and not task.arrays("test")[1][~task.mask("test")].any()


def test_as_many_values_as_steps_are_read_at_the_end_with_a_warning():
    with pytest.warns(UserWarning, match="every_step=True.*every_step=False") as warned:
        task = tasks.from_arrays((X, X[..., 0]))
    assert task.spec.values == T and warned[0].filename == __file__
    assert tasks.from_arrays((X, X[..., 0]), every_step=False).hash == task.hash
    assert tasks.from_arrays((X, X[..., 0]), every_step=True).spec.every_step
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tasks.from_arrays((X, X[:, :3, 0])).spec.values == 3
        assert tasks.from_arrays((ROWS, X[..., 0])).spec.values == T
        assert tasks.from_arrays((X[:, :1], X[:, :1, 0])).spec.values == 1


CONTRADICTIONS = {
    "two training splits": ({"train_x": X, "train_y": Y}, "holds both 'x' and 'train_x'"),
    "a share and its split": (
        {"validation": 0.2, "validation_x": X, "validation_y": Y},
        "holds both 'validation' and 'validation_x'",
    ),
    "the same in another order": (
        {"test_x": X, "test_y": Y, "test": 0.2},
        "holds both 'test' and 'test_x'",
    ),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_names_that_contradict_each_other_are_refused(case, tmp_path):
    arrays, message = CONTRADICTIONS[case]
    np.savez(tmp_path / "own.npz", x=X, y=Y, **arrays)
    with pytest.raises(tasks.DatasetError, match=message):
        tasks.load_task(tmp_path / "own.npz")


def torch_tensor(x):
    return pytest.importorskip("torch").from_numpy(x)


def data_array(x):
    return pytest.importorskip("xarray").DataArray(x)


@pytest.mark.parametrize("form", [torch_tensor, data_array, memoryview, np.asarray])
def test_a_task_does_not_change_with_what_shares_the_memory_of_its_array(form):
    x = X.copy()
    task = tasks.from_arrays(*[(form(x), Y)] * 3)
    x[:] = 0
    np.testing.assert_array_equal(task.arrays("train")[0], X)


SCALARS = {
    "interval": ("5 ms", "`interval` must be positive"),
    "validation": ("20%", "`validation` must be the split itself"),
    "split_seed": (1.7, "`split_seed` must be a whole number"),
    "every_step": ("False", "`every_step` must be True or False"),
    "test": ([0.2, 0.2], "`test` must be the split itself"),
    "unit": (3.0, "`unit` must be text"),
}


@pytest.mark.parametrize("name", SCALARS)
def test_a_wrong_property_of_a_file_is_named_with_its_file(name, tmp_path):
    value, message = SCALARS[name]
    np.savez(tmp_path / "own.npz", x=X, y=Y, **{name: value})
    with pytest.raises(tasks.DatasetError, match=f"own.npz makes no task: {message}"):
        tasks.load_task(tmp_path / "own.npz")


def test_a_single_number_of_a_file_may_be_in_a_list(tmp_path):
    np.savez(tmp_path / "own.npz", x=X[..., :1], y=Y, channels=["a"], validation=[0.2])
    task = tasks.load_task(tmp_path / "own.npz")
    assert task.sizes["validation"] == 8 and task.spec.channels == ("a",)


def test_python_objects_in_a_file_are_no_damage(tmp_path):
    np.savez(tmp_path / "own.npz", x=X, y=NAMES.astype(object))
    with pytest.raises(tasks.DatasetError, match=r"y holds Python objects.*y.astype\(str\)"):
        tasks.load_task(tmp_path / "own.npz")


def index_of_pandas(names):
    return pytest.importorskip("pandas").Index(names)


@pytest.mark.parametrize("form", [np.array, index_of_pandas, tuple, iter])
def test_names_may_come_in_any_order_that_is_one(form):
    task = tasks.from_arrays((X, NAMES), classes=form(["run", "rest"]), channels=form(["b", "a"]))
    assert task.spec.class_names == ("run", "rest") and task.spec.channels == ("b", "a")
    assert all(type(name) is str for name in task.spec.channels)


@pytest.mark.parametrize("names", ["ab", {"a", "b"}, {"a": 1, "b": 2}, [], [1, 2], ["a", "a"]])
def test_names_without_an_order_are_refused(names):
    for argument in ("classes", "channels"):
        with pytest.raises(ValueError, match=f"`{argument}` must be .*different names"):
            tasks.from_arrays((X, NAMES), **{argument: names})


CURES = {
    "a column": (Y[:, None], r"give np.ravel\(y\)"),
    "a column of steps": (STEPS[..., None], r"give y\[..., 0\]"),
    "one-hot": (np.eye(3, dtype=int)[np.arange(K) % 3], r"give y.argmax\(axis=-1\)"),
    "one-hot steps": (np.eye(2, dtype=int)[STEPS], r"give y.argmax\(axis=-1\)"),
}


@pytest.mark.parametrize("case", CURES)
def test_labels_in_another_form_have_their_cure_in_the_error(case):
    y, message = CURES[case]
    with pytest.raises(ValueError, match=message):
        tasks.from_arrays((X, y))


def spoilt(*index):
    x = X.copy()
    x[index] = np.nan
    return x


RAGGED = [[[1.0], [1.0, 2.0]]] * K
BAD_X = {
    "NaN": (spoilt(3, 2, 1), r"x\[3\] at step 2, channel 1. Mend"),
    "NaN of one channel": (spoilt(3, 2, 0)[..., 0], r"x\[3\] at step 2. Mend"),
    "NaN behind the end": (spoilt(5, slice(4, None)), r"x\[5\] at step 4, channel 0.*`lengths`"),
    "a channel that ends": (spoilt(5, slice(4, None), 1), r"step 4, channel 1. Mend"),
    "NaN in a list": (list(spoilt(3, 2, 1)), r"x\[3\] finite.*at step 2, channel 1"),
    "a ragged list": (RAGGED, r"must hold as x\[0\] finite"),
    "a generator": ((x for x in X), "as a list of arrays"),
    "a row": (X[:, 0, 0], "as a list of arrays"),
}


@pytest.mark.parametrize("case", BAD_X)
def test_wrong_sequences_are_named_with_their_cure(case):
    x, message = BAD_X[case]
    with pytest.raises(ValueError, match=message):
        tasks.from_arrays((x, Y))


def test_lengths_in_the_place_of_weights_are_warned_of():
    lengths = np.array([T, T - 1] * (K // 2))
    with pytest.warns(UserWarning, match="lengths=lengths.*weights=weights") as warned:
        task = tasks.from_arrays((X, Y, lengths))
    assert warned[0].filename == __file__
    assert task.hash == tasks.from_arrays({"x": X, "y": Y, "weights": lengths}).hash
    for weights in (lengths / 2, lengths + 1, lengths * 0 + T, None):
        tasks.from_arrays((X, Y, weights))
