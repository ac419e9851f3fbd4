"""Slow periodic drives: phase, gain and time constants over the period."""

from collections.abc import Mapping, Sequence

import numpy as np

from aru_keras.analysis.fitting import Fit
from aru_keras.analysis.slow_drive import Phase
from aru_keras.plots.style import band, letter, panels, plain_logarithmic, unit_style


def slow_drive(
    phases: Mapping[str, Sequence[Mapping[int, Phase]]],
    relaxations: Mapping[str, Sequence[Mapping[int, Fit]]],
):
    """Lead and gain under sinusoids, and τ after the steps of square waves, over the period.

    Args:
        phases: By label, of each seed what `slow_drive.phases` gives. Bands are one standard error
            over seeds.
        relaxations: By label, of each seed the fit of each period; one that failed is left out.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    figure, (lead, gain, times) = panels(3)
    for place, (label, seeds) in enumerate(phases.items()):
        periods = list(seeds[0])
        look = {**unit_style(place), "marker": "os^v"[place % 4], "ms": 4, "label": label}
        leads, gains = (
            np.array([[getattr(seed[one], name) for one in periods] for seed in seeds])
            for name in ("lead", "gain")
        )
        band(lead, periods, np.degrees(leads), **look)
        band(gain, periods, gains, **look)
    for place, (label, seeds) in enumerate(relaxations.items()):
        look = {**unit_style(place), "marker": "os^v"[place % 4], "ms": 4, "label": f"_{label}"}
        _draw_times(times, seeds, look)
    lead.axhline(0, color="0.5", lw=0.8, zorder=0, label="_zero")
    lead.set_ylabel("lead (degrees)")
    gain.set(ylabel="gain of $h$", yscale="log")
    times.set_ylabel(r"$\tau$ (steps)")
    for axes, text in zip((lead, gain, times), "ABC", strict=True):
        axes.set(xlabel="period (steps)", xscale="log")
        plain_logarithmic(axes.xaxis)
        letter(axes, text)
    handles = lead.get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", frameon=False, fontsize=8, ncols=4)
    return figure


def _draw_times(axes, seeds, look):
    """The mean τ of the seeds whose fit did not fail."""
    found = {}
    for seed in seeds:
        for period, fit in seed.items():
            if not fit.failed:
                found.setdefault(period, []).append(fit["tau"])
    periods = sorted(found)
    axes.plot(periods, [np.mean(found[one]) for one in periods], **look)
