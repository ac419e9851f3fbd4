"""Checks of the targets of a task of arrays: classes or values, at the end or at every step."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aru_keras._util.arguments import array, flag, one_of, shown
from aru_keras.tasks._classes import numbered
from aru_keras.tasks._doubts import doubt_of_steps, doubt_of_values, is_one_hot, warn
from aru_keras.tasks._examples import padded, widened
from aru_keras.tasks._labels import rows_of
from aru_keras.tasks.specs import TARGETS


@dataclass(frozen=True, eq=False)
class Targets:
    """The targets of all splits.

    Attributes:
        y: For each split (K,) or (K, T) int32, or (K, D) or (K, T, D) float32.
        target: The kind of target, "class" or "value".
        every_step: Whether every step has a target.
        classes: The number of classes; 0 for values.
        class_names: The names of the classes; () for their numbers.
        values: The number of values D; 0 for classes.
    """

    y: dict[str, np.ndarray]
    target: str
    every_step: bool
    classes: int
    class_names: tuple[str, ...]
    values: int


def checked_targets(
    given: Mapping[str, Any],
    lengths: Mapping[str, np.ndarray],
    timesteps: int,
    *,
    room: Mapping[str, int],
    target: str | None,
    every_step: bool | None,
    classes: Any,
) -> Targets:
    """The targets of all splits, padded to `timesteps` with 0.

    Args:
        given: The targets of each split.
        lengths: The number of steps of each sequence of each split.
        timesteps: The number of steps of the longest.
        room: For each split the number of steps up to which targets of every step may be padded;
            0 where they must end with their sequences.
        target: The kind of target; None to infer it from the type of the numbers, with a warning
            where real numbers look like classes.
        every_step: Whether every step has a target; None to infer it from the shapes.
        classes: The number or the names of the classes; None to find it in the targets.

    Raises:
        ValueError: If the targets do not fit the sequences, or each other.
    """
    rows = {split: rows_of(split, y, lengths[split], room[split]) for split, y in given.items()}
    target, every_step = _kind(rows["train"], lengths["train"], target, every_step)
    y = {
        split: _joined(split, rows[split], lengths[split], room[split], target, every_step)
        for split in rows
    }
    names: tuple[str, ...] = ()
    if target == "class":
        y, names, classes = numbered(y, classes)
    elif classes is not None:
        raise ValueError(
            f"`classes` must be left out for values. Received: {shown(classes)}. Give whole "
            'numbers or names as y, or target="class".'
        )
    if every_step:
        y = {split: _padded(values, lengths[split], timesteps) for split, values in y.items()}
    values = 0 if target == "class" else _same_width(y)
    return Targets(y, target, every_step, classes or 0, names, values)


def _kind(rows, lengths, target, every_step):
    """The kind of target, and whether every step has one; with a warning where it is in doubt."""
    doubt = ""
    if target is None:
        target = "class" if rows[0].dtype.kind in "iubU" else "value"
        doubt = doubt_of_values(rows, lengths) if target == "value" else ""
    target = one_of("target", target, TARGETS)
    if every_step is None:
        every_step = rows[0].ndim == (1 if target == "class" else 2)
        if target == "value" and not every_step:
            doubt = doubt or doubt_of_steps(rows, lengths)
    if doubt:
        warn(doubt)
    return target, flag("every_step", every_step)


def _joined(split, rows, lengths, room, target, every_step):
    """One array of targets: (K,), (K, T), (K, D) or (K, T, D)."""
    rank = int(every_step) + (target == "value")
    rows = [row[..., None] if row.ndim == rank - 1 == int(every_step) else row for row in rows]
    width = rows[0].shape[int(every_step) :]
    for k, (row, steps) in enumerate(zip(rows, lengths, strict=True)):
        fits = row.ndim == rank and row.shape[int(every_step) :] == width
        if not fits or (every_step and not steps <= len(row) <= max(steps, room)):
            raise ValueError(_unfit(split, k, row, steps, target, every_step))
    if every_step:
        cut = [row[:steps] for row, steps in zip(rows, lengths, strict=True)]
        kind = np.result_type(*cut)
        rows = padded([row.astype(kind) for row in cut], lengths.max(), cut[0].flat[0])
    return _checked(split, np.stack(list(rows)), target)


def _unfit(split, k, row, steps, target, every_step):
    """What is wrong with the target of a sequence."""
    words = {
        ("class", False): "one class",
        ("class", True): f"{steps} classes, one for each step of x[{k}]",
        ("value", False): "one value, or D values, as many in all sequences",
        ("value", True): f"({steps}, D) values, for each step of x[{k}]",
    }
    return (
        f"`{split}` must hold as y[{k}] {words[target, every_step]}. Received: shape {row.shape}. "
        f"`every_step` says whether each step has a target.{_cure(row, target)}"
    )


def _cure(row, target):
    """What to do with classes in a column, or as one-hot rows."""
    if target != "class":
        return ""
    if row.shape == (1,):
        return " For one class of each sequence, give np.ravel(y)."
    if row.ndim and row.shape[-1] == 1:
        return " For one class of each step, give y[..., 0]."
    return " For one-hot rows, give y.argmax(axis=-1)." if is_one_hot(row) else ""


def _checked(split, y, target):
    """The targets without NaN, and text for classes alone."""
    if y.dtype.kind == "U" and target == "class":
        return y
    values = array(split, y, what="as y finite real numbers", verb="hold", dtype=None)
    return values if target == "class" else values.astype("float32")


def _padded(y, lengths, timesteps):
    """Targets with 0 at all steps that are padding."""
    y = widened(y, timesteps, 0)
    within = np.arange(timesteps) < lengths[:, None]
    return np.where(within.reshape(*within.shape, *[1] * (y.ndim - 2)), y, y.dtype.type(0))


def _same_width(y):
    """The number of values D, which must be the same in all splits."""
    widths = {split: values.shape[-1] for split, values in y.items()}
    if len(set(widths.values())) > 1:
        listed = ", ".join(f"{width} in {split}" for split, width in widths.items())
        raise ValueError(
            "`train`, `validation` and `test` must have as many values in y as each other. "
            f"Received: {listed}."
        )
    return next(iter(widths.values()))
