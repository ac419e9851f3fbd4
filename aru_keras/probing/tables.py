"""Recordings as tables in long form, with a row for each sequence, step and unit."""

from collections.abc import Sequence
from typing import Any

from aru_keras._util.arguments import named, shown
from aru_keras._util.extras import import_xarray
from aru_keras.probing._datasets import SEQUENCE, STEP, UNIT, VARIABLES

DIMENSIONS = tuple(dict.fromkeys(name for dims in VARIABLES.values() for name in dims))
"""The names of the dimensions, in the order in which a table has them."""

_FEWEST = {
    **dict.fromkeys(("index", "label"), (SEQUENCE,)),
    **dict.fromkeys(("time", "pixel_index", "contrast"), (STEP,)),
    **dict.fromkeys(("mask", "drive"), (SEQUENCE, STEP)),
}
"""The dimensions that a coordinate has in any case."""

_TIME_UNIT = "time_unit"


def to_table(dataset: Any, variables: str | Sequence[str] | None = None) -> Any:
    """A recording as a `pandas.DataFrame` in long form.

    Args:
        dataset: An `xarray.Dataset` of `record_dataset`, `record_task`, `Reading.to_dataset` or
            `envs.Recorder`.
        variables: The variables, which must have the same dimensions; None for all over sequence,
            step and unit. "x", "y" and "g" are asked for by name.

    Returns:
        A table with a column for each dimension, coordinate and variable, a row for each entry, and
        the attributes of the recording in `attrs`. `table[table["mask"]]` leaves out where a
        sequence has ended.

    Raises:
        ValueError: If it is no such recording, the variables have different dimensions, or a step
            is there twice.
    """
    xarray = import_xarray()
    if not isinstance(dataset, xarray.Dataset) or not {SEQUENCE, STEP} <= set(dataset.sizes):
        raise ValueError(
            "`dataset` must be a recording, as record_task and envs.Recorder give it. Received: "
            f"{shown(dataset)}."
        )
    if variables is None:
        variables = [name for name in dataset if set(dataset[name].dims) == {SEQUENCE, STEP, UNIT}]
    names = named("variables", variables, [str(name) for name in dataset])
    if len({dataset[name].dims for name in names}) != 1:
        raise ValueError(
            "`variables` must have the same dimensions, which are the rows of the table. Received: "
            f"{ {name: dataset[name].dims for name in names} }."
        )
    order = [name for name in DIMENSIONS if name in dataset[names[0]].dims]
    _check_different(dataset, order)
    table = dataset[names].to_dataframe(dim_order=order).reset_index()
    table.attrs = dict(dataset.attrs)
    if "units" in getattr(dataset.get("time"), "attrs", {}):
        table.attrs[_TIME_UNIT] = dataset["time"].attrs["units"]
    return table


def from_table(table: Any) -> Any:
    """The recording that `to_table` turned into a table, as an `xarray.Dataset`.

    Rows that were left out become NaN, and False in `mask`. Steps, names and other values along a
    dimension have the order in which the table has them.

    Args:
        table: The table. One that was read from a file has no attributes.

    Raises:
        ValueError: If columns are missing, or a row is there twice.
    """
    import_xarray()
    columns = getattr(table, "columns", ())
    dimensions = [name for name in DIMENSIONS if name in columns]
    if not {SEQUENCE, STEP} <= set(dimensions) or table.duplicated(dimensions).any():
        raise ValueError(
            "`table` must be one of `to_table`: with the columns sequence and step, and a row for "
            f"each entry. Received: {shown(list(columns) or table)}."
        )
    variables = [name for name in columns if name in VARIABLES]
    order = {name: _in_order(table, name, dimensions) for name in dimensions}
    dataset = table.set_index(dimensions)[variables].to_xarray().reindex(order)
    others = [name for name in columns if name not in (*dimensions, *variables)]
    coordinates = {name: _coordinate(table, name, order) for name in others}
    dataset = dataset.assign_coords(coordinates)
    dataset.attrs = {key: value for key, value in table.attrs.items() if key != _TIME_UNIT}
    if _TIME_UNIT in table.attrs:
        dataset["time"].attrs["units"] = table.attrs[_TIME_UNIT]
    return dataset


def _check_different(dataset, dimensions):
    """Refuse a recording that has a value along a dimension twice, as of a repeated step."""
    for name in dimensions:
        index = dataset.get_index(name)
        if not index.is_unique:
            raise ValueError(
                f"`dataset` must have every {name} once, for a table tells its rows apart by it. "
                f"Received: {name} {index[index.duplicated()][0]} more than once. Record it once."
            )


def _in_order(table, name, dimensions):
    """The values along a dimension as the table orders them; numbers that it mixes, ascending."""
    found = table[name].drop_duplicates()
    if found.dtype.kind not in "iuf":
        return found.to_numpy()
    others = [other for other in dimensions if other != name]
    changes = table.groupby(others, sort=False)[name].diff()
    if (changes > 0).any() and (changes < 0).any():
        ranks = {value: rank for rank, value in enumerate(found)}
        ranked = table.assign(**{name: table[name].map(ranks)})
        if not (ranked.groupby(others, sort=False)[name].diff() < 0).any():
            return found.to_numpy()
    # Where rows were left out, the first sequence need not have all steps, nor in one piece.
    descending = (changes < 0).any() and not (changes > 0).any()
    return found.sort_values(ascending=not descending).to_numpy()


def _coordinate(table, name, order):
    """A column as a coordinate, without the dimensions along which it stays the same."""
    dimensions, along = tuple(order), list(order)
    for dimension in set(dimensions) - set(_FEWEST.get(name, dimensions)):
        fewer = [other for other in along if other != dimension]
        if (table.groupby(fewer)[name].nunique(dropna=False) <= 1).all():
            along = fewer
    values = table.groupby(along)[name].first().to_xarray()
    return _as_before(values.reindex({key: order[key] for key in along}), table[name].dtype)


def _as_before(values, dtype):
    """A coordinate in the type of its column, with False or −1 where rows were left out."""
    if dtype.kind in "biu" and values.dtype != dtype:
        values = values.fillna(False if dtype.kind == "b" else -1)
    return values.astype(dtype)
