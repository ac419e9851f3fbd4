"""Slow periodic drives: phase, gain and time constants over the period."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from aru_keras._util.deprecated import renamed
from aru_keras.analysis.fitting import Fit
from aru_keras.analysis.slow_drive import Phase
from aru_keras.plots.style import band, letter, panels, plain_logarithmic, unit_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def periodic_responses(
    phases: Mapping[str, Sequence[Mapping[int, Phase]]],
    relaxations: Mapping[str, Sequence[Mapping[int, Fit]]],
) -> "Figure":
    """Lead and gain under sinusoids, and τ after the steps of square waves, over the period.

    Args:
        phases: By label, of each seed what `analysis.phases` gives. Bands are one standard error
            over seeds, thin lines are the seeds.
        relaxations: By label, of each seed the fit of each period; one that failed is left out. A
            small dot is one seed.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    figure, (lead, gain, times) = panels(3)
    for index, (label, seeds) in enumerate(phases.items()):
        periods = list(seeds[0])
        look = {**unit_style(index), "marker": "os^v"[index % 4], "ms": 4, "label": label}
        leads, gains = (
            np.array([[getattr(seed[period], name) for period in periods] for seed in seeds])
            for name in ("lead", "gain")
        )
        band(lead, periods, np.degrees(leads), **look)
        band(gain, periods, gains, **look)
    for index, (label, fits) in enumerate(relaxations.items()):
        look = {**unit_style(index), "marker": "os^v"[index % 4], "ms": 4, "label": f"_{label}"}
        _draw_times(times, fits, look)
    lead.axhline(0, color="0.5", lw=0.8, zorder=0, label="_zero")
    lead.set_ylabel("lead (degrees)")
    gain.set(ylabel="gain of $h$", yscale="log")
    times.set_ylabel(r"$\tau$ (steps)")
    for axes, text in zip((lead, gain, times), "ABC", strict=True):
        axes.set(xlabel="period (steps)", xscale="log")
        plain_logarithmic(axes.xaxis)
        letter(axes, text)
    times.set_xlim(lead.get_xlim())
    handles = lead.get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", frameon=False, fontsize=8, ncols=4)
    return figure


def _draw_times(axes, seeds, look):
    """The mean τ of the seeds whose fit did not fail."""
    taus = {}
    for seed in seeds:
        for period, fit in seed.items():
            if not fit.failed:
                taus.setdefault(period, []).append(fit["tau"])
    periods = sorted(taus)
    axes.plot(periods, [np.mean(taus[period]) for period in periods], **look)
    if len(seeds) > 1:
        x = np.repeat(periods, [len(taus[period]) for period in periods])
        y = [tau for period in periods for tau in taus[period]]
        axes.plot(x, y, ".", ms=3, color=look["color"], label=f"{look['label']}, seeds")


__getattr__ = renamed(__name__, {"slow_drive": "periodic_responses"})
