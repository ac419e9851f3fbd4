"""Classes as whole numbers from 0, made of numbers or names."""

from typing import Any

import numpy as np

from aru_keras._util.arguments import LARGEST_SIZE, index, shown, whole
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
        names = checked_names("classes", classes, len(classes) if np.iterable(classes) else 0)
    kinds = {values.dtype.kind == "U" for values in y.values()}
    if len(kinds) > 1:
        raise ValueError(
            "`train`, `validation` and `test` must have names as y, or numbers. Received: both."
        )
    if kinds == {True}:
        names = names or _names_in(y)
        y = {split: _class_numbers(split, values, names) for split, values in y.items()}
    count = len(names) or given
    if count is None:
        count = 1 + int(max(values.max() for values in y.values()))
    if count < 2:
        argument = "`y` must have" if classes is None else "`classes` must name"
        raise ValueError(
            f"{argument} at least two classes. Received: {count}. Give real numbers as y, or "
            'target="value", for a regression.'
        )
    numbers = "0 up" if classes is None else f"0 to {count - 1}"
    return {split: _checked(split, y[split], count, numbers) for split in y}, names, count


def _names_in(y):
    return tuple(map(str, np.unique(np.concatenate([values.ravel() for values in y.values()]))))


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
