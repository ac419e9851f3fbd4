"""Fractional integrals of the gain and the saturation (Geadah et al. 2024, Fig 9)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from aru_keras.analysis.fractional_signals import SignalIntegral
from aru_keras.plots.style import (
    COLUMN_WIDTH,
    PAGE_WIDTH,
    WINDOW_SHADE,
    drive_colours,
    legend_entries,
    letters,
    number,
    panels,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def signal_integrals(integrals: Mapping[str, SignalIntegral]) -> "Figure":
    """D^α of signals under the step, with the line fitted during it, dotted, by ξ (Fig 9).

    Args:
        integrals: What `analysis.signal_integral` gives, by signal, for the same ξ.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    width = PAGE_WIDTH if len(integrals) > 1 else COLUMN_WIDTH
    figure, row = panels(len(integrals), width=width)
    for axes, (signal, integral) in zip(row, integrals.items(), strict=True):
        during = np.array([integral.during[0], integral.during[-1]])
        colours = drive_colours(integral.drives)
        for drive, trace, colour in zip(integral.drives, integral.traces, colours, strict=True):
            axes.plot(trace, color=colour, lw=1.2, label=f"ξ = {number(drive)}")
        for fit in integral.lines:
            if not fit.failed:
                axes.plot(during, fit(during), color="k", ls=":", lw=1, label="fitted line")
        axes.axvspan(*during, color=WINDOW_SHADE, zorder=0, label="drive on")
        axes.set(xlabel="step t", ylabel=f"$D^{{{integral.alpha:g}}}[{signal}_t]$")
    if len(row) > 1:
        letters(row)
    figure.legend(*legend_entries(row), frameon=False, fontsize=7, loc="outside right")
    return figure
