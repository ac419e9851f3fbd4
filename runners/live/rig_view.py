"""The tab on which a current is injected into the units of a network."""

from collections.abc import Callable, Sequence

import numpy as np
import panel as pn
from bokeh.models import ColumnDataSource, FreehandDrawTool

from aru_keras.envs.protocols import FICurve
from aru_keras.runners.live.charts import COLOURS, GREY, SHOWN_UNITS, Axis, Traces, chart
from aru_keras.runners.live.locking import locked
from aru_keras.runners.live.network_view import AXES, LABELS, owned
from aru_keras.runners.live.networks import LiveNetwork
from aru_keras.runners.live.player import Player
from aru_keras.runners.live.rig import CURRENTS, STEPS, Current, RigSession

CONNECTED, ISOLATED = "connected", "isolated"
_SPEED = 60.0
_STRETCH = {"sizing_mode": "stretch_width"}


class RigView:
    """The controls and charts of the rig, which is made when the tab is first shown.

    Args:
        network: The network whose units are in the rig.
        units: Function that gives the units that are drawn.
        say: Function that is called with a message for the person, "" to take it back.
    """

    def __init__(
        self,
        network: LiveNetwork,
        units: Callable[[], Sequence[int]],
        say: Callable[[str], None],
    ):
        self.network, self._units, self._say = network, units, say
        self.session: RigSession | None = None
        self._drawn_units: list[int] = []
        self._measured: FICurve | None = None
        self.player = Player(self._steps, self._show_playing)
        self.player.set_speed(_SPEED)
        labels = {name: LABELS[name] for name in LABELS if name in network.signals}
        self.traces = Traces(labels, AXES, STEPS, "current ξ; thin: D^α of the first unit's output")
        self._make_controls()
        self.answer = pn.pane.HTML("", **_STRETCH, margin=(0, 10))
        self.curve = self._make_curve()
        self._make_pen()
        left = pn.Column(*self._controls, self.answer, width=260, margin=0)
        charts = [pn.pane.Bokeh(drawn) for drawn in self.traces.charts.values()]
        right = pn.Column(*charts, pn.pane.Bokeh(self.curve), **_STRETCH, margin=0)
        self.panel = pn.Row(left, right, **_STRETCH)

    def open(self) -> None:
        """Make the rig, if it is not there, and draw the units that are chosen."""
        if self.session is None:
            self.session = RigSession(self.network)
            self._begin()
        self.redraw()

    def redraw(self) -> None:
        """Draw the chosen units from the first step on, where others are drawn."""
        session, units = self.session, self._shown
        if session is None or units == self._drawn_units:
            return
        self._drawn_units = units
        self.traces.draw(session.signals, session.currents[:, None], units, session.t)
        self._let_draw(self.kind.value == "drawn")
        if session.over:
            self._draw_order()
        self._draw_measured()

    def close(self) -> None:
        """Stop the clock."""
        self.player.pause()

    def _make_controls(self):
        self.kind = pn.widgets.Select(label="Current", options=list(CURRENTS), width=120)
        self.isolated = pn.widgets.Select(label="Units", options=[ISOLATED, CONNECTED], width=120)
        self.amplitude = pn.widgets.FloatSlider(
            label="Amplitude", start=-5, end=20, step=0.1, value=5, **_STRETCH
        )
        self.period = pn.widgets.FloatSlider(
            label="Period of the sinusoid", start=4, end=150, step=1, value=50, **_STRETCH
        )
        self.run = pn.widgets.Button(label="Inject", color="primary", width=100)
        self.measure = pn.widgets.Button(label="f–I curve", width=110)
        self._controls = [
            pn.Row(self.kind, self.isolated),
            self.amplitude,
            self.period,
            pn.Row(self.run, self.measure),
        ]
        for widget in (self.kind, self.isolated, self.period):
            widget.param.watch(self._guarded(self._begin), "value")
        self.amplitude.param.watch(self._guarded(self._turn), "value")
        self.run.param.watch(self._guarded(self._toggle), "clicks")
        self.measure.param.watch(self._guarded(self._draw_curve), "clicks")

    def _make_curve(self):
        self._curve = ColumnDataSource({"current": [], **{f"h_{k}": [] for k in range(4)}})
        self._curve_axis = Axis(0.0, 1.0)
        made = chart(
            "f–I curve: mean output under constant currents",
            "current",
            "h",
            150,
            y_range=self._curve_axis.range,
        )
        for k, colour in enumerate(COLOURS):
            look = {"source": self._curve, "color": colour}
            made.line("current", f"h_{k}", **look, line_width=1.5)
            made.scatter("current", f"h_{k}", **look, size=4)
        return made

    def _make_pen(self):
        """Let the person draw on the chart of the current, where the current is "drawn"."""
        made = self.traces.charts["drive"]
        made.height = 150
        self._stroke = ColumnDataSource({"xs": [], "ys": []})
        lines = made.multi_line("xs", "ys", source=self._stroke, color=COLOURS[1], line_width=3)
        self._pen = FreehandDrawTool(renderers=[lines], num_objects=1)
        self._stroke.on_change("data", self._drawn)
        made.add_tools(self._pen)
        made.toolbar.active_drag = None
        self._derivative = ColumnDataSource({"t": [], "value": []})
        made.line("t", "value", source=self._derivative, color=COLOURS[0], line_width=1)
        made.line([0, STEPS], [0, 0], color=GREY, line_width=0.5)

    def _guarded(self, act):
        def changed(event):
            self._say("")
            try:
                self.open()
                act()
            except ValueError as error:
                self.player.pause()
                self._say(str(error))

        return locked(changed)

    def _current(self):
        points = self._points() if self.kind.value == "drawn" else None
        return Current(self.kind.value, self.amplitude.value, self.period.value, points=points)

    def _points(self):
        """All points of the stroke that is seen, (K, 2); None if there is none."""
        stroke = self._stroke.data
        if not len(stroke["xs"]):
            return None
        return np.stack([stroke["xs"][-1], stroke["ys"][-1]], axis=1)

    def _begin(self):
        self.player.pause()
        self.session.begin(self._current(), self.isolated.value == ISOLATED)
        self.session.turn(self.amplitude.value)
        self._drawn_units = self._shown
        self.traces.clear()
        self._let_draw(self.kind.value == "drawn")
        self._derivative.data = {"t": [], "value": []}
        self.answer.object = self._hint()

    def _hint(self):
        hints = {
            "drawn": "Draw the current in its chart, from left to right.",
            "by hand": "Inject, and move the amplitude while it runs.",
        }
        return hints.get(self.kind.value, "Inject, to see the units respond.")

    def _let_draw(self, on):
        made = self.traces.charts["drive"]
        if on:
            axis = self.traces.axes["drive"].range
            axis.update(start=self.amplitude.start, end=self.amplitude.end)
        made.toolbar.active_drag = self._pen if on else None

    def _drawn(self, attribute, old, new):
        if len(new["xs"]):
            self._begin()
            self.player.play()

    def _turn(self):
        if self.kind.value == "by hand":
            self.session.turn(self.amplitude.value)
        else:
            self._begin()

    def _toggle(self):
        if self.player.playing:
            self.player.pause()
            return
        if self.session.over:
            self._begin()
        self.player.play()

    def _show_playing(self, playing):
        self.run.label = "Pause" if playing else "Inject"

    def _steps(self, count):
        session, first = self.session, self.session.t
        for _ in range(count):
            session.step()
        currents = session.currents[:, None]
        self.traces.add(session.signals, currents, self._drawn_units, first, session.t)
        if session.over:
            self._draw_order()
        return not session.over

    @property
    def _shown(self):
        return owned(self._units(), self.network)[:SHOWN_UNITS]

    def _draw_order(self):
        """Show the orders of the units that are drawn."""
        units, order = self._drawn_units, self.session.order(self._drawn_units)
        if order is None:
            self.answer.object = "This current has no step: no order is fitted."
            return
        lines = [f"unit {unit}: {_verdict(order, k)}" for k, unit in enumerate(units)]
        if order.adequate.any():
            lines.append("<i>α > 0: the unit integrates; α < 0: it differentiates.</i>")
        self.answer.object = "<br>".join(["<b>Fractional order</b>", *lines])
        self._draw_derivative(units[0], order)

    def _draw_derivative(self, unit, order):
        """Draw D^α of the output of the first unit, where it is near the current."""
        self._derivative.data = {"t": [], "value": []}
        if order.adequate[0]:
            value = self.session.derivative(unit, float(order.alpha[0]))
            self._derivative.data = {"t": np.arange(STEPS), "value": value}
            self.traces.axes["drive"].hold(value[80:220])

    def _draw_curve(self):
        self._measured = self.session.f_i_curve()
        self._draw_measured()

    def _draw_measured(self):
        curve, units = self._measured, self._drawn_units
        if curve is None:
            return
        columns = {f"h_{k}": curve.h[:, unit] for k, unit in enumerate(units)}
        empty = np.full(len(curve.currents), np.nan)
        columns |= {f"h_{k}": empty for k in range(len(units), SHOWN_UNITS)}
        self._curve_axis.reset()
        self._curve_axis.hold(curve.h[:, units])
        self._curve.data = {"current": curve.currents, **columns}


def _verdict(order, k):
    """What is said of the order of the k-th unit: α only where it describes the response."""
    fit = order.r_squared[k]
    if not order.fitted[k]:
        return "no order, its output is constant"
    if not order.adequate[k]:
        return f"no good fit (R² = {fit:.2f})"
    return f"α = {order.alpha[k]:+.2f} (R² = {fit:.2f})"
