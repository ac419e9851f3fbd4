"""Bokeh charts of the page, in the colours of the figures."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, Range1d
from bokeh.plotting import figure

from aru_keras.plots.style import UNIT_COLOURS

SHOWN_UNITS = 4
"""The number of units whose traces are drawn."""

COLOURS = UNIT_COLOURS[:SHOWN_UNITS]
"""The colours of these units; all can be seen on white and on black."""

GREY, LABEL_COLOUR, DRIVE_COLOUR = "#888888", UNIT_COLOURS[1], "#999999"
PALETTE = "Viridis256"
"""The colours of probabilities and pixels, safe for the colour-blind."""

Signals = Mapping[str, np.ndarray]

_MARGIN = 0.15
"""How much wider than its values an axis is made, so that it is not made anew at each step."""


def chart(title: str, width_label: str, height_label: str, height: int, **options: Any) -> figure:
    """An empty chart that fills its width, without tools.

    Args:
        title: The title, which is also what a screen reader says.
        width_label: The label of the horizontal axis; "" for none.
        height_label: The label of the vertical axis.
        height: The height in pixels.
        **options: Options of `bokeh.plotting.figure`.
    """
    made = figure(
        title=title,
        height=height,
        sizing_mode="stretch_width",
        **{"tools": "", "toolbar_location": None, "min_width": 150, "name": title} | options,
    )
    made.xaxis.axis_label, made.yaxis.axis_label = width_label or None, height_label
    made.title.text_font_size = "12px"
    made.axis.axis_label_text_font_size = made.axis.major_label_text_font_size = "11px"
    made.axis.axis_label_standoff = 3
    made.yaxis.ticker.desired_num_ticks = 4
    made.grid.grid_line_alpha = 0.4
    return made


class Axis:
    """A range that grows to hold what is drawn, and never shrinks during an episode.

    Args:
        low: The lower end to begin with.
        high: The upper end to begin with.
    """

    def __init__(self, low: float, high: float):
        self._first = (low, high)
        self.range = Range1d(low, high)

    def reset(self) -> None:
        """Return to the ends of the beginning."""
        self.range.start, self.range.end = self._first

    def hold(self, values: np.ndarray) -> None:
        """Grow, if need be, to hold finite values."""
        values = values[np.isfinite(values)]
        if not values.size:
            return
        low, high = float(values.min()), float(values.max())
        margin = _MARGIN * (max(high, self.range.end) - min(low, self.range.start))
        if low < self.range.start:
            self.range.start = low - margin
        if high > self.range.end:
            self.range.end = high + margin


class Time:
    """The axis of the steps, which charts share. It shows the last steps of a long episode.

    Args:
        steps: The number of steps that are seen at once.
    """

    def __init__(self, steps: int):
        self.steps, self.range = steps, Range1d(-0.5, steps - 0.5)

    def first(self, t: int) -> int:
        """The first of t steps that is seen."""
        return max(0, t - self.steps)

    def hold(self, t: int) -> None:
        """Show the last of t steps."""
        start = self.first(t) - 0.5
        if start != self.range.start:
            self.range.update(start=start, end=start + self.steps)


class Lines:
    """Numbers over time, a line for each.

    Args:
        title: The title.
        label: The label of the vertical axis.
        names: The names of the numbers, of which as many are drawn as there are colours.
        time: The axis of the steps.
        height: The height in pixels.
        ends: The ends of the vertical axis to begin with.
        glyph: "line"; or "step" for numbers that jump.
    """

    def __init__(
        self,
        title: str,
        label: str,
        names: Sequence[str],
        time: Time,
        height: int,
        ends: tuple[float, float],
        glyph: str = "line",
    ):
        self._time, self._axis = time, Axis(*ends)
        self._count = min(len(names), len(UNIT_COLOURS))
        self._source = ColumnDataSource(self._rows(np.empty((0, len(names))), 0, 0))
        ranges = {"x_range": time.range, "y_range": self._axis.range}
        self.chart = made = chart(title, "", label, height, **ranges)
        for k, (name, colour) in enumerate(zip(names, UNIT_COLOURS, strict=False)):
            look = {"color": colour, "line_width": 1.5, "legend_label": name}
            look |= {"mode": "center"} if glyph == "step" else {}
            getattr(made, glyph)("t", f"x{k}", source=self._source, **look)
        legend_below(made)

    def draw(self, values: np.ndarray, t: int) -> None:
        """Draw t steps anew.

        Args:
            values: The numbers, (T, K).
            t: The number of steps.
        """
        self._axis.reset()
        self._source.data = self._rows(values, self._time.first(t), t)

    def add(self, values: np.ndarray, first: int, t: int) -> None:
        """Add the steps from `first` to t; the other arguments are those of `draw`."""
        self._source.stream(self._rows(values, first, t), self._time.steps)

    def _rows(self, values, first, t):
        values = values[first:t].astype("float64")
        self._axis.hold(values[:, : self._count])
        return {"t": np.arange(first, t), **{f"x{k}": values[:, k] for k in range(self._count)}}


def legend_below(made: Any) -> None:
    """Put the legend of a chart below it, where there is more than one line.

    Args:
        made: The chart.
    """
    legend = made.legend[0]
    legend.visible, legend.orientation = len(legend.items) > 1, "horizontal"
    legend.label_text_font_size, legend.border_line_color = "10px", None
    made.add_layout(legend, "below")


class Traces:
    """Signals of some units over time, a chart for each, above the current into them.

    Args:
        labels: The titles of the signals by name.
        axes: The ends of their axes to begin with, by name.
        timesteps: The number of steps T, or of those of a long episode that are seen at once.
        current: The name of the current.
        heights: The heights of a signal's chart and of the current's, in pixels.
    """

    def __init__(
        self,
        labels: dict[str, str],
        axes: dict[str, tuple[float, float]],
        timesteps: int,
        current: str = "drive ξ",
        heights: tuple[int, int] = (105, 120),
    ):
        self.names = list(labels)
        self.axes = {name: Axis(*axes[name]) for name in (*labels, "drive")}
        self.source = ColumnDataSource(self._empty())
        self.time = Time(timesteps)
        self.charts = {
            name: self._signal(name, label, heights[0]) for name, label in labels.items()
        }
        self.charts["drive"] = self._drive(current, heights[1])

    def clear(self) -> None:
        """Draw nothing."""
        for axis in self.axes.values():
            axis.reset()
        self.source.data = self._empty()

    def draw(self, signals: Signals, drive: np.ndarray, units: Sequence[int], t: int) -> None:
        """Draw t steps anew.

        Args:
            signals: The signals by name, (T, N) each.
            drive: The drive, (T, N).
            units: The units to draw.
            t: The number of steps.
        """
        self.clear()
        self.time.hold(t)
        self.source.data = self._rows(signals, drive, units, self.time.first(t), t)

    def add(
        self, signals: Signals, drive: np.ndarray, units: Sequence[int], first: int, t: int
    ) -> None:
        """Add the steps from `first` to t; the other arguments are those of `draw`."""
        self.time.hold(t)
        self.source.stream(self._rows(signals, drive, units, first, t), self.time.steps)

    def _rows(self, signals, drive, units, first, t):
        steps = slice(first, t)
        rows: dict[str, Any] = {"t": np.arange(first, t), "drive": drive[steps].mean(axis=1)}
        for name in self.names:
            values = signals[name][steps]
            # float32 would be sent as such, but a row of one step must fit the columns.
            low, high = np.percentile(values, (10, 90), axis=1) if t > first else ([], [])
            rows |= {f"{name}_low": low, f"{name}_high": high}
            rows[f"{name}_mean"] = values.mean(axis=1, dtype="float64")
            for k in range(SHOWN_UNITS):
                drawn = k < len(units)
                column = values[:, units[k]] if drawn else np.full(t - first, np.nan)
                rows[f"{name}_{k}"] = column.astype("float64")
            self.axes[name].hold(np.concatenate([values[:, list(units)].ravel(), low, high]))
        self.axes["drive"].hold(rows["drive"])
        return rows

    def _empty(self):
        parts = ["low", "high", "mean", *range(SHOWN_UNITS)]
        columns = ["t", "drive", *(f"{name}_{part}" for name in self.names for part in parts)]
        return {column: np.empty(0) for column in columns}

    def _signal(self, name, label, height):
        ranges = {"x_range": self.time.range, "y_range": self.axes[name].range}
        made = chart(label, "", name, height, **ranges)
        made.xaxis.major_label_text_font_size = "0px"
        made.varea("t", f"{name}_low", f"{name}_high", source=self.source, color=GREY, alpha=0.3)
        made.line("t", f"{name}_mean", source=self.source, color=GREY, line_width=3)
        for k, colour in enumerate(COLOURS):
            made.line("t", f"{name}_{k}", source=self.source, color=colour, line_width=1.5)
        return made

    def _drive(self, label, height):
        ranges = {"x_range": self.time.range, "y_range": self.axes["drive"].range}
        made = chart(label, "step t", "ξ", height, **ranges)
        # An empty varea_step of Bokeh never returns.
        made.vbar("t", 1, "drive", source=self.source, color=DRIVE_COLOUR, line_color=None)
        return made
