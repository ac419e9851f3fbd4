"""Targets and names of any form as arrays, in which no number has silently become a name."""

from typing import Any

import numpy as np

from aru_keras._util.arguments import shown
from aru_keras._util.conversions import numbers_in


def rows_of(split: str, y: Any, count: int) -> list[np.ndarray]:
    """The target of each of `count` sequences, an array of any rank, of numbers or of text.

    Args:
        split: The name of the split, for the message.
        y: The targets.
        count: The number of sequences.

    Raises:
        ValueError: If they are no such targets, or names beside something else.
    """
    if hasattr(y, "numpy"):  # A tensor.
        y = numbers_in(y)
    try:
        rows = [as_label(row) for row in y]
    except (TypeError, ValueError):
        rows = []
    odd = _odd_one(rows)
    if odd is not None:
        raise ValueError(
            f"`{split}` must hold as y names alone, or numbers alone. Received: {odd[1]} "
            f"{'in' if rows[odd[0]].ndim else 'as'} y[{odd[0]}], beside names. Leave out sequences "
            "without a label, or make all labels text."
        )
    if len(rows) != count or not all(row.dtype.kind in "iubUf" for row in rows):
        received = f"{len(rows)} of them" if len(rows) != count and rows else shown(y)
        raise ValueError(
            f"`{split}` must hold as y a target for each of its {count} sequences: whole numbers "
            f"or names for classes, real numbers for values. Received: {received}."
        )
    return rows


def as_label(value: Any) -> np.ndarray:
    """A value as an array: of text if all of it is text, and of objects if some of it is."""
    values = np.asarray(value)
    if values.dtype.kind == "O" or (values.dtype.kind == "U" and isinstance(value, list | tuple)):
        values = np.asarray(value, object)
        if values.size and all(isinstance(item, str) for item in values.flat):
            return values.astype(str)
        if not any(isinstance(item, str) for item in values.flat):
            return np.asarray(value)
    return values


def _odd_one(labels: list[np.ndarray]) -> tuple[int, str] | None:
    """The index of the first label that is not text where others are, and what it holds."""
    texts = [label.dtype.kind == "U" for label in labels]
    named = any(texts) or any(
        isinstance(item, str) for label in labels if label.dtype == object for item in label.flat
    )
    if not named or all(texts):
        return None
    k = texts.index(False)
    items = [item for item in labels[k].ravel().tolist() if not isinstance(item, str)]
    return k, shown(items[0]) if items else "nothing"
