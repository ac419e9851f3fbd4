"""A view of a sub-environment: its image, the traces of its signals, and its drive."""

from collections.abc import Mapping, Sequence

import numpy as np
from gymnasium import logger

from aru_keras._util.arguments import one_of, whole
from aru_keras.envs.rendering._checks import (
    checked_indices,
    checked_range,
    checked_shape,
    checked_signal,
)
from aru_keras.envs.rendering._traces import PixelRow, Row
from aru_keras.envs.rendering._window import DPI, Window
from aru_keras.plots import LABELS, unit_style

UNREAD = "#AFC3D6"
CURSOR = "#F0E442"
LEGEND_ENTRIES = 16

# Pixels of the frame; sides that 16 divides suit every video codec.
WIDTH, ROW_HEIGHT, TOP, BOTTOM = 768, 112, 40, 56
IMAGE_SIDE, IMAGE_LEFT, ROWS_LEFT, RIGHT = 196, 24, 322, 12


class ReadingView:
    """A picture of a sequence environment that follows its episode.

    The image read so far is on the left, with the unread pixels in pale blue and the current pixel
    outlined. On the right are, over the steps 0…T − 1, the pixel x_t, the signals n_t, s_t and h_t
    of a few units (Geadah et al. 2024, Fig 1), and the drive ξ_t. The limits of an axis can only
    become wider within an episode. All frames of a view have the same size, with even sides.

    Args:
        image_shape: The height and width of the image, (H, W).
        timesteps: The number of steps T.
        pixel_indices: The row-major indices of the pixels shown at each step, (T,).
        signals: The signals to draw, of "n", "s" and "h", each in a row, in this order.
        units: The indices of the units whose signals are drawn, each in a colour.
        title: The title over the image.
        pixel_range: The pixel values that are drawn black and white.
        human: Whether `display` shows the frames in a window.

    Raises:
        ValueError: If a shape, an index, a signal or the range does not fit.
    """

    step_label = "step t (pixels read)"

    def __init__(
        self,
        image_shape: Sequence[int],
        timesteps: int,
        pixel_indices: Sequence[int] | np.ndarray,
        *,
        signals: Sequence[str] = (),
        units: Sequence[int] = (),
        title: str = "",
        pixel_range: tuple[float, float] = (0.0, 1.0),
        human: bool = False,
    ):
        self.timesteps = whole("timesteps", timesteps, 1)
        self.image_shape = checked_shape(image_shape)
        self.pixel_indices = checked_indices(pixel_indices, self.timesteps, self.image_shape)
        self.signals = tuple(one_of("signals", name, LABELS) for name in signals)
        self.units = tuple(whole("units", unit, 0) for unit in units)
        if self.signals and not self.units:
            raise ValueError(f"`units` must name the units of `signals`. Received: {units!r}.")
        self.pixel_range = checked_range(pixel_range)
        self.human = human
        self._window: Window | None = None
        self._warned = False
        self._lay_out()
        self.restart(title)

    def restart(self, title: str | None = None) -> None:
        """Begin a new episode, with unread pixels, without traces, and with the first limits.

        Args:
            title: The new title; None to keep the title.
        """
        if title is not None:
            self._title.set_text(title)
        self._last = -1
        self._pixels[:] = _rgba(UNREAD)
        for row in self._rows.values():
            row.clear()
        for artist in self._overlays:
            artist.set_visible(False)
        self._background, self._fresh = None, False

    def show(
        self,
        t: int,
        pixel: float | np.ndarray,
        drive: float | np.ndarray = 0.0,
        signals: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Add a step.

        Args:
            t: The step, which must be above that of the previous call.
            pixel: The value x_t of the pixel.
            drive: The drive ξ_t in force, a number or (N,), of which the mean is drawn.
            signals: The values of `units`, (len(units),), by signal. A missing signal leaves a
                gap, and a signal that the view does not draw is ignored.

        Raises:
            ValueError: If t is outside 0…T − 1 or does not rise, or a signal has another length.
        """
        t = self._checked_step(t)
        values = {"pixel": self._values_of(pixel), "drive": [np.mean(drive)]}
        for name in self.signals:
            values[name] = checked_signal(name, (signals or {}).get(name), self.units)
        self._last = t
        for name, row in self._rows.items():
            if row.record(t, values[name]):
                self._background = None
        self._read(t, values["pixel"][0])
        self._fresh = False

    def rgb(self) -> np.ndarray:
        """A copy of the current picture, (H, W, 3) uint8."""
        self._draw()
        return np.take(self.figure.canvas.buffer_rgba(), (0, 1, 2), axis=-1)

    def display(self) -> None:
        """Show the frame in a window if the view is `human`; without a display, warn once."""
        if not self.human or self._warned:
            return
        frame = self.rgb()
        try:
            self._window = self._window or Window(WIDTH, self._height)
            self._window.show(frame)
        except Exception as error:  # Every toolkit has errors of its own; the episode continues.
            self._warned = True
            logger.warn(
                f"No window can be shown ({error}); the episode continues without it. Use "
                "render_mode='rgb_array' for frames, or a display and a toolkit such as Tk."
            )

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._window is not None:
            self._window.close()
            self._window = None

    def _lay_out(self):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        names = ("pixel", *self.signals, "drive")
        self._height = TOP + ROW_HEIGHT * len(names) + BOTTOM
        self.figure = Figure(figsize=(WIDTH / DPI, self._height / DPI), dpi=DPI)
        FigureCanvasAgg(self.figure)
        self._title = self.figure.text(
            IMAGE_LEFT / WIDTH, 1 - 14 / self._height, "", fontsize=10, va="center"
        )
        self._lay_out_image()
        self._rows = {name: self._row(name, index) for index, name in enumerate(names)}
        self._rows["drive"].axes.tick_params(labelbottom=True)
        self._rows["drive"].axes.set_xlabel(self.step_label)
        self._lay_out_legend()
        heads = [row.head for row in self._rows.values()]
        self._overlays = [self._cursor, self._caption, *heads]

    def _axes(self, left, top, width, height):
        """Axes at a position in whole pixels from the upper left corner."""
        box = (left, self._height - top - height, width, height)
        scale = (WIDTH, self._height, WIDTH, self._height)
        return self.figure.add_axes([a / b for a, b in zip(box, scale, strict=True)])

    def _lay_out_image(self):
        height, width = (side * _magnification(self.image_shape) for side in self.image_shape)
        axes = self._axes(IMAGE_LEFT + round((IMAGE_SIDE - width) / 2), TOP, width, height)
        self._lay_out_pixels(axes, TOP + height)

    def _lay_out_pixels(self, axes, bottom):
        """The image, its cursor, and the caption below it."""
        from matplotlib.patches import Rectangle
        from matplotlib.patheffects import withStroke

        axes.set_axis_off()
        self._pixels = np.empty((*self.image_shape, 4), "uint8")
        self._image = axes.imshow(
            self._pixels, interpolation="nearest", aspect="auto", animated=True
        )
        self._cursor = Rectangle((0, 0), 1, 1, fill=False, ec=CURSOR, lw=1.5, animated=True)
        self._cursor.set_path_effects([withStroke(linewidth=3.5, foreground="black")])
        self._cursor.set_clip_on(False)
        axes.add_patch(self._cursor)
        below = self._height - bottom - 16
        self._caption = self.figure.text(
            IMAGE_LEFT / WIDTH, below / self._height, "", fontsize=9, va="center", animated=True
        )

    def _legend_entries(self):
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch

        entries = [Patch(fc=UNREAD, label="not yet read")]
        for index, unit in enumerate(self.units if self.signals else ()):
            entries.append(Line2D([], [], **unit_style(index), label=f"unit {unit}"))
        return entries

    def _top_of_legend(self):
        return TOP + self.image_shape[0] * _magnification(self.image_shape) + 28

    def _lay_out_legend(self):
        from matplotlib.patches import Patch

        entries = self._legend_entries()
        more = len(entries) - LEGEND_ENTRIES
        if more > 0:
            entries[LEGEND_ENTRIES:] = [Patch(alpha=0, label=f"+ {more} more")]
        self.figure.legend(
            handles=entries,
            loc="upper left",
            bbox_to_anchor=((IMAGE_LEFT - 4) / WIDTH, 1 - self._top_of_legend() / self._height),
            ncols=1 if len(entries) < 6 else 2,
            frameon=False,
            fontsize=9,
            borderpad=0,
            handlelength=1.4,
            handletextpad=0.6,
            columnspacing=0.8,
        )

    def _row_axes(self, index):
        top = TOP + ROW_HEIGHT * index
        return self._axes(ROWS_LEFT, top, WIDTH - ROWS_LEFT - RIGHT, ROW_HEIGHT - 16)

    def _row(self, name, index):
        axes = self._row_axes(index)
        if name == "pixel":
            return PixelRow(axes, "pixel $x_t$", self.timesteps, self.pixel_range)
        if name == "drive":
            style = {"color": "0.25", "drawstyle": "steps-mid"}
            return Row(axes, "drive $\\xi_t$", self.timesteps, [style], limits=(0.0, 1.0))
        styles = [unit_style(index) for index in range(len(self.units))]
        return Row(axes, LABELS[name], self.timesteps, styles)

    def _read(self, t, value):
        (low, high), (y, x) = self.pixel_range, self._position(t)
        grey = np.nan_to_num(np.clip((value - low) / (high - low), 0, 1))
        self._mark(t, grey, f"t = {t}: pixel ({y}, {x})")

    def _position(self, t):
        return divmod(int(self.pixel_indices[t]), self.image_shape[1])

    def _values_of(self, pixel):
        return [np.asarray(pixel, "float64").item()]

    def _mark(self, t, grey, caption):
        """Colour the pixel of step t, and move the cursor to it."""
        y, x = self._position(t)
        self._pixels[y, x, :3] = round(255 * grey)
        self._cursor.set_xy((x - 0.5, y - 0.5))
        self._caption.set_text(caption)
        for artist in self._overlays:
            artist.set_visible(True)

    def _draw(self):
        """Update the canvas by drawing the artists that change over the stored background."""
        if self._fresh:
            return
        canvas = self.figure.canvas
        if self._background is None:
            canvas.draw()
            self._background = canvas.copy_from_bbox(self.figure.bbox)
        canvas.restore_region(self._background)
        self._image.set_data(self._pixels)
        for artist in (self._image, self._cursor, self._caption):
            self.figure.draw_artist(artist)
        for row in self._rows.values():
            row.draw()
        self._fresh = True

    def _checked_step(self, t):
        t = whole("t", t, 0)
        if not self._last < t < self.timesteps:
            raise ValueError(
                f"`t` must increase from call to call and stay below T = {self.timesteps}. "
                f"Received: {t} after {self._last}. `restart` begins a new episode."
            )
        return t


def _rgba(colour):
    from matplotlib.colors import to_rgba_array

    return np.round(255 * to_rgba_array(colour)[0]).astype("uint8")


def _magnification(image_shape):
    """The whole number of pixels in the frame for a pixel of the image."""
    return max(IMAGE_SIDE // max(image_shape), 1)
