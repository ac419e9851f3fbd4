"""Masked arrays of NumPy: what is masked is missing, and is never read as a number."""

import numpy as np
import pytest

from aru_keras import tasks
from aru_keras.perturbations import Waveform

K, T, I = 40, 6, 2  # noqa: E741
X = np.random.default_rng(0).normal(size=(K, T, I)).astype("float32")
Y = np.arange(K) % 2
STEPS = np.arange(K * T).reshape(K, T) % 2
GROUPS = np.arange(K) // 4


def masked(values, *place):
    """The values as a masked array, in which one place is masked."""
    mask = np.zeros(np.shape(values), bool)
    mask[place] = True
    return np.ma.array(values, mask=mask)


MISSING = {
    "x": (lambda: (masked(X, 3, 2, 1), Y), r"The first is in x\[3\] at step 2, channel 1"),
    "whole numbers as x": (lambda: (masked(STEPS, 3, 2), Y), r"The first is in x\[3\] at step 2"),
    "a list as x": (lambda: ([*X[:-1], masked(X[-1], 1, 0)], Y), r"at step 1, channel 0"),
    "a list of lists": (lambda: ([*STEPS[:-1].tolist(), masked(STEPS[-1], 4)], Y), "step 4"),
    "a class": (lambda: (X, masked(Y, 5)), r"y\[5\] is masked.*Leave its sequence out"),
    "a name": (lambda: (X, masked(Y.astype(str), 5)), r"y\[5\] is masked"),
    "a class in a list": (lambda: (X, list(masked(Y, 5))), r"y\[5\] is masked"),
    "a class of a step": (lambda: (X, masked(STEPS, 5, 1)), r"y\[5\] is masked"),
    "classes in lists": (lambda: (X, [list(row) for row in masked(STEPS, 5, 1)]), r"y\[5\]"),
    "a value": (lambda: (X, masked(X[:, 0], 5, 1)), r"y\[5\] is masked"),
    "a weight": (lambda: (X, Y, masked(np.ones(K), 7)), "1 of 40 numbers"),
    "a length": (lambda: {"x": X, "y": Y, "lengths": masked(Y + 1, 7)}, "1 of 40 numbers"),
}


@pytest.mark.parametrize("case", MISSING)
def test_what_is_masked_is_missing(case):
    make, message = MISSING[case]
    with pytest.raises(ValueError, match=message):
        tasks.from_arrays(make())


@pytest.mark.parametrize("groups", [GROUPS, GROUPS * 0.5, GROUPS.astype(str)])
def test_a_masked_group_is_missing(groups):
    with pytest.raises(ValueError, match=r"none may be missing.*groups\[9\] is masked"):
        tasks.from_arrays((X, Y), groups=masked(groups, 9))


def test_inputs_and_waveforms_with_something_masked_are_refused():
    task = tasks.from_arrays((X, Y))
    x, _ = task.arrays("test")
    with pytest.raises(ValueError, match=r"`x` must be .*1 of .* numbers NaN"):
        task.perturbed(masked(x, 0, 1, 1), range(len(x)), "step:1")
    with pytest.raises(ValueError, match=r"`values` must be .*1 of 4 numbers NaN"):
        Waveform(masked([1, 2, 3, 4], 2))
    with pytest.raises(ValueError, match="`start` must be a whole number"):
        Waveform([1], start=masked(3, ...))
    with pytest.raises(ValueError, match="`interval` must be positive and finite"):
        tasks.from_arrays((X, Y), interval=np.ma.masked)


def test_arrays_with_nothing_masked_are_read_as_they_are():
    plain = tasks.from_arrays((X, Y, np.ones(K)), groups=GROUPS)
    arrays = (np.ma.array(values) for values in (X, Y, np.ones(K)))
    assert tasks.from_arrays(tuple(arrays), groups=np.ma.array(GROUPS)).hash == plain.hash
    assert Waveform(np.ma.array([1, 2])) == Waveform([1, 2])


@pytest.mark.parametrize("y", [Y, STEPS, X[:, :, 0]])
def test_what_is_padding_may_be_masked(y):
    lengths, every_step = np.array([T, T - 2] * (K // 2)), y.ndim == 2
    behind = np.arange(T) >= lengths[:, None]
    x = np.ma.array(X, mask=np.repeat(behind[..., None], I, axis=2))
    given = np.ma.array(y, mask=behind) if every_step else y
    task = tasks.from_arrays({"x": x, "y": given, "lengths": lengths}, every_step=every_step)
    plain = tasks.from_arrays({"x": X, "y": y, "lengths": lengths}, every_step=every_step)
    assert task.hash == plain.hash
