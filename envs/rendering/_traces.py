"""Rows of traces that grow during an episode, drawn over a stored background."""

import numpy as np


class Row:
    """Traces over the steps of an episode, a line for each style, with the first limits of y."""

    def __init__(self, axes, label, timesteps, styles, limits=None):
        self.axes, self._first_limits = axes, limits
        self._steps = np.empty(timesteps)
        self._values = np.empty((timesteps, len(styles)))
        axes.set_xlim(-0.5 - 0.012 * timesteps, timesteps - 0.5 + 0.012 * timesteps)
        axes.set_ylabel(label)
        axes.yaxis.set_label_coords(-0.145, 0.5)
        axes.ticklabel_format(axis="y", useOffset=False)
        axes.locator_params(axis="y", nbins=3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelbottom=False)
        self.head = axes.axvline(0, color="0.55", lw=0.8, animated=True)
        self._traces = self._artists(styles)

    def _artists(self, styles):
        common = {"marker": "o", "ms": 3.5, "markevery": [-1], "animated": True}
        thin = {} if len(self._steps) <= 256 else {"lw": 0.9}
        return [self.axes.plot([], [], **{**common, **style, **thin})[0] for style in styles]

    def clear(self):
        self._count = 0
        self._limit(self._first_limits)

    def record(self, t, values):
        """Store the values of step t, and return whether the limits have changed."""
        self._steps[self._count], self._values[self._count] = t, values
        self._count += 1
        limits = _widened(self._limits, self._values[self._count - 1])
        if limits == self._limits:
            return False
        self._limit(limits)
        return True

    def draw(self):
        self.head.set_xdata([self._steps[self._count - 1]] * 2 if self._count else [0, 0])
        self.axes.draw_artist(self.head)
        self._draw_traces(self._steps[: self._count], self._values[: self._count])

    def _draw_traces(self, steps, values):
        for line, trace in zip(self._traces, values.T, strict=True):
            if len(steps):
                line.set_data(steps, trace)
                self.axes.draw_artist(line)

    def _limit(self, limits):
        self._limits = limits
        low, high = limits or (-1.0, 1.0)
        self.axes.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
        self.axes.tick_params(labelleft=limits is not None)


class PixelRow(Row):
    """The pixels as bars that begin at the dark end of their range."""

    def __init__(self, axes, label, timesteps, pixel_range):
        self._dark = pixel_range[0]
        super().__init__(axes, label, timesteps, [{}], pixel_range)

    def _artists(self, styles):
        bars = np.full(len(self._steps), self._dark)
        edges = np.arange(len(bars) + 1) - 0.5
        return self.axes.stairs(
            bars, edges, baseline=self._dark, fill=True, color="0.4", animated=True
        )

    def _draw_traces(self, steps, values):
        bars = np.full(len(self._steps), self._dark)
        bars[steps.astype(int)] = np.nan_to_num(values[:, 0], nan=self._dark)
        self._traces.set_data(bars)
        self.axes.draw_artist(self._traces)


def _widened(limits, values):
    """The limits, extended with a margin if a value is outside of them."""
    values = values[np.isfinite(values)]
    if not values.size:
        return limits
    least, most = float(values.min()), float(values.max())
    if limits is None:
        margin = max(most - least, 0.02 * abs(most), 0.02) / 2
        return least - margin, most + margin
    low, high = limits
    return (
        least - (high - least) / 2 if least < low else low,
        most + (most - low) / 2 if most > high else high,
    )
