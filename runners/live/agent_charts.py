"""What an agent sees, what it does, and what it is paid."""

import math

import numpy as np
import panel as pn
from bokeh.models import ColumnDataSource
from PIL import Image

from aru_keras.runners.live.agent_session import AgentSession
from aru_keras.runners.live.charts import Lines, Time, chart

WIDEST = 400
"""The largest width of a picture of the environment that is sent to the browser, in pixels."""

_WIDTH, _TITLE = 240, 30
_JUMPS = (-0.2, 1.2)


class Actions:
    """The actions that an agent took.

    Args:
        count: The number of numbers of an action.
        time: The axis of the steps.
    """

    def __init__(self, count: int, time: Time):
        names = [str(k) for k in range(count)]
        self._lines = Lines("action", "action", names, time, 105, _JUMPS, "step")
        self.chart = self._lines.chart
        self.chart.xaxis.major_label_text_font_size = "0px"

    def restart(self, session: AgentSession, network_index: int) -> None:
        """Draw what was done so far anew."""
        self._lines.draw(session.acted.actions, session.t)

    def advance(self, session: AgentSession, network_index: int, first: int) -> None:
        """Draw the steps from `first` on."""
        self._lines.add(session.acted.actions, first, session.t)

    def verdict(self, session: AgentSession, network_index: int) -> str:
        """What the agent did at the last step, as HTML."""
        if not session.t:
            return "has not acted yet"
        action = ", ".join(f"{value:.3g}" for value in session.acted.actions[-1])
        return f"takes action <b>{action}</b>"


class AgentWorld:
    """The environment as a picture, if it gives one, what the agent sees, and its rewards.

    Args:
        session: The session.
        time: The axis of the steps.

    Attributes:
        picture: The picture; None where there is none.
        panel: The other charts.
    """

    def __init__(self, session: AgentSession, time: Time):
        self._drawn = 0
        names = [str(k) for k in range(session.acted.observations.shape[1])]
        self._observations = Lines("what the agent sees", "x", names, time, 190, (-0.1, 0.1))
        self._observations.chart.xaxis.major_label_text_font_size = "0px"
        self._rewards = Lines("reward", "reward", [""], time, 130, _JUMPS, "step")
        self._rewards.chart.xaxis.axis_label = "step t"
        frame = session.frame()
        self._frame = None if frame is None else _Frame(frame)
        self.picture = pn.pane.Bokeh(self._frame.chart) if self._frame else None
        charts = [pn.pane.Bokeh(lines.chart) for lines in (self._observations, self._rewards)]
        self.panel = pn.Column(*charts, margin=0, width=260)

    def restart(self, session: AgentSession) -> None:
        """Show another episode."""
        self._drawn = session.t
        self._observations.draw(session.acted.observations, session.t)
        self._rewards.draw(session.acted.rewards[:, None], session.t)
        self._now(session)

    def advance(self, session: AgentSession) -> None:
        """Show the steps since the last call."""
        first, t = self._drawn, session.t
        if first == t:
            return
        self._drawn = t
        self._observations.add(session.acted.observations, first, t)
        self._rewards.add(session.acted.rewards[:, None], first, t)
        self._now(session)

    def _now(self, session):
        """The picture, and the return so far."""
        self._rewards.chart.title.text = f"reward; return so far {session.acted.rewards.sum():.5g}"
        frame = session.frame()
        if self._frame is not None and frame is not None:
            self._frame.show(frame)


class _Frame:
    """A picture of the environment."""

    def __init__(self, frame):
        height, width = frame.shape[:2]
        ranges = {"x_range": (0, width), "y_range": (0, height), "frame_align": False}
        tall = round(_WIDTH * height / width) + _TITLE
        self.chart = made = chart("the environment", "", "", tall, **ranges)
        made.axis.visible = made.grid.visible = False
        self._source = ColumnDataSource({"image": [rgba(frame)]})
        made.image_rgba("image", 0, 0, width, height, source=self._source)

    def show(self, frame):
        self._source.data = {"image": [rgba(frame)]}


def rgba(frame: np.ndarray) -> np.ndarray:
    """A picture as Bokeh takes it, (H′, W′) uint32 from the lowest row up, at most `WIDEST` wide.

    Args:
        frame: The picture, (H, W, 3) uint8.
    """
    factor = math.ceil(frame.shape[1] / WIDEST)
    small = Image.fromarray(frame).convert("RGBA").reduce(factor)
    return np.ascontiguousarray(np.flipud(small)).view("uint32")[..., 0]
