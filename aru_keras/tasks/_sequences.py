"""Checks of the sequences, lengths and weights that a task is made from."""

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np

from aru_keras._util.arguments import array, one_of, shown
from aru_keras._util.conversions import listed, numbers_in
from aru_keras.tasks._examples import PADDING, is_padding, padded

FIELDS = ("x", "y", "weights", "lengths")
"""The names of the arrays of a split."""

_AS_LIST = "Give sequences of different lengths as a list of arrays (T_k, I)."


def named_fields(argument: str, given: Any) -> dict[str, Any]:
    """The arrays of a split by name, given as (x, y), (x, y, weights), or a mapping.

    Raises:
        ValueError: If it is given as something else.
    """
    if isinstance(given, Mapping):
        for name in given:
            one_of(argument, name, FIELDS)
        fields = dict(given)
    elif isinstance(given, tuple | list) and len(given) in (2, 3):
        fields = dict(zip(FIELDS, given, strict=False))
    else:
        fields = {}
    if not {"x", "y"} <= set(fields):
        raise ValueError(
            f"`{argument}` must be one tuple, (x, y) or (x, y, weights), or a dict with x, y and, "
            f"if you like, weights and lengths. Received: {shown(given)}.{_example(argument)}"
        )
    return fields


def _example(argument):
    return " Give one tuple: from_arrays((x, y))." if argument == "train" else ""


def checked_sequences(argument: str, x: Any, lengths: Any) -> tuple[np.ndarray, np.ndarray]:
    """Sequences (K, T, I) float32 with `PADDING` behind their ends, and lengths (K,) int64.

    Args:
        argument: The name of the split, for the message.
        x: An array (K, T, I), or (K, T) for one channel, or a list of arrays (T_k, I) or (T_k,).
        lengths: The number of steps of each sequence in an array that is padded already, or None.

    Raises:
        ValueError: If they are not such sequences, or a number in them is not finite.
    """
    numbers = None if _are_rows(x) else numbers_in(x)
    if numbers is None or numbers.dtype == object:
        if lengths is not None:
            raise ValueError(
                f"`{argument}` must hold lengths only beside a padded array. Received: lengths "
                "beside a list of sequences, which have their own lengths. Leave them out."
            )
        rows = _checked_rows(argument, x)
        counts = np.array([len(row) for row in rows])
        return _distinct(argument, padded(rows, counts.max(), PADDING), counts)
    if not numbers.ndim or 0 in numbers.shape:
        raise ValueError(
            f"`{argument}` must hold sequences. Received: x of shape {numbers.shape}. {_AS_LIST}"
        )
    counts, original = _checked_lengths(argument, lengths, numbers), numbers
    within = np.arange(numbers.shape[1] if numbers.ndim > 1 else 0) < counts[:, None]
    if lengths is not None and numbers.ndim in (2, 3):  # What is padding may be anything, even NaN.
        numbers = np.where(within if numbers.ndim == 2 else within[..., None], numbers, 0)
    shapes = ("K", "T", "I"), ("K", "T")
    expected = "as x finite real numbers of shape (K, T, I) or (K, T)"
    try:
        values = array(argument, numbers, *shapes, what=expected, verb="hold", dtype="float32")
    except ValueError as error:
        raise ValueError(f"{error} {_way_out(numbers)}".rstrip()) from None
    values = values if values.ndim == 3 else values[..., None]
    values = values if within.all() else np.where(within[..., None], values, np.float32(PADDING))
    values = values[:, : counts.max()]
    if not isinstance(x, list | tuple) and np.may_share_memory(values, original):
        values = values.copy()  # A task never changes, whatever becomes of the array.
    return _distinct(argument, values, counts)


def checked_weights(argument: str, weights: Any, count: int) -> np.ndarray | None:
    """The weights of `count` examples, (K,) float32; None if there are none.

    Raises:
        ValueError: If they are not `count` numbers of at least 0, one of them positive.
    """
    if weights is None:
        return None
    expected = f"as weights {count} numbers of at least 0, one per sequence, not all of them 0"
    checked = array(argument, weights, (count,), least=0, what=expected, verb="hold")
    if not checked.any():
        raise ValueError(f"`{argument}` must hold {expected}. Received: zeros.")
    return checked.astype("float32")


def _are_rows(x):
    """Whether x is a list of arrays, or an object array of them, and not nested numbers."""
    if isinstance(x, np.ndarray):
        return x.dtype == object
    return isinstance(x, list | tuple) and any(_rank(row) == 2 for row in x[:1])


def _rank(row):
    try:
        return np.ndim(row)
    except ValueError:  # A ragged list.
        return 0


