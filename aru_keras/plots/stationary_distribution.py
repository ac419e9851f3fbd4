"""The stationary distribution of the states under a drive (Geadah et al. 2024, Methods)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from aru_keras.analysis.stationary_distribution import StationaryLines
from aru_keras.plots.style import UNIT_COLOURS, drive_colours, letters, number, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BINS, _REACH = 60, 4.0
"""Of histograms of standardized states: their number, and how many deviations they reach."""


def state_distributions(states: Mapping[float, np.ndarray], lines: StationaryLines) -> "Figure":
    """Distributions of h under each drive, standardized, and their mean and deviation over ξ.

    Args:
        states: h of any shape, by ξ.
        lines: What `analysis.stationary_lines` gives, for the same ξ.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    from scipy.stats import norm

    figure, (left, middle, right) = panels(3)
    distributions, edges = lines.distributions, np.linspace(-_REACH, _REACH, _BINS + 1)
    colours = drive_colours([distribution.drive for distribution in distributions])
    for distribution, colour in zip(distributions, colours, strict=True):
        h = (np.ravel(states[distribution.drive]) - distribution.mean) / distribution.deviation
        density = np.histogram(h, edges)[0] / (h.size * np.diff(edges))
        left.stairs(density, edges, color=colour, lw=1.2, label=f"ξ = {number(distribution.drive)}")
    left.plot(edges, norm.pdf(edges), "k:", lw=1.2, label="Gaussian")
    left.set(xlabel="(h − mean) / deviation", ylabel="density")
    left.legend(frameon=False, fontsize=6, handlelength=1.2)
    _draw_line(middle, distributions, "mean", lines.mean, "mean of h")
    _draw_line(right, distributions, "deviation", lines.deviation, "standard deviation of h")
    letters((left, middle, right))
    return figure


def _draw_line(axes, distributions, name, fit, label):
    drives = np.array([distribution.drive for distribution in distributions])
    values = [getattr(distribution, name) for distribution in distributions]
    axes.plot(drives, values, "o", color=UNIT_COLOURS[0], ms=4, label="_measured")
    text, position = "no line", {"y": 0.97, "va": "top"}
    if not fit.failed:
        axes.plot(drives, fit(drives), color=UNIT_COLOURS[1], lw=1.2, label="_line")
        slope = f"{number(fit['slope'], '.3g')} ± {number(fit.error('slope'), '.1g')}"
        if fit["slope"] < 0:
            position = {"y": 0.03, "va": "bottom"}
        text = f"slope {slope}\nR² = {number(fit.r_squared, '.3f')}"
    axes.text(0.04, s=text, transform=axes.transAxes, fontsize=8, **position)
    axes.set(xlabel="drive ξ", ylabel=label)
