"""The image that is read, with its cursor, and a canvas to draw another one by hand."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import panel as pn
from bokeh.models import ColumnDataSource, FreehandDrawTool

from aru_keras.runners.live.charts import LABEL_COLOUR, chart
from aru_keras.runners.live.session import NO_LABEL, Session

MOST_STROKES, MOST_POINTS = 20, 5000
"""The largest number of strokes of a drawing, and of points that are read of it."""

_THINNEST, _THINNER = 0.5, 24
"""The half width of a stroke in pixels: at least the first, and the height through the second."""


class ImageView:
    """The image of an episode.

    Args:
        image_shape: The shape (H, W) of the images.
        drawn: Function that is called with an image (H, W) after each stroke of a drawing.
    """

    def __init__(self, image_shape: tuple[int, ...], drawn: Callable[[np.ndarray], None]):
        self._shape, self._drawn = image_shape, drawn
        height, width = image_shape
        ranges = {"x_range": (-0.5, width - 0.5), "y_range": (-0.5, height - 0.5)}
        self.chart = made = chart("image", "", "", 250, **ranges)
        made.axis.visible = made.grid.visible = False
        self._whole, self._read = (
            ColumnDataSource({"image": [np.zeros(image_shape, "float32")]}) for _ in range(2)
        )
        self._cursor = ColumnDataSource({"x": [], "y": []})
        self._strokes = ColumnDataSource({"xs": [], "ys": []})
        for source, alpha in ((self._whole, 0.25), (self._read, 1.0)):
            drawn_image = made.image(
                "image", -0.5, -0.5, width, height, source=source, palette="Greys256", alpha=alpha
            )
            mapper = drawn_image.glyph.color_mapper
            mapper.palette = mapper.palette[::-1]  # Of "Greys256" the first colour is black.
            mapper.low, mapper.high, mapper.nan_color = 0, 1, "rgba(0, 0, 0, 0)"
        look: dict[str, Any] = {"fill_color": None, "line_color": LABEL_COLOUR, "line_width": 3}
        made.rect("x", "y", 1, 1, source=self._cursor, **look)
        line: dict[str, Any] = {"line_color": LABEL_COLOUR, "line_width": 4, "line_alpha": 0.5}
        strokes = made.multi_line("xs", "ys", source=self._strokes, **line)
        self._pen = FreehandDrawTool(renderers=[strokes], num_objects=MOST_STROKES)
        self._strokes.on_change("data", self._stroke)
        # A tool that is taken away and added again is an error in the browser now and then.
        made.add_tools(self._pen)
        made.toolbar.active_drag = None
        self.panel = pn.pane.Bokeh(made)

    def draw_by_hand(self, on: bool) -> None:
        """Let the person draw, on an empty canvas, or no more."""
        self._strokes.data = {"xs": [], "ys": []}
        self.chart.toolbar.active_drag = self._pen if on else None

    def restart(self, session: Session) -> None:
        """Show another image."""
        self._whole.data = {"image": [np.flipud(session.image)]}
        self.chart.title.text = _title(session)
        self.advance(session)

    def advance(self, session: Session) -> None:
        """Show the image as far as it was read, and where the cursor is."""
        self._read.data = {"image": [np.flipud(session.image_read)]}
        if not session.t:
            self._cursor.data = {"x": [], "y": []}
            return
        row, column = divmod(session.task.pixel_index(session.t - 1), self._shape[1])
        self._cursor.data = {"x": [column], "y": [self._shape[0] - 1 - row]}

    def _stroke(self, attribute, old, new):
        if len(new["xs"]):
            self._drawn(raster(new["xs"], new["ys"], self._shape))


def _title(session):
    if not session.drawn:
        return f"{session.split}[{session.index}], label {session.label}"
    meant = "" if session.label == NO_LABEL else f", meant as {session.label}"
    return f"drawn by hand{meant}"


def raster(xs: Sequence[Any], ys: Sequence[Any], shape: tuple[int, ...]) -> np.ndarray:
    """The image (H, W), from 0 to 1, of strokes on a canvas.

    Args:
        xs: The columns of the points of each stroke.
        ys: The heights of these points above the lowest row.
        shape: The shape (H, W) of the image.
    """
    height, width = shape
    half = max(_THINNEST, height / _THINNER)
    rows, columns = np.mgrid[:height, :width]
    cells = np.stack([columns.ravel(), (height - 1 - rows).ravel()], axis=1).astype("float64")
    nearest = np.full(len(cells), np.inf)
    left = MOST_POINTS
    for x, y in zip(xs, ys, strict=True):
        points = np.stack([np.asarray(x, "float64"), np.asarray(y, "float64")], axis=1)[:left]
        points = points[np.isfinite(points).all(axis=1)]
        left -= len(points)
        for start, end in itertools.pairwise(points):
            nearest = np.minimum(nearest, _distance(cells, start, end))
    return np.clip(half + 0.5 - nearest, 0, 1).reshape(shape).astype("float32")


def _distance(cells, start, end):
    """The distances of points (K, 2) from a line between two points."""
    along = end - start
    length = along @ along
    share = np.clip((cells - start) @ along / length, 0, 1) if length else np.zeros(len(cells))
    return np.hypot(*(cells - start - share[:, None] * along).T)
