"""What one network does: its answers, the cloud of its units, and their traces."""

import html
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from bokeh.models import Column, ColumnDataSource, Div, Row, TapTool

from aru_keras.analysis import activation_family, boundary_saturation
from aru_keras.runners.live.charts import (
    COLOURS,
    GREY,
    LABEL_COLOUR,
    SHOWN_UNITS,
    Axis,
    Time,
    Traces,
    chart,
)
from aru_keras.runners.live.networks import Watched

LABELS = {"n": "gain n", "s": "saturation s", "h": "output h"}
AXES = {"n": (3.0, 8.0), "s": (-0.5, 1.0), "h": (-0.1, 1.0), "drive": (-0.5, 5.0)}
"""Titles of the signals, and the ends of their axes to begin with."""

_BOUNDARY_POINTS, _CURVE_POINTS = 400, 121


class NetworkView:
    """The charts of one network.

    Args:
        network: The network.
        choose: Function that is called with a unit whose point was clicked.
        timesteps: The number of steps that are seen at once.
        answers: Makes, from the `Time` of the charts, the chart of what the network answers:
            `Classes`, or `Actions` of an agent.
    """

    def __init__(
        self,
        network: Watched,
        choose: Callable[[int], None],
        timesteps: int,
        answers: Callable[[Time], Any],
    ):
        self.network, self._choose = network, choose
        self._drawn, self._boundary_drive = 0, np.nan
        labels = {name: LABELS[name] for name in LABELS if name in network.signals}
        self.traces = Traces(labels, AXES, timesteps)
        self.cloud, self.curve = self._make_cloud(), self._make_curve()
        self.answers = answers(self.traces.time)
        self.title = Div(text=html.escape(network.label), margin=(4, 10))
        stretch = {"sizing_mode": "stretch_width", "margin": 0}
        planes = [Row(self.cloud, self.curve, **stretch)] if network.adapts else []
        below = [self.answers.chart, *self.traces.charts.values()]
        self.panel = Column(self.title, *planes, *below, **stretch, min_width=380)

    def restart(self, session: Any, network_index: int, units: Sequence[int]) -> None:
        """Draw what was done so far anew: in another episode, or of other units."""
        self._drawn, t = session.t, session.t
        if not t:
            for axis in self._axes:
                axis.reset()
        self.traces.draw(session.signals[network_index], session.drives[network_index], units, t)
        self.answers.restart(session, network_index)
        self._now(session, network_index, units)

    def advance(self, session: Any, network_index: int, units: Sequence[int]) -> None:
        """Draw the steps since the last call."""
        first, t = self._drawn, session.t
        if first == t:
            return
        self._drawn = t
        self.traces.add(
            session.signals[network_index], session.drives[network_index], units, first, t
        )
        self.answers.advance(session, network_index, first)
        self._now(session, network_index, units)

    def show_boundary(self, drive: float) -> None:
        """Draw Λ(ξ) for a drive, unless it is drawn already."""
        drive = round(drive, 2)
        if drive == self._boundary_drive or not self.network.adapts:
            return
        self._boundary_drive = drive
        n = np.linspace(0.05, max(20.0, self._axes[0].range.end), _BOUNDARY_POINTS)
        s = boundary_saturation(drive, n)
        outside = ~np.isfinite(s) | (np.abs(s) > 10)
        self._boundary.data = {"n": n, "s": np.where(outside, np.nan, s)}
        self.cloud.title.text = f"(n, s), and Λ(ξ = {drive:g})"

    def _now(self, session, network_index, units):
        """Draw the points of the last step."""
        t = session.t - 1
        drive = session.drives[network_index][t].mean() if t >= 0 else 0.0
        self.show_boundary(float(drive))
        name = html.escape(self.network.label)
        self.title.text = f"<b>{name}</b> {self.answers.verdict(session, network_index)}"
        if not self.network.adapts:
            return
        if t < 0:
            self._points.data = {"n": [], "s": []}
            self._chosen.data = {"n": [], "s": [], "colour": []}
            self._operating.data = self._family.data = {"x": [], "y": []}
            self.curve.title.text = f"unit {units[0]}: γ(x; n, s)"
            return
        a, n, s, h = (session.signals[network_index][name][t] for name in ("a", "n", "s", "h"))
        for axis, values in zip(self._axes[:2], (n, s), strict=True):
            axis.hold(np.percentile(values, (1, 99)))
        self._points.data = {"n": n, "s": s}
        shown = list(units)
        self._chosen.data = {"n": n[shown], "s": s[shown], "colour": list(COLOURS[: len(shown)])}
        self._draw_curve(*(float(values[shown[0]]) for values in (a, n, s, h)), shown[0])

    def _draw_curve(self, a, n, s, h, unit):
        for axis, value in zip(self._axes[2:], (a, h), strict=True):
            axis.hold(np.array([value]))
        x = np.linspace(self._axes[2].range.start, self._axes[2].range.end, _CURVE_POINTS)
        self._family.data = {"x": x, "y": activation_family([n], [s], x).values[0, 0]}
        self._operating.data = {"x": [a], "y": [h]}
        self.curve.title.text = f"unit {unit}: n = {n:.2f}, s = {s:.2f}"

    def _make_cloud(self):
        self._points = ColumnDataSource({"n": [], "s": []})
        self._chosen = ColumnDataSource({"n": [], "s": [], "colour": []})
        self._boundary = ColumnDataSource({"n": [], "s": []})
        self._axes = [Axis(*AXES["n"]), Axis(*AXES["s"]), Axis(-4.0, 4.0), Axis(-0.2, 2.0)]
        ranges = {"x_range": self._axes[0].range, "y_range": self._axes[1].range}
        made = chart("every unit's (n, s)", "gain n", "saturation s", 250, **ranges)
        made.line("n", "s", source=self._boundary, color=LABEL_COLOUR, line_dash="dashed")
        points = made.scatter("n", "s", source=self._points, color=GREY, size=6, alpha=0.6)
        points.nonselection_glyph = points.selection_glyph = points.glyph
        look = {"size": 10, "line_color": "white", "fill_color": "colour"}
        made.scatter("n", "s", source=self._chosen, **look)
        made.add_tools(TapTool(renderers=[points]))
        self._points.selected.on_change("indices", self._clicked)
        return made

    def _make_curve(self):
        self._family = ColumnDataSource({"x": [], "y": []})
        self._operating = ColumnDataSource({"x": [], "y": []})
        ranges = {"x_range": self._axes[2].range, "y_range": self._axes[3].range}
        made = chart("γ(x; n, s) of the first chosen unit", "x", "γ", 250, **ranges)
        made.line("x", "y", source=self._family, color=COLOURS[0], line_width=2)
        look = {"size": 11, "color": COLOURS[0], "line_color": "white"}
        made.scatter("x", "y", source=self._operating, **look)
        return made

    def _clicked(self, attribute, old, new):
        if new:
            self._points.selected.indices = []
            self._choose(new[0])


def added(unit: int, units: Sequence[int]) -> list[int]:
    """Units with one more in front, of which there are at most `SHOWN_UNITS`.

    Args:
        unit: The unit that is put in front.
        units: The units before.
    """
    return [unit, *(other for other in units if other != unit)][:SHOWN_UNITS]


def owned(units: Sequence[int], network: Watched) -> list[int]:
    """Those of the chosen units that a network has, or its first unit where it has none of them.

    Args:
        units: The chosen units, each of which one of the networks has.
        network: The network.
    """
    return [unit for unit in units if unit < network.units] or [0]
