"""Results of analyses become named arrays and come back."""

from dataclasses import dataclass

import numpy as np
import pytest

from aru_keras.runners.experiments.arrays import from_arrays, to_arrays


@dataclass(frozen=True)
class Fitted:
    value: float
    name: str


@dataclass(frozen=True)
class Course:
    trace: np.ndarray
    fit: Fitted
    count: int | None = None


@dataclass(frozen=True)
class Several:
    drives: tuple[float, ...]
    courses: tuple[Course, ...]


COURSES = tuple(Course(np.arange(3.0) + k, Fitted(k / 2, f"fit {k}"), k) for k in range(2))


def equal(first, second):
    np.testing.assert_array_equal(first.trace, second.trace)
    return (first.fit, first.count) == (second.fit, second.count)


def test_fields_of_fields_have_names_of_both():
    arrays = to_arrays(COURSES[1], "a_")
    assert sorted(arrays) == ["a_count", "a_fit_name", "a_fit_value", "a_trace"]
    found = from_arrays(Course, {**arrays, "other": np.zeros(2)}, "a_")
    assert equal(found, COURSES[1]) and type(found.fit.value) is float and type(found.count) is int


def test_results_of_one_kind_are_stacked():
    arrays = to_arrays(COURSES)
    assert arrays["trace"].shape == (2, 3) and arrays["fit_value"].shape == (2,)
    found = from_arrays(tuple[Course, ...], arrays)
    assert len(found) == 2 and all(map(equal, found, COURSES))
    several = from_arrays(Several, to_arrays(Several((0.0, 5.0), COURSES)))
    assert several.drives == (0.0, 5.0) and all(map(equal, several.courses, COURSES))


def test_what_is_not_kept_is_given_or_has_its_default():
    arrays = to_arrays(COURSES[0], without=("count", "fit"), names={"trace": "h"})
    assert list(arrays) == ["h"]
    found = from_arrays(Course, arrays, names={"trace": "h"}, fit=COURSES[0].fit)
    assert found.count is None and found.fit is COURSES[0].fit
    with pytest.raises(KeyError, match="fit_value"):
        from_arrays(Course, arrays, names={"trace": "h"})
