"""Recordings as tables keep the order along every dimension."""

import numpy as np
import pytest

from aru_keras import ARU, models, tasks
from aru_keras.probing import Record, from_table, record_dataset, record_task, to_table

xarray = pytest.importorskip("xarray")

K, T, N, G = 4, 6, 5, 2
RNG = np.random.default_rng(0)
X = RNG.normal(size=(K, T, 3)).astype("float32")
LENGTHS = np.array([4, 6, 3, 2])


def test_a_table_keeps_the_order_of_names():
    split = (X, np.array([0, 1, 2, 0]))
    names = {"channels": ["z", "x", "y"], "classes": ["walk", "run", "rest"]}
    task = tasks.from_arrays(split, split, split, **names)
    whole = record_task(models.network_for(task, "arun", units=N, controller_units=G), task)
    for name in ("x", "y"):
        xarray.testing.assert_identical(from_table(to_table(whole, name)), whole[[name]])
    assert from_table(to_table(whole, "y")).output.values.tolist() == names["classes"]


def test_a_table_keeps_the_order_of_steps():
    mask = np.arange(T) < LENGTHS[:, None]
    backward = record_dataset(ARU(N, G, go_backwards=True), X, "h", mask=mask)[["h"]]
    chosen = record_dataset(ARU(N, G), X, Record("h", steps=[5, 2, 4]))[["h"]]
    assert backward.step.values.tolist() == [5, 4, 3, 2, 1, 0]
    for expected in (backward, chosen):
        xarray.testing.assert_identical(from_table(to_table(expected)), expected)


@pytest.mark.parametrize("backwards", [False, True])
def test_rows_that_are_left_out_do_not_change_the_order(backwards):
    layer = ARU(N, G, go_backwards=backwards)
    mask = (np.arange(T) < LENGTHS[:, None]) & (np.arange(T) != np.array([[1], [2], [0], [3]]))
    whole = record_dataset(layer, X, "h", mask=mask)[["h"]]
    table = to_table(whole)
    xarray.testing.assert_identical(from_table(table[table["mask"]]), whole)


def test_a_table_in_no_order_has_its_numbers_ascending():
    whole = record_dataset(ARU(N, G), X, "h")[["h"]]
    mixed = to_table(whole).sample(frac=1, random_state=0)
    xarray.testing.assert_identical(from_table(mixed), whole)


def test_a_step_that_is_there_twice_has_no_table():
    twice = record_dataset(ARU(N, G), X, Record("h", steps=[5, 2, 2]))
    words = r"must have every step once.*Received: step 2 more than once"
    with pytest.raises(ValueError, match=words):
        to_table(twice)
