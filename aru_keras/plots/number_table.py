"""The numbers behind a figure, read from what it draws, so that the two cannot differ."""

import csv
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from aru_keras._util.deprecated import renamed
from aru_keras._util.files import replacing

NUMBER_COLUMNS = ("panel", "over", "quantity", "series", "x", "y", "low", "high", "value")
"""Of the table: where a number is drawn; labels of the x and y axes; the line, points, bars or band
that it belongs to; x and y; the ends of an interval; the colour's value in a map."""

_NO_NAME = re.compile(r"_child\d+|_container\d+|")
_NO_NUMBERS = "_nolegend_"  # The label of what is drawn a second time, such as a white rim.


def numbers(drawn: Any) -> list[dict]:
    """What a figure of this package draws, one point, bar or field of a map a row.

    Args:
        drawn: A matplotlib `Figure`.

    Returns:
        Rows with the keys `NUMBER_COLUMNS`; those that a row does not need are absent.
    """
    rows = []
    panels = [axes for axes in drawn.axes if axes.get_label() != "<colorbar>"]
    for index, axes in enumerate(panels):
        marks = list(_drawn_in(axes))
        letter = _shared(axes, lambda panel: panel.get_title(loc="left"), "rowspan")
        title = _shared(axes, lambda panel: panel.get_title(), "colspan")
        labels = {
            "panel": " ".join([letter, title]).strip() or str(index + 1),
            "over": _shared(axes, lambda panel: panel.get_xlabel(), "colspan"),
            "quantity": _shared(axes, lambda panel: panel.get_ylabel(), "rowspan"),
        }
        rows += [{**labels, **_with_names(axes, row)} for row in marks]
    return rows


def save_numbers(drawn: Any, path: str | os.PathLike) -> Path:
    """Write the numbers behind a figure as a table, CSV, whole or not at all.

    Args:
        drawn: A matplotlib `Figure`.
        path: Where to, without a suffix.

    Returns:
        The file.
    """
    file = Path(f"{path}.csv")
    with replacing(file) as temporary, open(temporary, "w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, NUMBER_COLUMNS)
        writer.writeheader()
        writer.writerows(
            {name: _text(value) for name, value in row.items()} for row in numbers(drawn)
        )
    return file


def _text(value):
    if isinstance(value, str):
        return " ".join(value.split())
    return f"{value:.10g}" if np.isfinite(value) else ""


def _shared(axes, read, along):
    """A text of the panel, or of the one in its row or column that says it for all of them."""
    spec = axes.get_subplotspec()
    if read(axes) or spec is None:
        return read(axes)
    for other in axes.figure.axes:
        its = other.get_subplotspec()
        beside = its is not None and its.get_gridspec() is spec.get_gridspec()
        if beside and getattr(its, along) == getattr(spec, along) and read(other):
            return read(other)
    return ""


def _with_names(axes, row):
    """Places that are named on the axis, such as tasks, by their names."""
    for key, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
        names = _names(axis)
        if key in row and names:
            row[key] = names[min(names, key=lambda position: abs(position - row[key]))]
    return row


def _names(axis):
    from matplotlib.ticker import FixedLocator, FuncFormatter

    locator, formatter = axis.get_major_locator(), axis.get_major_formatter()
    if not (isinstance(locator, FixedLocator) and isinstance(formatter, FuncFormatter)):
        return {}
    return {position: formatter(position) for position in locator.locs}


def _drawn_in(axes):
    """Rows of everything in a panel that holds numbers."""
    from matplotlib.container import BarContainer, ErrorbarContainer

    inside = set()
    for container in axes.containers:
        if isinstance(container, ErrorbarContainer):
            line, caps, _ = container.lines
            inside |= {line, *caps}
            yield from _estimates(container)
        elif isinstance(container, BarContainer):
            yield from _bars(container)
    for line in axes.get_lines():
        if line not in inside and line.get_label() != _NO_NUMBERS:
            yield from _points(axes, line)
    for patch in axes.patches:
        if hasattr(patch, "get_data"):  # Of `stairs`.
            values, edges, _ = patch.get_data()
            yield from _rows(patch, x=(edges[1:] + edges[:-1]) / 2, y=values)
    for collection in axes.collections:
        yield from _collection(collection)
    for image in axes.get_images():
        yield from _fields(image, np.ma.filled(image.get_array(), np.nan))


def _rows(artist, **columns):
    label = artist.get_label()
    series = "" if _NO_NAME.fullmatch(label) else label.removeprefix("_")
    for values in zip(*columns.values(), strict=True):
        yield {"series": series, **dict(zip(columns, values, strict=True))}


def _points(axes, line):
    """Points of a line; of one that crosses the whole panel, the place at which it does."""
    x, y = (np.asarray(values, "float64") for values in line.get_data())
    if line.get_transform() == axes.get_xaxis_transform():
        yield from _rows(line, x=np.unique(x))
    elif line.get_transform() == axes.get_yaxis_transform():
        yield from _rows(line, y=np.unique(y))
    else:
        yield from _rows(line, x=x, y=y)


def _estimates(container):
    line, _, bars = container.lines
    columns = dict(zip("xy", line.get_data(), strict=True))
    if bars:
        ends = np.array([segment[:, 1] for segment in bars[0].get_segments()])
        columns |= {"low": ends[:, 0], "high": ends[:, 1]}
    yield from _rows(container, **columns)


def _bars(container):
    x = [bar.get_x() + bar.get_width() / 2 for bar in container.patches]
    yield from _rows(container, x=x, y=[bar.get_height() for bar in container.patches])


def _collection(collection):
    from matplotlib.collections import PathCollection, PolyCollection, QuadMesh
    from matplotlib.contour import ContourSet

    if isinstance(collection, PathCollection):
        x, y = collection.get_offsets().T
        yield from _rows(collection, x=x, y=y)
    elif isinstance(collection, QuadMesh):
        yield from _mesh(collection)
    elif isinstance(collection, PolyCollection):
        yield from _band(collection)
    elif isinstance(collection, ContourSet) and not collection.filled:
        for line in (line for level in collection.allsegs for line in level):
            yield from _rows(collection, x=line[:, 0], y=line[:, 1])


def _band(collection):
    for path in collection.get_paths():
        places, index = np.unique(path.vertices[:, 0], return_inverse=True)
        low, high = np.full(len(places), np.inf), np.full(len(places), -np.inf)
        np.minimum.at(low, index, path.vertices[:, 1])
        np.maximum.at(high, index, path.vertices[:, 1])
        yield from _rows(collection, x=places, low=low, high=high)


def _mesh(mesh):
    corners = mesh.get_coordinates()
    centres = (corners[1:, 1:] + corners[:-1, :-1]) / 2
    values = np.ma.filled(mesh.get_array(), np.nan).reshape(centres.shape[:2])
    yield from _rows(mesh, x=centres[..., 0].flat, y=centres[..., 1].flat, value=values.flat)


def _fields(image, values):
    if values.ndim == 2:
        y, x = np.indices(values.shape)
        yield from _rows(image, x=x.flat, y=y.flat, value=values.flat)


__getattr__ = renamed(__name__, {"COLUMNS": "NUMBER_COLUMNS"})
