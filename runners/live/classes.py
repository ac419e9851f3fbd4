"""The chart of the probability of each class."""

import html

import numpy as np
from bokeh.models import ColumnDataSource, Span

from aru_keras.runners.live.charts import LABEL_COLOUR, PALETTE, Time, chart
from aru_keras.runners.live.session import NO_LABEL, Session
from aru_keras.tasks import Task


class Classes:
    """The probability of each class after each step of a sequence.

    Args:
        task: The task that is read.
        time: The axis of the steps.
    """

    def __init__(self, task: Task, time: Time):
        steps, classes = task.timesteps, task.classes
        self._classes = ColumnDataSource({"image": [np.full((classes, steps), np.nan, "float32")]})
        ranges = {"x_range": time.range, "y_range": (-0.5, classes - 0.5)}
        title = "probability of each class (dotted: the label)"
        self.chart = made = chart(title, "", "class", 130, **ranges)
        made.image("image", -0.5, -0.5, steps, classes, source=self._classes, palette=PALETTE)
        mapper = made.renderers[0].glyph.color_mapper
        mapper.low, mapper.high, mapper.nan_color = 0, 1, "rgba(0, 0, 0, 0)"
        look = {"line_color": LABEL_COLOUR, "line_dash": "dotted", "line_width": 2}
        self._label = Span(location=0, dimension="width", **look)
        made.add_layout(self._label)
        made.grid.visible = False
        ticks = list(range(0, classes, 3 if classes > 5 else 1))
        made.yaxis.ticker = ticks
        made.yaxis.major_label_overrides = {k: task.spec.class_name(k) for k in ticks}
        made.xaxis.major_label_text_font_size = "0px"

    def restart(self, session: Session, network_index: int) -> None:
        """Draw what was read so far anew."""
        t = session.t
        probabilities = np.full((session.task.classes, session.task.timesteps), np.nan, "float32")
        probabilities[:, :t] = session.probabilities[network_index][:t].T
        self._classes.data = {"image": [probabilities]}
        self._label.location = session.label
        self._label.visible = session.label != NO_LABEL

    def advance(self, session: Session, network_index: int, first: int) -> None:
        """Draw the steps from `first` on."""
        t = session.t
        new = session.probabilities[network_index][first:t].T.ravel()
        self._classes.patch({"image": [((0, slice(None), slice(first, t)), new)]})

    def verdict(self, session: Session, network_index: int) -> str:
        """What the network reads at the last step, as HTML."""
        if not session.t:
            return "has read nothing yet"
        probabilities = session.probabilities[network_index][session.t - 1]
        best = int(probabilities.argmax())
        judged = session.over and session.label != NO_LABEL
        verdict = (" ✓" if best == session.label else " ✗") if judged else ""
        name = html.escape(session.task.spec.class_name(best))
        return f"reads class <b>{name}</b>, p = {probabilities[best]:.2f}{verdict}"
