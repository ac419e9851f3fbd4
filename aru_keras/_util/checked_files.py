"""Readers of kept files: whatever is wrong with one, the error names it and says what to do.

A check is a function of a name and a value that gives the value back, or raises a `ValueError`
that says what the value must be.
"""

import contextlib
import json
import math
import os
import reprlib
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Check = Callable[[str, Any], Any]

_WHOLE = "it"
"""What messages call the whole value of a file."""


class ObjectsError(ValueError):
    """An array of Python objects, which only pickle could read."""


DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What the standard library and numpy raise at files that are not what they should be."""


def read_json(
    path: str | os.PathLike,
    check: Check,
    *,
    holds: str,
    way_out: str,
    error: type[Exception] = ValueError,
) -> Any:
    """The value in a JSON file, as `check` gives it back.

    Args:
        path: The file.
        check: Of the whole value. NaN is refused anywhere.
        holds: What the file must hold, for the message.
        way_out: A sentence on what to do where it does not.
        error: Class of what is raised.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        return check(_WHOLE, json.loads(text, parse_constant=_constant))
    except DAMAGE as problem:
        raise error(damage(path, holds, problem, way_out)) from problem


def read_arrays(
    path: str | os.PathLike,
    *,
    holds: str,
    way_out: str,
    error: type[Exception] = ValueError,
) -> dict[str, np.ndarray]:
    """The arrays of an .npz, which must be numbers other than NaN, one array at the least.

    Args:
        path: The file.
        holds: As in `read_json`.
        way_out: As in `read_json`.
        error: As in `read_json`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {name: read_member(archive, name) for name in member_names(archive)}
        return _checked_arrays(arrays)
    except DAMAGE as problem:
        raise error(damage(path, holds, problem, way_out)) from problem


@contextlib.contextmanager
def writing(path: str | os.PathLike, error: type[Exception] = ValueError) -> Iterator[None]:
    """Turn what the system says while something is written into one line that names it.

    Args:
        path: What is written, a file or a folder.
        error: Class of what is raised.
    """
    try:
        yield
    except OSError as problem:
        reason = problem.strerror or problem
        raise error(
            f"{path} cannot be written ({reason}). Make room for it, or name a folder that can be "
            "written. What stood there is kept."
        ) from problem


def member_names(archive: zipfile.ZipFile) -> list[str]:
    """Names of the arrays in an .npz."""
    return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]


def member_header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of an array in an .npz, without reading it.

    Raises:
        ObjectsError: It needs pickle.
        ValueError: It has more or fewer bytes than it needs.
    """
    member = archive.getinfo(f"{name}.npy")
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        shape, _, dtype = read[version](file)
        held = member.file_size - file.tell()
    if dtype.hasobject:
        raise ObjectsError(f"{name} holds Python objects, which are not read")
    if math.prod(shape) * dtype.itemsize != held:
        raise ValueError(f"{name} is said to be {shape} {dtype}, and has {held} bytes")
    return shape, dtype


def read_member(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """An array in an .npz, which must have as many bytes as its shape says."""
    member_header(archive, name)
    with archive.open(f"{name}.npy") as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def anything(name: str, value: Any) -> Any:
    """A check that lets everything through."""
    return value


def record(fields: Mapping[str, Check], others: Check = anything) -> Check:
    """A check of an object with these fields, which may have others.

    Args:
        fields: A check each.
        others: Check of the other fields.
    """

    def check(name, value):
        if not isinstance(value, dict):
            raise _wrong(name, f"an object with {', '.join(fields)}", value)
        if missing := [field for field in fields if field not in value]:
            raise ValueError(f"{name} lacks {', '.join(missing)}")
        suffix = "" if name == _WHOLE else f" of {name}"
        return {
            field: fields.get(field, others)(f"`{field}`{suffix}", content)
            for field, content in value.items()
        }

    return check


def rows(row: Check, least: int = 0) -> Check:
    """A check of a list of at least `least` values, each under `row`."""

    def check(name, value):
        if not isinstance(value, list) or len(value) < least:
            raise _wrong(name, f"a list of {least} or more", value)
        return [row(f"row {index + 1}", item) for index, item in enumerate(value)]

    return check


def number(
    least: float = -math.inf, most: float = math.inf, *, whole: bool = False, infinite: bool = False
) -> Check:
    """A check of a number in a range; `infinite` lets infinity through as well."""

    def check(name, value):
        kind = int if whole else int | float
        sound = isinstance(value, kind) and not isinstance(value, bool) and least <= value <= most
        # A whole number of JSON has no bound, and may be none that a float can be.
        beyond = sound and abs(value) > sys.float_info.max
        if not sound or (beyond and not (infinite and isinstance(value, float))):
            what = "a whole number" if whole else "a number"
            bounds = "" if least == -math.inf else f" of at least {least}"
            bounds = bounds if most == math.inf else f" from {least} to {most}"
            raise _wrong(name, what + bounds, value)
        return value

    return check


def optional(check: Check) -> Check:
    """A check that lets None through as well."""
    return lambda name, value: None if value is None else check(name, value)


def text(name: str, value: Any) -> str:
    """A check of text."""
    if not isinstance(value, str):
        raise _wrong(name, "text", value)
    return value


def _constant(name):
    if name == "NaN":
        raise ValueError("NaN in it")
    return float(name.replace("Infinity", "inf"))


def _wrong(name, must, value):
    return ValueError(f"{name} must be {must}, not {reprlib.repr(value)}")


def damage(path: str | os.PathLike, holds: str, problem: Exception, way_out: str) -> str:
    """The message about a damaged file; arguments as in `read_json`."""
    reason = f"{problem}" or type(problem).__name__
    return f"{path} is damaged ({reason}): it must hold {holds}. {way_out}".rstrip()


def _checked_arrays(arrays):
    if not arrays:
        raise ValueError("no array in it")
    for name, value in arrays.items():
        if value.dtype.kind not in "fiubc":
            raise _wrong(name, "numbers", value)
        if value.dtype.kind in "fc" and np.isnan(value).any():
            raise ValueError(f"NaN in {name}")
    return arrays
