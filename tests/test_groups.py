"""Splits by group: all sequences of a subject are in one split."""

import itertools

import numpy as np
import pytest

from aru_keras import tasks
from aru_keras.tasks._groups import whole_groups

K = 60
MARKED = np.arange(K, dtype="float32")[:, None] * np.ones(3, "float32")
LABELS = np.arange(K) % 2
MICE = np.array(["anna", "ben", "cleo", "dora", "emil", "fay"])[np.arange(K) // 10]


def members(task, split):
    """The numbers of the sequences in a split."""
    return task.arrays(split)[0][:, 0, 0].astype(int)


@pytest.mark.parametrize(
    "form", [np.array, list, lambda names: np.unique(names, return_inverse=True)[1]]
)
def test_a_group_is_in_one_split_and_no_sequence_is_lost(form):
    task = tasks.from_arrays((MARKED, LABELS), 0.2, 0.3, groups=form(MICE))
    mice = {split: set(MICE[members(task, split)]) for split in task.sizes}
    for one, other in itertools.combinations(mice.values(), 2):
        assert not one & other
    assert sum(task.sizes.values()) == K
    assert task.sizes == {"train": 30, "validation": 10, "test": 20}


def test_groups_are_drawn_by_the_seed():
    tasks_of_seeds = [
        tasks.from_arrays((MARKED, LABELS), groups=MICE, split_seed=seed) for seed in (0, 0, 1, 2)
    ]
    hashes = [task.hash for task in tasks_of_seeds]
    assert hashes[0] == hashes[1] and len(set(hashes)) > 1


@pytest.mark.parametrize("seed", range(20))
def test_the_share_is_met_as_nearly_as_groups_allow(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 20, 8)
    groups = rng.permutation(np.repeat(np.arange(8), sizes))
    count = int(rng.integers(1, sizes.sum() // 2))
    sums = [
        sum(chosen) for n in range(1, 8) for chosen in itertools.combinations(sizes.tolist(), n)
    ]
    found = whole_groups(groups, count, 1)
    assert abs(found.sum() - count) == min(abs(total - count) for total in sums)
    assert not set(groups[found]) & set(groups[~found])


@pytest.mark.parametrize(
    ("sizes", "count", "left", "most"), [([4, 4, 3, 7], 17, 2, 11), ([6, 5], 10, 1, 6)]
)
def test_the_groups_that_are_left_are_the_best_to_leave(sizes, count, left, most):
    assert whole_groups(np.repeat(np.arange(len(sizes)), sizes), count, left).sum() == most


@pytest.mark.parametrize("seed", range(200))
def test_shares_are_met_as_nearly_as_those_allow_that_are_left(seed):
    rng = np.random.default_rng(seed)
    left = 1 + seed % 2
    sizes = rng.integers(1, 12, int(rng.integers(left + 1, 7)))
    groups = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    count = int(rng.integers(1, sizes.sum()))
    sums = [
        sum(chosen)
        for n in range(1, len(sizes) - left + 1)
        for chosen in itertools.combinations(sizes.tolist(), n)
    ]
    found = whole_groups(groups, count, left)
    assert abs(found.sum() - count) == min(abs(total - count) for total in sums)
    assert not set(groups[found]) & set(groups[~found])
    assert len(set(groups[~found])) >= left


def test_every_split_has_a_group_however_unequal_they_are():
    groups = np.array(["big"] * (K - 2) + ["small", "tiny"])
    task = tasks.from_arrays((MARKED, np.arange(K) * 0.5), groups=groups)
    assert sorted(task.sizes.values()) == [1, 1, K - 2] and task.sizes["train"] == K - 2


def test_a_test_split_may_be_given_and_validation_drawn_by_group():
    task = tasks.from_arrays((MARKED, LABELS), test=(MARKED, LABELS), groups=MICE)
    assert task.sizes == {"train": 50, "validation": 10, "test": K}


@pytest.mark.parametrize("drawn", ["validation", "test"])
def test_two_groups_are_enough_for_one_split_that_is_drawn(drawn):
    given = {"validation": (MARKED, LABELS), "test": (MARKED, LABELS), drawn: 0.2}
    groups = np.repeat([1, 2], [20, 40])
    task = tasks.from_arrays((MARKED, LABELS), groups=groups, **given)
    assert (task.sizes["train"], task.sizes[drawn]) == (40, 20)


def test_a_file_may_hold_groups(tmp_path):
    np.savez(tmp_path / "own.npz", x=MARKED, y=LABELS, groups=MICE)
    task = tasks.load_task(tmp_path / "own.npz")
    assert task.hash == tasks.from_arrays((MARKED, LABELS), groups=MICE).hash
    again = tasks.load_task(tasks.export(task, tmp_path / "again.npz"))
    assert again.fingerprint == task.fingerprint


WRONG = {
    "too few": (MICE[:-1], "each of the 60 sequences of `train`.*Received: 59 of them"),
    "a missing name": ([np.nan, *MICE[1:]], "none may be missing"),
    "a missing number": ([np.nan] + [1.0] * (K - 1), "none may be missing"),
    "None": ([None, *MICE[1:]], "none may be missing"),
    "a text": ("a" * K, "must hold a name, or a number, for each"),
    "a set": (set(range(K)), "must hold a name, or a number, for each"),
    "columns": (np.ones((K, 2)), "must hold a name, or a number, for each"),
    "too few groups": (["a", "b"] * (K // 2), "at least 3 groups.*Received: 2"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_groups_are_refused(case):
    groups, message = WRONG[case]
    with pytest.raises(ValueError, match=f"`groups` must .*{message}|{message}"):
        tasks.from_arrays((MARKED, LABELS), groups=groups)


def test_groups_beside_given_splits_are_refused():
    with pytest.raises(ValueError, match="`groups` must be left out where validation and test"):
        tasks.from_arrays(*[(MARKED, LABELS)] * 3, groups=MICE)


def test_a_split_of_one_class_alone_is_warned_of():
    y = (np.arange(K) // 10) % 2
    with pytest.warns(UserWarning, match=r"`validation` was drawn with class \d alone") as warned:
        tasks.from_arrays((MARKED, y), test=(MARKED, y), groups=MICE)
    assert warned[0].filename == __file__
