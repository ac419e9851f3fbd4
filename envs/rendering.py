"""Pictures of an episode while it runs: the image read so far, the units' signals, the drive."""

from collections.abc import Mapping, Sequence

import numpy as np
from gymnasium import logger

from aru_keras.arguments import one_of, whole
from aru_keras.envs.traces import PixelRow, Row
from aru_keras.envs.window import DPI, Window
from aru_keras.plots import LABELS, unit_style

UNREAD = "#AFC3D6"
CURSOR = "#F0E442"
LEGEND_ENTRIES = 16

# Pixels of the frame; sides that 16 divides suit every video codec.
WIDTH, ROW_HEIGHT, TOP, BOTTOM = 768, 112, 40, 56
IMAGE_SIDE, IMAGE_LEFT, ROWS_LEFT, RIGHT = 196, 24, 322, 12


class ReadingView:
    """One lane of a sequence environment in a picture that follows its episode.

    At the left the image read so far, the pixels still unread in pale blue and the pixel just
    read outlined; at the right, over the steps 0…T − 1, the pixel x_t, the signals n_t, s_t and
    h_t of a few units (Geadah et al. 2024, Fig 1), and the drive ξ_t. The limits of an axis only
    widen within an episode. All frames of a view have one size, with even sides.

    Args:
        image_shape: (H, W).
        timesteps: T.
        pixel_indices: (T,) row-major position in the image of the pixel shown at each step.
        signals: Which of "n", "s" and "h" to draw, a row each, in this order.
        units: Indices of the units whose signals are drawn, a colour each.
        title: Written over the image.
        pixel_range: Pixel values drawn black and white.
        human: Whether `display` shows the frames in a window.

    Raises:
        ValueError: If a shape, an index, a signal or the range does not fit.
    """

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
        self.image_shape = _checked_shape(image_shape)
        self.pixel_indices = _checked_indices(pixel_indices, self.timesteps, self.image_shape)
        self.signals = tuple(one_of("signals", name, LABELS) for name in signals)
        self.units = tuple(whole("units", unit, 0) for unit in units)
        if self.signals and not self.units:
            raise ValueError(f"`units` must name the units of `signals`. Received: {units!r}.")
        self.pixel_range = _checked_range(pixel_range)
        self.human = human
        self._window, self._warned = None, False
        self._lay_out()
        self.restart(title)

    def restart(self, title: str | None = None) -> None:
        """Begin a new episode: nothing read, no traces, limits as at first.

        Args:
            title: By default the title stays as it is.
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
        pixel: float,
        drive: float | np.ndarray = 0.0,
        signals: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Record one step.

        Args:
            t: The step; each call's is above that of the call before.
            pixel: The pixel's value x_t.
            drive: ξ_t in force, one value or (N,), of which the mean is drawn.
            signals: The values of `units`, (len(units),), by signal. A signal that is missing
                leaves a gap; one that the view does not draw is passed over.

        Raises:
            ValueError: If t is outside 0…T − 1 or does not rise, or a signal has another length.
        """
        t = self._checked_step(t)
        values = {"pixel": [np.asarray(pixel, "float64").item()], "drive": [np.mean(drive)]}
        for name in self.signals:
            values[name] = self._checked_signal(name, (signals or {}).get(name))
        self._last = t
        for name, row in self._rows.items():
            if row.record(t, values[name]):
                self._background = None
        self._read(t, values["pixel"][0])
        self._fresh = False

    def rgb(self) -> np.ndarray:
        """The picture of the state now, (H, W, 3) uint8, a copy."""
        self._draw()
        return np.take(self.figure.canvas.buffer_rgba(), (0, 1, 2), axis=-1)

    def display(self) -> None:
        """Show the frame in a window, where the view is `human`; without a display warn once."""
        if not self.human or self._warned:
            return
        frame = self.rgb()
        try:
            self._window = self._window or Window(WIDTH, self._height)
            self._window.show(frame)
        except Exception as error:  # Toolkits fail in ways of their own; the episode goes on.
            self._warned = True
            logger.warn(
                f"No window can be shown ({error}); the episode goes on unseen. Use "
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
        self._rows = {name: self._row(name, place) for place, name in enumerate(names)}
        self._rows["drive"].axes.tick_params(labelbottom=True)
        self._rows["drive"].axes.set_xlabel("step t (pixels read)")
        self._lay_out_legend()
        heads = [row.head for row in self._rows.values()]
        self._overlays = [self._cursor, self._caption, *heads]

    def _axes(self, left, top, width, height):
        """Axes at a place in whole pixels, from the upper left corner."""
        place = (left, self._height - top - height, width, height)
        scale = (WIDTH, self._height, WIDTH, self._height)
        return self.figure.add_axes([a / b for a, b in zip(place, scale, strict=True)])

    def _lay_out_image(self):
        from matplotlib.patches import Rectangle
        from matplotlib.patheffects import withStroke

        height, width = (side * _magnification(self.image_shape) for side in self.image_shape)
        axes = self._axes(IMAGE_LEFT + round((IMAGE_SIDE - width) / 2), TOP, width, height)
        axes.set_axis_off()
        self._pixels = np.empty((*self.image_shape, 4), "uint8")
        self._image = axes.imshow(
            self._pixels, interpolation="nearest", aspect="auto", animated=True
        )
        self._cursor = Rectangle((0, 0), 1, 1, fill=False, ec=CURSOR, lw=1.5, animated=True)
        self._cursor.set_path_effects([withStroke(linewidth=3.5, foreground="black")])
        self._cursor.set_clip_on(False)
        axes.add_patch(self._cursor)
        below = self._height - TOP - height - 16
        self._caption = self.figure.text(
            IMAGE_LEFT / WIDTH, below / self._height, "", fontsize=9, va="center", animated=True
        )

    def _lay_out_legend(self):
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch

        entries = [Patch(fc=UNREAD, label="not yet read")]
        for place, unit in enumerate(self.units if self.signals else ()):
            entries.append(Line2D([], [], **unit_style(place), label=f"unit {unit}"))
        more = len(entries) - LEGEND_ENTRIES
        if more > 0:
            entries[LEGEND_ENTRIES:] = [Patch(alpha=0, label=f"+ {more} more")]
        top = TOP + self.image_shape[0] * _magnification(self.image_shape) + 28
        self.figure.legend(
            handles=entries,
            loc="upper left",
            bbox_to_anchor=((IMAGE_LEFT - 4) / WIDTH, 1 - top / self._height),
            ncols=1 if len(entries) < 6 else 2,
            frameon=False,
            fontsize=9,
            borderpad=0,
            handlelength=1.4,
            handletextpad=0.6,
            columnspacing=0.8,
        )

    def _row(self, name, place):
        top = TOP + ROW_HEIGHT * place
        axes = self._axes(ROWS_LEFT, top, WIDTH - ROWS_LEFT - RIGHT, ROW_HEIGHT - 16)
        if name == "pixel":
            return PixelRow(axes, "pixel $x_t$", self.timesteps, self.pixel_range)
        if name == "drive":
            style = {"color": "0.25", "drawstyle": "steps-mid"}
            return Row(axes, "drive $\\xi_t$", self.timesteps, [style], limits=(0.0, 1.0))
        styles = [unit_style(place) for place in range(len(self.units))]
        return Row(axes, LABELS[name], self.timesteps, styles)

    def _read(self, t, value):
        """Colour the pixel of step t by its value and move the cursor there."""
        low, high = self.pixel_range
        y, x = divmod(int(self.pixel_indices[t]), self.image_shape[1])
        grey = np.nan_to_num(np.clip((value - low) / (high - low), 0, 1))
        self._pixels[y, x, :3] = round(255 * grey)
        self._cursor.set_xy((x - 0.5, y - 0.5))
        self._caption.set_text(f"t = {t}: pixel ({y}, {x})")
        for artist in self._overlays:
            artist.set_visible(True)

    def _draw(self):
        """Bring the canvas up to date: only what moves is drawn over the kept background."""
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
                f"`t` must rise from call to call and stay below T = {self.timesteps}. "
                f"Received: {t} after {self._last}. `restart` begins a new episode."
            )
        return t

    def _checked_signal(self, name, values):
        if values is None:
            return np.full(len(self.units), np.nan)
        values = np.asarray(values, "float64")
        if values.shape != (len(self.units),):
            raise ValueError(
                f"`signals[{name!r}]` must hold one value for each of the {len(self.units)} units "
                f"drawn, {self.units}. Received: shape {values.shape}."
            )
        return values


