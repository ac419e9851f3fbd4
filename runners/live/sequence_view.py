"""The sequence that is read, channel by channel, with its cursor."""

import numpy as np
import panel as pn
from bokeh.models import ColumnDataSource, Range1d, Span

from aru_keras.plots.style import UNIT_COLOURS
from aru_keras.runners.live.charts import LABEL_COLOUR, chart, legend_below
from aru_keras.runners.live.session import Session
from aru_keras.tasks import Task

CHANNELS_SHOWN = len(UNIT_COLOURS)
"""The number of channels that are drawn, from the first on."""


class SequenceView:
    """The channels of a sequence over its steps: faint, and strong as far as they were read.

    Args:
        task: The task of the sequences.
    """

    def __init__(self, task: Task):
        self._names = task.spec.channels[:CHANNELS_SHOWN]
        nothing = self._columns(np.empty((0, len(self._names))))
        self._whole, self._read = (ColumnDataSource(nothing) for _ in range(2))
        ranges = {"x_range": (-0.5, task.timesteps - 0.5), "y_range": Range1d(0, 1)}
        self.chart = made = chart("sequence", "step t", "input x", 250, **ranges)
        for k, (name, colour) in enumerate(zip(self._names, UNIT_COLOURS, strict=False)):
            made.line("t", f"x{k}", source=self._whole, color=colour, alpha=0.3)
            strong = {"line_width": 2, "legend_label": name}
            made.line("t", f"x{k}", source=self._read, color=colour, **strong)
        legend_below(made)
        self._cursor = Span(location=-1, dimension="height", line_color=LABEL_COLOUR)
        made.add_layout(self._cursor)
        self.panel = pn.pane.Bokeh(made)

    def draw_by_hand(self, on: bool) -> None:
        """Sequences without an image are not drawn by hand."""

    def restart(self, session: Session) -> None:
        """Show another sequence."""
        self._whole.data = self._columns(session.sequence)
        low, high = float(session.sequence.min()), float(session.sequence.max())
        margin = 0.05 * (high - low) or 0.5
        self.chart.y_range.start, self.chart.y_range.end = low - margin, high + margin
        name = session.task.spec.class_name(session.label)
        self.chart.title.text = f"{session.split}[{session.index}], label {name}"
        self.advance(session)

    def advance(self, session: Session) -> None:
        """Show the sequence as far as it was read and as it was shown, and where the cursor is."""
        self._read.data = self._columns(session.pixels[: session.t])
        self._cursor.location = session.t - 1

    def _columns(self, sequence):
        columns = {f"x{k}": sequence[:, k] for k in range(len(self._names))}
        return {"t": np.arange(len(sequence)), **columns}
