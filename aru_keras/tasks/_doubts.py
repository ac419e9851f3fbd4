"""What is read in one way and may have been meant in another: the words of the warnings."""

import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

MOST_CLASSES = 100
"""Whole numbers below this one may be classes, if they are given as real numbers."""

_PACKAGE = str(Path(__file__).parent)


def warn(message: str) -> None:
    """Warn in the line that called into this package."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)


def doubt_of_values(rows: Sequence[np.ndarray], lengths: np.ndarray) -> str:
    """What to say where real numbers look like classes; "" where they do not.

    Args:
        rows: The targets of the training sequences.
        lengths: The number of steps of each sequence.
    """
    numbers = np.concatenate([row.ravel() for row in rows])
    if not len(numbers) or not np.isin(numbers, np.arange(MOST_CLASSES)).all():
        return ""
    widths = {row.shape[-1] if row.ndim else 1 for row in rows}
    if max(widths) > 1 and all(map(is_one_hot, rows)):
        what, way_out = f"one-hot rows, which are read as {max(widths)} values", "y.argmax(axis=-1)"
    elif np.ptp(numbers) and all(map(_has_labels, rows, lengths)):
        what, way_out = "whole numbers as floats, which are read as values", "y.astype(int)"
    else:
        return ""
    return (
        f"`train` holds as y {what}, so that networks learn a regression. If they are classes, "
        f'give {way_out}. If they are values, give target="value".'
    )


def doubt_of_steps(rows: Sequence[np.ndarray], lengths: np.ndarray) -> str:
    """What to say where there are as many values as steps; "" where there are not.

    Args:
        rows: The targets of the training sequences, values at the end.
        lengths: The number of steps of each sequence.
    """
    steps = int(lengths[0])
    if steps < 2 or (lengths != steps).any() or any(row.shape != (steps,) for row in rows):
        return ""
    return (
        f"`train` holds as y {steps} numbers for each sequence of {steps} steps, which are read as "
        f"{steps} values at its end. If they are one value at every step, give every_step=True. If "
        "they belong to the end, give every_step=False."
    )


def doubt_of_weights(split: str, weights: np.ndarray, steps: int) -> str:
    """What to say where weights look like lengths; "" where they do not.

    Args:
        split: The name of the split.
        weights: The weights of its sequences.
        steps: The number of steps of the longest.
    """
    different = np.ptp(weights) and steps > 1
    if not different or weights.max() != steps or (weights % 1).any() or weights.min() < 1:
        return ""
    return (
        f"`{split}` has whole numbers up to {steps}, the number of steps, as weights, its third "
        "item. If they are lengths, give dict(x=x, y=y, lengths=lengths). If they are weights, "
        "give dict(x=x, y=y, weights=weights)."
    )


def is_one_hot(row: np.ndarray) -> bool:
    """Whether each row (…, C) has a single 1 among zeros."""
    if not row.ndim or row.dtype.kind not in "iubf":
        return False
    return bool(np.isin(row, (0, 1)).all() and (row.sum(axis=-1, dtype=float) == 1).all())


def _has_labels(row, steps):
    """Whether a row is a single number, or one number for each step of its sequence."""
    return row.size == 1 or row.shape in ((steps,), (steps, 1))
