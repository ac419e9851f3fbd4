"""Checks of arguments: what it is, what it must be, what came, what to do.

Every public function converts what it is given here, once, at its door: numbers with `finite` and
`whole`, several of them with `array` and `wholes`, and the rest with `flag`, `instance` and
`one_of`. What comes back has the type and the range that the code behind the door reckons with.
"""

import difflib
import inspect
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aru_keras._util.conversions import (
    LARGEST_FLOAT,
    fits,
    index,
    listed,
    numbers_in,
    out_of_range,
    real,
    shapes_in_words,
    shown,
)

LARGEST_WHOLE = 2**63 - 1
"""Of whole numbers; what has 64 bits."""

LARGEST_SIZE = 10**7
"""Of numbers of steps, units, draws and repeats, whose arrays and loops must come to an end."""


def one_of(argument: str, value: object, options: Iterable[str]) -> str:
    """`value`, which must be one of `options`.

    Args:
        argument: The name of the argument, or several words for it, for the message.
        value: The value.
        options: The values that it may have.

    Raises:
        ValueError: names the argument, the options and the nearest of them.
    """
    options = list(options)
    if isinstance(value, str) and value in options:
        return value
    text = value if isinstance(value, str) and len(value) < 100 else ""
    near = difflib.get_close_matches(text, options, n=1, cutoff=0.4)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    what = argument if " " in argument else f"`{argument}`"
    raise ValueError(f"{what} must be one of {', '.join(options)}. Received: {shown(value)}.{hint}")


def named(argument: str, values: object, options: Iterable[str]) -> list[str]:
    """`values` as a list of names, each one of `options`; one name stands for a list of it.

    Raises:
        ValueError: names the argument, the options and what came.
    """
    options = list(options)
    if isinstance(values, str):
        values = [values]
    if isinstance(values, bytes) or not isinstance(values, Iterable):
        raise ValueError(
            f"`{argument}` must be names out of {', '.join(options)}. Received: {shown(values)}."
        )
    return [one_of(argument, name, options) for name in values]


def whole(
    argument: str, value: object, minimum: int, *, most: int = LARGEST_WHOLE, hint: str = ""
) -> int:
    """`value` as an int, which must be a whole number of at least `minimum` and at most `most`.

    Raises:
        ValueError: names the argument, the bounds and what came.
    """
    number = index(value)
    if number is None or not minimum <= number <= most:
        above = number is not None and number > most
        bound = f"{minimum} and at most {most:,}" if above else minimum
        way_out = f" {hint}" if hint else ""
        raise ValueError(
            f"`{argument}` must be a whole number of at least {bound}. "
            f"Received: {shown(value)}.{way_out}"
        )
    return number


def wholes(argument: str, values: object, minimum: int, *, most: int = LARGEST_WHOLE) -> list[int]:
    """`values` as a list of ints, one at the least, each as in `whole`.

    Raises:
        ValueError: names the argument, the bounds and what came.
    """
    numbers = [index(value) for value in listed(values)]
    if not numbers or any(number is None or not minimum <= number <= most for number in numbers):
        raise ValueError(
            f"`{argument}` must be a list of whole numbers from {minimum} to {most:,}. "
            f"Received: {shown(values)}."
        )
    return numbers


def finite(
    argument: str,
    value: object,
    least: float = -math.inf,
    *,
    most: float = math.inf,
    positive: bool = False,
) -> float:
    """`value` as a float, which must be finite in float32, at least `least` and at most `most`.

    Raises:
        ValueError: names the argument, the bounds and what came.
    """
    number = real(value)
    if (
        not abs(number) <= LARGEST_FLOAT
        or not least <= number <= most
        or (positive and number <= 0)
    ):
        bound = "" if least == -math.inf else f" of at least {least}"
        bound += "" if most == math.inf else f"{' and' if bound else ' of'} at most {most}"
        kind = "positive and finite" if positive else f"a finite number{bound}"
        raise ValueError(
            f"`{argument}` must be {kind}, in the range of float32. Received: {shown(value)}."
        )
    return number


def flag(argument: str, value: object) -> bool:
    """`value` as a bool, which must be True or False (or 1 or 0).

    Raises:
        ValueError: names the argument and what came.
    """
    if isinstance(value, bool | np.bool_ | int) and value in (0, 1):
        return bool(value)
    raise ValueError(f"`{argument}` must be True or False. Received: {shown(value)}.")


def instance(argument: str, value: object, kind: type, hint: str = "") -> Any:
    """`value`, which must be a `kind`.

    Raises:
        ValueError: names the argument, the kind and what came.
    """
    if isinstance(value, kind):
        return value
    article = "an" if kind.__name__[0] in "AEIOU" else "a"
    way_out = f" {hint}" if hint else ""
    raise ValueError(
        f"`{argument}` must be {article} {kind.__name__}. Received: {shown(value)}.{way_out}"
    )