def _rgba(colour):
    from matplotlib.colors import to_rgba_array

    return np.round(255 * to_rgba_array(colour)[0]).astype("uint8")


def _magnification(image_shape):
    """Pixels of the frame for one of the image: whole, so that all are of one size."""
    return max(IMAGE_SIDE // max(image_shape), 1)


def _checked_shape(image_shape):
    if len(image_shape) != 2:
        raise ValueError(f"`image_shape` must be (H, W). Received: {image_shape!r}.")
    return tuple(whole("image_shape", side, 1) for side in image_shape)


def _checked_indices(pixel_indices, timesteps, image_shape):
    indices = np.array(pixel_indices)
    if indices.shape != (timesteps,) or not np.issubdtype(indices.dtype, np.integer):
        raise ValueError(
            f"`pixel_indices` must be T = {timesteps} whole numbers, one a step. "
            f"Received: shape {indices.shape}, {indices.dtype}. Use np.arange(T) for row by row."
        )
    size = image_shape[0] * image_shape[1]
    if indices.min() < 0 or indices.max() >= size:
        raise ValueError(
            f"`pixel_indices` must lie in 0…{size - 1}, the image being {image_shape}. "
            f"Received: {indices.min()}…{indices.max()}."
        )
    return indices


def _checked_range(pixel_range):
    low, high = map(float, pixel_range)
    if not -np.inf < low < high < np.inf:
        raise ValueError(f"`pixel_range` must be (black, white), rising. Received: {pixel_range}.")
    return low, high
