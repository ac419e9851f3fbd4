"""Checks of arguments: what it is, what it must be, what came, what to do."""

import difflib
import operator
from collections.abc import Iterable


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
