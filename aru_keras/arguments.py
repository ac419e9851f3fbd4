"""Checks of arguments: what it is, what it must be, what came, what to do."""

import contextlib
import difflib
import math
import numbers
import operator
from collections.abc import Iterable, Sequence

import numpy as np

_LARGEST = float(np.finfo("float32").max)


def one_of(argument: str, value: object, options: Iterable[str]) -> str:
    """`value`, which must be one of `options`.

    Raises:
        ValueError: names the argument, the options and the nearest of them.
    """
    options = list(options)
    if isinstance(value, str) and value in options:
        return value
    near = difflib.get_close_matches(str(value), options, n=1, cutoff=0.4)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"`{argument}` must be one of {', '.join(options)}. Received: {value!r}.{hint}"
    )


def whole(argument: str, value: object, minimum: int, *, hint: str = "") -> int:
    """`value` as an int, which must be a whole number of at least `minimum`.

    Raises:
        ValueError: names the argument, the bound and what came.
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < minimum:
        way_out = f" {hint}" if hint else ""
        raise ValueError(
            f"`{argument}` must be a whole number of at least {minimum}. "
            f"Received: {value!r}.{way_out}"
        )
    return number


def finite(argument: str, value: object, least: float = -math.inf) -> float:
    """`value` as a float, which must be finite in float32 and at least `least`.

    Raises:
        ValueError: names the argument, the bound and what came.
    """
    number = math.nan
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):
            number = float(value)
    if not abs(number) <= _LARGEST or number < least:
        bound = "" if least == -math.inf else f" of at least {least}"
        raise ValueError(
            f"`{argument}` must be a finite number{bound}, in the range of float32. "
            f"Received: {value!r}."
        )
    return number


def checked_indices(indices: Sequence[int]) -> np.ndarray:
    """`indices` of images in their split as an array (K,), K ≥ 0.

    Raises:
        ValueError: they are not whole numbers from 0.
    """
    checked = np.asarray(indices)
    if checked.ndim == 1 and not checked.size:
        return checked.astype("int64")
    if checked.ndim != 1 or checked.dtype.kind not in "iu" or checked.min() < 0:
        raise ValueError(
            f"`indices` must be a list of whole numbers, 0 or above. Received: {indices!r}."
        )
    return checked


def checked_units(argument: str, units: Sequence[int], count: int) -> list[int]:
    """`units` as a list of different units out of `count`.

    Raises:
        ValueError: names the argument, the range and what came.
    """
    try:
        listed = [operator.index(unit) for unit in units]
    except TypeError:
        listed = []
    if not listed or not 0 <= min(listed) <= max(listed) < count or len(set(listed)) < len(listed):
        raise ValueError(
            f"`{argument}` must name units from 0 to {count - 1}, each once. Received: {units!r}."
        )
    return listed
