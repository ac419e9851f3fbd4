"""A view of a sequence without image: its channels as traces."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from aru_keras.envs.rendering._traces import Row
from aru_keras.envs.rendering.frames import IMAGE_LEFT, IMAGE_SIDE, TOP, ReadingView
from aru_keras.plots import CHANNELS_DRAWN, unit_style

_STRIP = 14
"""The height of the strip that shows how much has been read, in pixels."""


class ChannelView(ReadingView):
    """A picture of a sequence environment without image, which follows its episode.

    On the left a strip fills while the sequence is read. The first row on the right holds the
    channels of the input as traces.

    Args:
        channels: The names of the channels; the first eight are drawn.
        timesteps: The number of steps T.
        **options: The other arguments of `ReadingView`.
    """

    step_label = "step t"

    def __init__(self, channels: Sequence[str], timesteps: int, **options: Any):
        self.channels = tuple(channels[:CHANNELS_DRAWN])
        super().__init__((1, timesteps), timesteps, np.arange(timesteps), **options)

    def _lay_out_image(self):
        axes = self._axes(IMAGE_LEFT, TOP, IMAGE_SIDE, _STRIP)
        self._lay_out_pixels(axes, TOP + _STRIP)

    def _top_of_legend(self):
        return TOP + _STRIP + 28

    def _legend_entries(self):
        from matplotlib.lines import Line2D

        lines = [unit_style(index) for index in range(len(self.channels))]
        pairs = zip(lines, self.channels, strict=True)
        return [*super()._legend_entries(), *(Line2D([], [], **a, label=b) for a, b in pairs)]

    def _row(self, name, index):
        if name != "pixel":
            return super()._row(name, index)
        styles = [unit_style(index) for index in range(len(self.channels))]
        return Row(self._row_axes(index), "input $x_t$", self.timesteps, styles)

    def _values_of(self, pixel):
        return np.ravel(pixel)[: len(self.channels)].astype("float64")

    def _read(self, t, value):
        self._mark(t, 0.45, f"t = {t}")
