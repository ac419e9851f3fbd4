"""Classes as whole numbers from 0, made of numbers or names."""

from typing import Any

import numpy as np

from aru_keras._util.arguments import LARGEST_SIZE, index, shown, whole
from aru_keras.tasks._doubts import warn
from aru_keras.tasks._sequences import checked_names


def numbered(
    y: dict[str, np.ndarray], classes: Any
) -> tuple[dict[str, np.ndarray], tuple[str, ...], int]:
    """The classes of all splits as numbers, int32, their names, and how many there are.

    Args:
        y: Numbers or names in each split.
        classes: The number or the names of the classes; None to find it in `y`.

    Raises:
        ValueError: If a class is not among them, or there are fewer than two.
    """
    given: int | None = None
    names: tuple[str, ...] = ()
    if index(classes) is not None:
        given = whole("classes", classes, 2, most=LARGEST_SIZE)
    elif classes is not None:
        names = checked_names("classes", classes)
    kinds = {values.dtype.kind == "U" for values in y.values()}
    if len(kinds) > 1:
        raise ValueError(
            "`train`, `validation` and `test` must have names as y, or numbers. Received: both."
        )
    if kinds == {True}:
        names = names or _names_in(y)
        if classes is None:
            _warn_of_missing(names)
        y = {split: _class_numbers(split, values, names) for split, values in y.items()}
    count = len(names) or given
    if count is None:
        count = _count_in(y)
    if count < 2:
        argument = "`y` must have" if classes is None else "`classes` must name"
        raise ValueError(
            f"{argument} at least two classes. Received: {count}. Give real numbers as y, or "
            'target="value", for a regression.'
        )
    numbers = "0 up" if classes is None else f"0 to {count - 1}"
    y = {split: _checked(split, y[split], count, numbers) for split in y}
    if classes is None and not names:
        _check_occurrence(y, count)
    return y, names, count


def _names_in(y):
    return tuple(map(str, np.unique(np.concatenate([values.ravel() for values in y.values()]))))


def _warn_of_missing(names):
    """Warn of what a label that is missing becomes as text."""
    missing = [name for name in names if name in ("nan", "NaN", "None", "<NA>", "NaT")]
    if missing:
        warn(
            f"y has a class {missing[0]!r}, as labels are called that were missing before they "
            "were made text. If they are missing, leave their sequences out. If it is a class, "
            "give the names of all classes as `classes`."
        )


def _count_in(y):
    """One more than the greatest number of a class."""
    split = max(y, key=lambda split: y[split].max())
    greatest = y[split].max()
    if greatest >= LARGEST_SIZE:
        raise ValueError(
            f"`{split}` must hold as y classes, whole numbers from 0 and below {LARGEST_SIZE:,}. "
            f"Received: numbers up to {greatest}. Give names, such as y.astype(str)."
        )
    return 1 + int(greatest)


def _check_occurrence(y, count):
    """Refuse a single class, and warn of classes without a single example."""
    occurring = np.unique(np.concatenate([np.unique(values) for values in y.values()]))
    lowest = occurring[0]
    if len(occurring) == 1:
        raise ValueError(
            f"`y` must have at least two classes. Received: 1, number {lowest}. Give real "
            'numbers as y, or target="value", for a regression.'
        )
    if len(occurring) == count:
        return
    whole_range = len(occurring) == count - lowest
    cure = f"subtract {lowest} from y" if whole_range else "give y.astype(str), which are names"
    warn(
        f"y has no class {_first(np.setdiff1d(np.arange(count), occurring))}: {len(occurring):,} "
        f"of {count:,} occur, and a network has an output for each. If there are no more classes, "
        f"{cure}. If the others are missing here alone, give classes={count}. If the numbers are "
        'values, give target="value".'
    )


def _first(numbers):
    """The first of some numbers, and how many there are."""
    listed = ", ".join(map(str, numbers[:3]))
    return listed if len(numbers) < 4 else f"{listed}, … ({len(numbers):,} classes)"


def _checked(split, values, count, numbers):
    whole = values.dtype.kind != "f" or not (values % 1).any()
    if not whole or values.min() < 0 or values.max() >= count:
        raise ValueError(
            f"`{split}` must hold as y classes, whole numbers from {numbers}. Received: numbers "
            f"from {values.min()} to {values.max()}."
        )
    return values.astype("int32")


def _class_numbers(split, names_of_y, names):
    """The number of each name among the names of the classes."""
    known = {name: number for number, name in enumerate(names)}
    unknown = sorted(set(names_of_y.ravel().tolist()) - set(known))
    if unknown:
        raise ValueError(
            f"`{split}` must hold as y names of `classes`, {', '.join(names)}. Received: "
            f"{shown(unknown)}."
        )
    return np.vectorize(known.__getitem__, otypes=["int32"])(names_of_y)
