"""What a value is: a number, a list, an array of numbers, or none of them; and how it is shown.

Nothing here raises: `aru_keras._util.arguments` says what is wrong with a value.
"""

import math
import numbers
import operator
import reprlib
from collections.abc import Mapping

import numpy as np

LARGEST_FLOAT = float(np.finfo("float32").max)

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 100
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxset = _SHORT.maxdict = 8
_SHORT.maxlevel = 3


def shown(value: object) -> str:
    """`value` as a message shows it: of long ones the ends, of large arrays dtype and shape."""
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if dtype is None or not isinstance(shape, tuple) or math.prod(shape) <= 1:
        try:
            return _SHORT.repr(value)
        except ValueError:  # More digits than Python prints, 4,300.
            return f"a very large {type(value).__name__}"
    return f"{dtype} of shape {tuple(shape)}"


def index(value):
    """`value` as an int; None where it is no whole number."""
    try:
        missing = isinstance(value, bool) or is_masked(value)
        return None if missing else operator.index(value)
    except TypeError:
        return None


def real(value):
    """`value` as a float; NaN where it is no real number, or none that a float can hold."""
    try:
        if is_masked(value):
            return math.nan
        if getattr(value, "shape", None) == ():
            value = np.asarray(value).item()
        number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        return float(value) if number else math.nan
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return math.nan


def listed(values):
    """`values` as a list; an empty one where they are no sequence of single things."""
    if isinstance(values, str | bytes | Mapping):
        return []
    try:
        return list(values)
    except TypeError:
        return []


def is_masked(value):
    """Whether something in a masked array of NumPy is masked, which means that it is missing."""
    return isinstance(value, np.ma.MaskedArray) and bool(np.ma.is_masked(value))


def numbers_in(value):
    """`value` as an array of numbers; None where it does not consist of real ones.

    What is masked is NaN.
    """
    try:
        array = np.asarray(_filled(_on_this_side(value)))
        if array.dtype == object:  # Whole numbers beyond 64 bits, and fractions.
            array = np.array([real(number) for number in array.flat]).reshape(array.shape)
    except (TypeError, ValueError, RuntimeError, AttributeError):
        return None
    return array if np.can_cast(array.dtype, "float64", "same_kind") else None


def _on_this_side(value):
    """A tensor of torch, or a Keras variable, as what NumPy can read."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        return value.float() if "bfloat16" in str(value.dtype) else value
    return value.numpy() if hasattr(value, "numpy") else value


def _filled(value):
    """What is masked, in an array or in lists of them, as NaN."""
    if is_masked(value):
        return value.astype(np.result_type(value.dtype, "float16")).filled(np.nan)
    holders = list, tuple, np.ma.MaskedArray
    if isinstance(value, list | tuple) and any(isinstance(item, holders) for item in value):
        return [_filled(item) for item in value]
    return value


def fits(shape, wanted):
    """Whether a shape is the one that is wanted."""
    if math.prod(shape) == 0:
        return shape == wanted
    if wanted and wanted[0] is ...:
        wanted = wanted[1:]
        shape = shape[len(shape) - len(wanted) :] if len(shape) >= len(wanted) else None
    if shape is None or len(shape) != len(wanted):
        return False
    sizes = {}
    return all(
        size == (sizes.setdefault(name, size) if isinstance(name, str) else name)
        for size, name in zip(shape, wanted, strict=True)
    )


def shapes_in_words(shapes):
    """The shapes that are wanted, for a message."""
    texts = []
    for shape in shapes:
        axes = ["…" if axis is ... else str(axis) for axis in shape]
        texts.append(f"({', '.join(axes)}{',' * (len(axes) == 1)})")
    return f" of shape {' or '.join(texts)}" if texts else ""


def out_of_range(value, array, least, most):
    """What is wrong with the numbers of an array, for a message."""
    if array.ndim == 0:
        return shown(value)
    wide = array.astype("float64")
    outside = np.count_nonzero(~((wide >= least) & (wide <= most)))
    usual = least == -LARGEST_FLOAT and most == LARGEST_FLOAT
    reason = "NaN, infinite or beyond float32" if usual else f"outside of {least} to {most}"
    return f"shape {array.shape}, with {outside} of {array.size} numbers {reason}"
