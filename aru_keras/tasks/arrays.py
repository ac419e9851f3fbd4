"""Tasks from arrays: your own sequences, with your own classes or values."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from aru_keras._util.arguments import finite, instance, real, shown, whole
from aru_keras.tasks._doubts import doubt_of_weights, warn
from aru_keras.tasks._examples import PADDING, Examples, widened
from aru_keras.tasks._groups import checked_groups
from aru_keras.tasks._sequences import (
    checked_names,
    checked_sequences,
    checked_weights,
    named_fields,
    same_channels,
)
from aru_keras.tasks._splits import drawn_splits
from aru_keras.tasks._targets import checked_targets
from aru_keras.tasks.specs import ARRAYS, SPLITS, TaskSpec
from aru_keras.tasks.task import Task

HELD_OUT = 0.15
"""The share of the sequences that a split gets by default, if it is drawn."""


def from_arrays(
    train: Any,
    validation: Any = HELD_OUT,
    test: Any = HELD_OUT,
    *,
    target: str | None = None,
    every_step: bool | None = None,
    classes: int | Iterable[str] | None = None,
    channels: Iterable[str] | None = None,
    interval: float = 1.0,
    unit: str = "step",
    name: str = "sequences",
    description: str = "",
    split_seed: int = 0,
    groups: Iterable[str] | Iterable[int] | None = None,
) -> Task:
    """Make a task of your own sequences.

    A split is `(x, y)` or `(x, y, weights)`, or a dict with these names and `lengths`:

    - x is an array (K, T, I) of K sequences with T steps and I channels, or (K, T) for a single
      channel. For sequences of different lengths it is a list of K arrays (T_k, I), or a padded
      array with `lengths`, (K,). The task pads them, and networks mask what is padded.
    - y holds a target for each sequence: a class at the end, (K,); a class at every step, (K, T)
      or a list of (T_k,); values at the end, (K,) or (K, D) real numbers; or values at every step,
      (K, T, D) or a list of (T_k, D). Classes are whole numbers from 0, or names.
    - weights, (K,), are the weights of the sequences in the loss and in the score.

    Args:
        train: The training split.
        validation: The validation split, or the share of the sequences in `train` that is drawn.
        test: The test split, or a share likewise.
        target: The kind of target: "class" or "value"; None for classes if y holds whole numbers or
            names, and values if it holds real numbers. If real numbers look like classes (one-hot
            rows, or whole numbers as floats), a warning says that they are read as values.
        every_step: Whether every step has a target; None to see it in the shape of y. Say True for
            a single value at every step, (K, T); a warning says that (K, T) values are read as T
            values at the end.
        classes: The number of classes, or their names; None to find it in y, with a warning if a
            class below the greatest never occurs.
        channels: The names of the I channels; None for "channel 0" and so on.
        interval: The time between two steps. It labels recordings and pictures, and does not change
            what networks compute.
        unit: The unit of `interval`, for example "ms".
        name: The name of the task.
        description: A description in one line.
        split_seed: The seed with which splits are drawn. Classes at the end are stratified, unless
            there are `groups`.
        groups: The name or the number of the group of each sequence in `train`, (K,), such as its
            subject. All sequences of a group are drawn into the same split, and shares are met as
            nearly as the groups allow. None to draw single sequences.

    Raises:
        ValueError: If something does not fit. The message names the split, what it must be, and
            what was received.

    Example:
        >>> task = from_arrays((x, y), channels=["left", "right"], interval=2.0, unit="ms")
        >>> model.fit(task.batches("train"), validation_data=task.batches("validation"))
    """
    given = {"train": named_fields("train", train)}
    shares = {"validation": _share("validation", validation), "test": _share("test", test)}
    for split, data in (("validation", validation), ("test", test)):
        if shares[split] is None:
            given[split] = named_fields(split, data)
    splits, shape = _checked(given, target=target, every_step=every_step, classes=classes)
    for split, data in zip(SPLITS, (train, validation, test), strict=True):
        if isinstance(data, tuple | list) and len(data) == 3:
            _warn_of_weights(split, splits[split].weights, shape["timesteps"])
    at_the_end = shape["target"] == "class" and not shape["every_step"]
    seed, count = whole("split_seed", split_seed, 0), splits["train"].x.shape[2]
    grouped = checked_groups(groups, len(splits["train"]), shares)
    splits = drawn_splits(splits, shares, seed=seed, stratified=at_the_end, groups=grouped)
    numbered = tuple(f"channel {k}" for k in range(count))
    return _task(
        {split: _read_only(splits[split]) for split in SPLITS},
        name=_text("name", name),
        description=instance("description", description, str),
        channels=checked_names("channels", channels, count) or numbered,
        interval=finite("interval", interval, positive=True),
        unit=_text("unit", unit),
        **shape,
    )


def _checked(given, **kind):
    """The given splits, padded to one length, and the properties of the task in their shapes."""
    x, lengths = {}, {}
    for split, fields in given.items():
        x[split], lengths[split] = checked_sequences(split, fields["x"], fields.get("lengths"))
    same_channels({split: values.shape[2] for split, values in x.items()})
    steps = max(values.shape[1] for values in x.values())
    y = {split: fields["y"] for split, fields in given.items()}
    room = {split: _room(fields) for split, fields in given.items()}
    targets = checked_targets(y, lengths, steps, room=room, **kind)
    ragged = any((counts < steps).any() for counts in lengths.values())
    splits = {
        split: Examples(
            widened(x[split], steps, PADDING),
            targets.y[split],
            lengths[split] if ragged else None,
            checked_weights(split, fields.get("weights"), len(x[split])),
        )
        for split, fields in given.items()
    }
    shape = {"timesteps": steps, "ragged": ragged}
    names = ("target", "every_step", "classes", "class_names", "values")
    return splits, shape | {name: getattr(targets, name) for name in names}


def _room(fields):
    """The steps up to which the targets of a split may be padded, as its sequences are."""
    return 0 if fields.get("lengths") is None else np.shape(fields["x"])[1]


def _task(splits: Mapping[str, Examples], **properties: Any) -> Task:
    sizes = {split: len(examples) for split, examples in splits.items()}
    return Task(TaskSpec(collection=ARRAYS, image_shape=(), sizes=sizes, **properties), splits)


def _warn_of_weights(split, weights, steps):
    doubt = "" if weights is None else doubt_of_weights(split, weights, steps)
    if doubt:
        warn(doubt)


def _share(argument, value):
    """The share of a split that is drawn; None for a split that is given."""
    if isinstance(value, Mapping | tuple | list):
        return None
    share = real(value)
    if not 0 < share < 1:
        raise ValueError(
            f"`{argument}` must be the split itself, a tuple like `train`, or the share of the "
            "sequences in `train` that is drawn, above 0 and below 1. Received: "
            f"{shown(value)}."
        )
    return share


def _read_only(examples):
    for values in (examples.x, examples.y, examples.lengths, examples.weights):
        if values is not None:
            values.setflags(write=False)
    return examples


def _text(argument, value):
    if not isinstance(value, str) or not value.strip() or "\n" in value:
        raise ValueError(f"`{argument}` must be text in one line. Received: {shown(value)}.")
    return value