def _way_out(numbers):
    """Where the first number is that is not finite; or how sequences are given."""
    if numbers.ndim not in (2, 3):
        return _AS_LIST
    missing = ~np.isfinite(numbers)
    if not missing.any():
        return ""
    k, *rest = np.argwhere(missing)[0]
    ended = missing if numbers.ndim == 2 else missing.all(axis=-1)
    behind = np.arange(ended.shape[1]) >= (~ended).sum(axis=1)[:, None]
    padding = missing.sum() == ended.sum() * numbers[0, 0].size and (ended == behind).all()
    cure = "If they are padding, give `lengths` with x." if padding else "Mend or leave them out."
    return f"The first is in x[{k}] at {_place(rest)}. {cure}"


def _place(indices):
    """A step and a channel in words."""
    return ", ".join(f"{axis} {n}" for axis, n in zip(("step", "channel"), indices, strict=False))


def _checked_rows(argument, x):
    if not isinstance(x, list | tuple | np.ndarray) or not len(x):
        raise ValueError(
            f"`{argument}` must hold sequences: an array (K, T, I), or a list of arrays (T_k, I). "
            f"Received: {shown(x)}."
        )
    rows = [_checked_row(argument, k, row) for k, row in enumerate(x)]
    rows = [row if row.ndim == 2 else row[:, None] for row in rows]
    channels = [row.shape[1] for row in rows]
    if len(set(channels)) > 1:
        odd = next(k for k, count in enumerate(channels) if count != channels[0])
        raise ValueError(
            f"`{argument}` must hold sequences with the same channels. Received: {channels[0]} in "
            f"x[0] and {channels[odd]} in x[{odd}]."
        )
    return rows


def _checked_row(argument, k, row):
    expected = f"as x[{k}] finite real numbers of shape (T, I) or (T,)"
    shapes = ("T", "I"), ("T",)
    try:
        return array(argument, row, *shapes, what=expected, verb="hold", dtype="float32")
    except ValueError as error:
        numbers = numbers_in(row)
        missing = [] if numbers is None else np.argwhere(~np.isfinite(numbers))
        hint = f" The first is at {_place(missing[0])}." if len(missing) and len(missing[0]) else ""
        raise ValueError(f"{error}{hint}") from None


def _checked_lengths(argument, lengths, values):
    steps = values.shape[1] if values.ndim > 1 else 0
    if lengths is None:
        return np.full(len(values), steps)
    expected = f"as lengths {len(values)} whole numbers from 1 to T = {steps}"
    checked = array(argument, lengths, (len(values),), what=expected, verb="hold")
    if (checked % 1 != 0).any() or checked.min() < 1 or checked.max() > steps:
        raise ValueError(
            f"`{argument}` must hold {expected}. Received: numbers from "
            f"{checked.min():g} to {checked.max():g}."
        )
    return checked.astype("int64")


def _distinct(argument, values, lengths):
    """Refuse steps that could not be distinguished from padding."""
    steps = np.arange(values.shape[1]) < lengths[:, None]
    if (is_padding(values) & steps).any():
        k, t = np.argwhere(is_padding(values) & steps)[0]
        raise ValueError(
            f"`{argument}` must hold no step with {PADDING:g} in all channels, which stands for "
            f"padding. Received: step {t} of x[{k}]. Scale the data."
        )
    return values, lengths


def same_channels(sizes: Mapping[str, int]) -> int:
    """The number of channels, which must be the same in all splits.

    Args:
        sizes: The number of channels in each split.

    Raises:
        ValueError: If they differ.
    """
    if len(set(sizes.values())) > 1:
        counts = ", ".join(f"{count} in {split}" for split, count in sizes.items())
        raise ValueError(
            f"`train`, `validation` and `test` must have the same channels. Received: {counts}."
        )
    return next(iter(sizes.values()))


def checked_names(
    argument: str, names: Iterable[str] | None, count: int | None = None
) -> tuple[str, ...]:
    """Different names; () for None.

    Args:
        argument: The name of the argument, for the message.
        names: The names in their order: a list, an array, or an index of pandas.
        count: How many there must be; None for any number.

    Raises:
        ValueError: If they are not so many different texts, or have no order.
    """
    if names is None:
        return ()
    ordered = [] if isinstance(names, Set) else listed(names)
    fits = len(ordered) == (count or len(ordered) or 1)
    if not fits or not all(map(_is_name, ordered)) or len(set(ordered)) < len(ordered):
        wanted = "different names, in a list" if count is None else f"{count} different names"
        raise ValueError(f"`{argument}` must be {wanted}. Received: {shown(names)}.")
    return tuple(map(str, ordered))


def _is_name(name):
    return isinstance(name, str) and name != ""
