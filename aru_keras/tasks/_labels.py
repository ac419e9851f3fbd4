"""Targets and names of any form as arrays, in which no number has silently become a name."""

from typing import Any

import numpy as np

from aru_keras._util.arguments import shown
from aru_keras._util.conversions import is_masked, listed, numbers_in


def rows_of(split: str, y: Any, lengths: np.ndarray, room: int) -> list[np.ndarray]:
    """The target of each of K sequences, an array of any rank, of numbers or of text.

    Args:
        split: The name of the split, for the message.
        y: The targets.
        lengths: The number of steps of each sequence, (K,).
        room: The number of steps up to which targets of every step may be padded; or 0.

    Raises:
        ValueError: If they are no such targets, names beside something else, or masked.
    """
    count = len(lengths)
    if hasattr(y, "numpy"):  # A tensor.
        y = numbers_in(y)
    if len(getattr(y, "shape", ())) == 2 and hasattr(y, "to_numpy"):  # A table: its rows.
        y = y.to_numpy()
    given = listed(y)
    _check_present(split, given, lengths, room)
    try:
        rows = [as_label(row) for row in given]
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


def _check_present(split, rows, lengths, room):
    """Refuse masked targets, except behind the ends of sequences."""
    for k, (row, steps) in enumerate(zip(rows, lengths, strict=False)):
        if not has_masked(row):
            continue
        count = len(row) if isinstance(row, list | tuple) or row.ndim else 0
        if not steps < count <= room or has_masked(row[:steps]):
            raise ValueError(
                f"`{split}` must hold as y a target for each sequence. Received: y[{k}] is masked, "
                "that is missing. Leave its sequence out."
            )


def has_masked(value: Any) -> bool:
    """Whether something in a masked array, or in a list of its items, is masked."""
    return any(map(has_masked, value)) if isinstance(value, list | tuple) else is_masked(value)


def as_label(value: Any) -> np.ndarray:
    """A value as an array: of text if all of it is text, and of objects if some of it is."""
    numbers = is_masked(value) and value.dtype.kind == "f"
    values = value.filled(np.nan) if numbers else np.asarray(value)
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