def held(argument: str, value: object, names: Sequence[str], hint: str = "") -> list:
    """What a mapping holds under these names, in their order.

    Raises:
        ValueError: it is no mapping, or one of the names is not in it.
    """
    if isinstance(value, Mapping) and set(names) <= set(value):
        return [value[name] for name in names]
    received = shown(list(value)) if isinstance(value, Mapping) else shown(value)
    way_out = f" {hint}" if hint else ""
    raise ValueError(
        f"`{argument}` must hold {' and '.join(names)}, by name. Received: {received}.{way_out}"
    )


def path_like(argument: str, value: object) -> Path | None:
    """`value` as a path; None stays None.

    Raises:
        ValueError: names the argument and what came.
    """
    if value is None:
        return None
    if not isinstance(value, str | os.PathLike) or "\0" in str(value) or len(str(value)) > 4000:
        raise ValueError(f"`{argument}` must be a path. Received: {shown(value)}.")
    return Path(value)


def array(
    argument: str,
    value: object,
    *shapes: tuple,
    least: float = -LARGEST_FLOAT,
    most: float = LARGEST_FLOAT,
    what: str = "",
    verb: str = "be",
    dtype: str | None = "float64",
) -> np.ndarray:
    """`value` as an array, which must hold real numbers in the range of float32.

    Args:
        argument: Its name, for the message.
        value: A number, nested lists, an array or a tensor.
        *shapes: Those that are taken, any if there are none. A number in one is a size, a name
            such as "T" any size from 1, the same wherever it stands, and a first `...` any axes.
        least: The least of its numbers; −inf allows it.
        most: The greatest of its numbers; inf allows it.
        what: What it must be, in words; by default made of the shapes.
        verb: What it must do instead of being that, such as "hold".
        dtype: Of the result; None leaves it as it came, where float64 would take much memory.

    Raises:
        ValueError: names the argument, what it must be and what came.
    """
    numbers = numbers_in(value)
    if numbers is None:
        received = shown(value)
    elif shapes and not any(fits(numbers.shape, shape) for shape in shapes):
        received = f"shape {numbers.shape}" if numbers.ndim else shown(value)
    elif not numbers.size or (float(numbers.min()) >= least and float(numbers.max()) <= most):
        return numbers if dtype is None else numbers.astype(dtype, copy=False)
    else:
        received = out_of_range(value, numbers, least, most)
    what = what or "finite real numbers" + shapes_in_words(shapes)
    raise ValueError(f"`{argument}` must {verb} {what}. Received: {received}.")


def checked_indices(indices: Sequence[int]) -> np.ndarray:
    """`indices` of images in their split as an array (K,), K ≥ 0.

    Raises:
        ValueError: they are not whole numbers from 0.
    """
    try:
        checked = np.asarray(indices)
    except (TypeError, ValueError, RuntimeError):  # A ragged list, or a tensor that is no array.
        checked = np.asarray(None)
    if checked.ndim == 1 and not checked.size:
        return checked.astype("int64")
    if checked.ndim != 1 or checked.dtype.kind not in "iu" or checked.min() < 0:
        raise ValueError(
            f"`indices` must be a list of whole numbers, 0 or above. Received: {shown(indices)}."
        )
    return checked


def checked_units(argument: str, units: Sequence[int], count: int) -> list[int]:
    """`units` as a list of different units out of `count`.

    Raises:
        ValueError: names the argument, the range and what came.
    """
    indices = [index(unit) for unit in listed(units)]
    if (
        not indices
        or None in indices
        or not 0 <= min(indices) <= max(indices) < count
        or len(set(indices)) < len(indices)
    ):
        raise ValueError(
            f"`{argument}` must name units from 0 to {count - 1}, each once. "
            f"Received: {shown(units)}."
        )
    return indices


def foreign_options(given: Mapping, function: Callable, owner: object) -> dict[str, Any]:
    """Those of some options of a function that are neither its defaults nor an object's own.

    Args:
        given: The options by name.
        function: The function.
        owner: The object, which has some of the options as attributes.
    """
    defaults = inspect.signature(function).parameters
    return {
        name: value
        for name, value in given.items()
        if not any(
            np.array_equal(value, fitting)
            for fitting in (defaults[name].default, getattr(owner, name, None))
        )
    }


def check_built(layer: Any) -> None:
    """Refuse a recurrent layer that has no weights yet.

    Raises:
        ValueError: names the layer, and says how to build it.
    """
    if not layer.cell.built:
        raise ValueError(
            "`network` must be built, to know how many features it reads. Received: "
            f"{layer.name!r}, which is not. Call its build((None, None, features)) first."
        )
