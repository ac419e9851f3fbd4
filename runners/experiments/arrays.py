"""Conversion of results of analyses to named arrays, as saved in files, and back.

The fields of a dataclass give the names of the arrays. Example::

    arrays = to_arrays(propagation, without=("gradient",))  # contributions and detached
    propagation = from_arrays(Propagation, arrays)  # The gradient is its default, None.
    arrays = to_arrays(scaling.runs, "units_")  # units_n, units_s, …, stacked over the runs
    runs = from_arrays(tuple[Settled, ...], arrays, "units_")
"""

import dataclasses
import types
import typing
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np


def to_arrays(
    result: Any,
    prefix: str = "",
    *,
    names: Mapping[str, str] | None = None,
    without: Collection[str] = (),
) -> dict[str, np.ndarray]:
    """The fields of a result as arrays by name.

    If a field is itself a result, or a sequence of results, the arrays of its own fields are given;
    their names begin with the name of the field and an underscore. Fields that are None are left
    out.

    Args:
        result: Dataclass, or sequence of dataclasses of one kind, whose fields are stacked.
        prefix: Beginning of every name.
        names: Names of the arrays of some fields, by field; the others have the name of the field.
        without: Fields to leave out.
    """
    if not dataclasses.is_dataclass(result):
        every = [to_arrays(item, prefix, names=names, without=without) for item in result]
        return {name: np.stack([item[name] for item in every]) for name in every[0]}
    arrays: dict[str, np.ndarray] = {}
    for field in dataclasses.fields(result):
        value = getattr(result, field.name)
        if field.name in without or value is None:
            continue
        name = _name(field, prefix, names)
        if _is_result(value):
            arrays |= to_arrays(value, f"{name}_")
        else:
            arrays[name] = np.asarray(value)
    return arrays


def from_arrays(
    kind: Any,
    arrays: Mapping[str, np.ndarray],
    prefix: str = "",
    *,
    names: Mapping[str, str] | None = None,
    **given: Any,
) -> Any:
    """The result from whose fields `to_arrays` made arrays.

    Args:
        kind: Dataclass, or `tuple[Kind, ...]` of a dataclass.
        arrays: Arrays by name; further arrays are ignored.
        prefix: Beginning of every name.
        names: Names of the arrays of some fields, by field.
        **given: Values of fields that the arrays do not contain. A field that is neither in the
            arrays nor given has its default.

    Raises:
        KeyError: A field is neither in the arrays nor given, and has no default.
    """
    if item := _item(kind):
        return _many(item, arrays, prefix, names, given)
    hints, values = typing.get_type_hints(kind), dict(given)
    for field in dataclasses.fields(kind):
        name, hint = _name(field, prefix, names), hints[field.name]
        if field.name in given or (field.default is None and name not in arrays):
            continue
        if _is_nested(hint):
            values[field.name] = from_arrays(hint, arrays, f"{name}_")
        else:
            values[field.name] = _value(hint, arrays[name])
    return kind(**values)


def _many(kind, arrays, prefix, names, given):
    """A tuple of results of one kind, from arrays of their stacked fields."""
    stacked = {}
    for field in dataclasses.fields(kind):
        name = _name(field, prefix, names)
        nested = _is_nested(typing.get_type_hints(kind)[field.name])
        stacked |= {
            key: array
            for key, array in arrays.items()
            if field.name not in given and (key == name or (nested and key.startswith(f"{name}_")))
        }
    return tuple(
        from_arrays(kind, dict(zip(stacked, row, strict=True)), prefix, names=names, **given)
        for row in zip(*stacked.values(), strict=True)
    )


def _name(field, prefix, names):
    return prefix + (names or {}).get(field.name, field.name)


def _is_result(value):
    if isinstance(value, Sequence) and not isinstance(value, str):
        return bool(value) and all(map(dataclasses.is_dataclass, value))
    return dataclasses.is_dataclass(value)


def _is_nested(hint):
    return dataclasses.is_dataclass(hint) or _item(hint) is not None


def _item(hint):
    """The dataclass of the items if the type is a sequence of dataclasses, or None."""
    if typing.get_origin(hint) not in (tuple, list, Sequence):
        return None
    item = typing.get_args(hint)[0]
    return item if dataclasses.is_dataclass(item) else None


def _value(hint, array):
    """An array converted to the type of a field: an array, a number, a text or a tuple."""
    array = np.asarray(array)
    if isinstance(hint, types.UnionType):
        (hint,) = [option for option in typing.get_args(hint) if option is not types.NoneType]
    if hint in (float, int, bool, str):
        return hint(array)
    return tuple(array.tolist()) if typing.get_origin(hint) is tuple else array
