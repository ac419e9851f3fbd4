"""What one network does while it reads: its probabilities, the cloud of its units, their traces."""

import html
from collections.abc import Callable, Sequence

import numpy as np
import panel as pn
from bokeh.models import ColumnDataSource, Div, Span, TapTool

from aru_keras.analysis import activation_family, boundary_saturation
from aru_keras.runners.live.charts import (
    COLOURS,
    GREY,
    LABEL_COLOUR,
    PALETTE,
    SHOWN_UNITS,
    Axis,
    Traces,
    chart,
)
from aru_keras.runners.live.networks import LiveNetwork
from aru_keras.runners.live.session import Session

LABELS = {"n": "gain n", "s": "saturation s", "h": "output h"}
AXES = {"n": (3.0, 8.0), "s": (-0.5, 1.0), "h": (-0.1, 1.0), "drive": (-0.5, 5.0)}
"""Titles of the signals, and the ends of their axes to begin with."""

_BOUNDARY_POINTS, _CURVE_POINTS = 400, 121


class NetworkView:
    """The charts of one network.

    Args:
        network: The network.
        choose: Function that is called with a unit whose point was clicked.
    """

    def __init__(self, network: LiveNetwork, choose: Callable[[int], None]):
        self.network, self._choose = network, choose
        self._drawn, self._boundary_drive = 0, np.nan
        labels = {name: LABELS[name] for name in LABELS if name in network.signals}
        self.traces = Traces(labels, AXES, network.task.timesteps)
        self.cloud, self.curve = self._make_cloud(), self._make_curve()
        self.classes = self._make_classes()
        self.title = Div(text=html.escape(network.label), margin=(4, 10))
        stretch = {"sizing_mode": "stretch_width", "margin": 0}
        planes = pn.Row(pn.pane.Bokeh(self.cloud), pn.pane.Bokeh(self.curve), **stretch)
        column = [self.title, *([planes] if network.adapts else []), pn.pane.Bokeh(self.classes)]
        column += [pn.pane.Bokeh(drawn) for drawn in self.traces.charts.values()]
        self.panel = pn.Column(*column, **stretch, min_width=380)

    def restart(self, session: Session, network_index: int, units: Sequence[int]) -> None:
        """Draw what was read so far anew: of another sequence, network or choice of units."""
        self._drawn, t = session.t, session.t
        if not t:
            for axis in self._axes:
                axis.reset()
        self.traces.draw(session.signals[network_index], session.drives[network_index], units, t)
        probabilities = np.full((session.task.classes, session.task.timesteps), np.nan, "float32")
        probabilities[:, :t] = session.probabilities[network_index][:t].T
        self._classes.data = {"image": [probabilities]}
        self._label.location = session.label
        self._now(session, network_index, units)

    def advance(self, session: Session, network_index: int, units: Sequence[int]) -> None:
        """Draw the steps since the last call."""
        first, t = self._drawn, session.t
        if first == t:
            return
        self._drawn = t
        self.traces.add(
            session.signals[network_index], session.drives[network_index], units, first, t
        )
        new = session.probabilities[network_index][first:t].T.ravel()
        patched = (0, slice(None), slice(first, t))
        self._classes.patch({"image": [(patched, new)]})
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
        self.title.text = f"<b>{name}</b> {_verdict(session, network_index)}"
        if not self.network.adapts:
            return
        if t < 0:
            self._points.data = {"n": [], "s": []}
            self._chosen.data = {"n": [], "s": [], "colour": []}
            self._operating.data = self._family.data = {"x": [], "y": []}
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

    def _make_classes(self):
        steps, classes = self.network.task.timesteps, self.network.task.classes
        name_of = self.network.task.spec.class_name
        self._classes = ColumnDataSource({"image": [np.full((classes, steps), np.nan, "float32")]})
        ranges = {"x_range": (-0.5, steps - 0.5), "y_range": (-0.5, classes - 0.5)}
        made = chart("probability of each class (dotted: the label)", "", "class", 130, **ranges)
        made.image("image", -0.5, -0.5, steps, classes, source=self._classes, palette=PALETTE)
        mapper = made.renderers[0].glyph.color_mapper
        mapper.low, mapper.high, mapper.nan_color = 0, 1, "rgba(0, 0, 0, 0)"
        look = {"line_color": LABEL_COLOUR, "line_dash": "dotted", "line_width": 2}
        self._label = Span(location=0, dimension="width", **look)
        made.add_layout(self._label)
        made.grid.visible = False
        ticks = list(range(0, classes, 3 if classes > 5 else 1))
        made.yaxis.ticker = ticks
        made.yaxis.major_label_overrides = {k: name_of(k) for k in ticks}
        made.xaxis.major_label_text_font_size = "0px"
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


def _verdict(session, network_index):
    if not session.t:
        return "has read nothing yet"
    probabilities = session.probabilities[network_index][session.t - 1]
    best = int(probabilities.argmax())
    verdict = "" if not session.over else (" ✓" if best == session.label else " ✗")
    name = html.escape(session.task.spec.class_name(best))
    return f"reads class <b>{name}</b>, p = {probabilities[best]:.2f}{verdict}"
