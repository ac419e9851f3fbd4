"""Onset and steady state under step drives (Geadah et al. 2024, Fig 4a)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from aru_keras._util.deprecated import renamed
from aru_keras.analysis.transients import Transient
from aru_keras.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NAMES = {"n": "gain", "s": "saturation"}


def transient_courses(seeds: Sequence[Sequence[Transient]]) -> "Figure":
    """N and s over time under every ξ, and their onset and steady state over ξ.

    All are means over seeds with a band of one standard error, and a thin line for each seed, of
    the change from before the drive alone: seeds have different gains from the start. With one seed
    there is no band, and an exponential decay is drawn over the traces, black and dashed, where its
    fit did not fail. The two panels of a row have the same scale.

    Args:
        seeds: For each network of a kind, what `analysis.measure_transients` returns for it.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    figure, axes = style.panels(2, 2, row_height=2.3)
    for row, name in enumerate("ns"):
        _draw_traces(axes[row, 0], name, seeds)
        _draw_levels(axes[row, 1], name, seeds)
        axes[row, 1].sharey(axes[row, 0])
    axes[0, 1].legend(frameon=False, fontsize=8)
    handles = style.legend_entries(axes[:, 0])
    title = r"drive $\xi$"
    if len(seeds) > 1:
        title += f"\nmean and standard\nerror of {len(seeds)} seeds,\nthin: each seed"
    options = {"loc": "outside right", "frameon": False, "fontsize": 8, "title_fontsize": 8}
    figure.legend(*handles, title=title, **options)
    style.letters(axes.flat)
    return figure


def _draw_traces(axes, name, seeds):
    amplitudes = [transient.drive.amplitude for transient in seeds[0]]
    traces = _aligned(name, seeds, "mean")
    for index, colour in enumerate(style.drive_colours(amplitudes)):
        label = style.number(amplitudes[index])
        values = traces[:, index]
        style.band(axes, np.arange(values.shape[1]), values, label=label, color=colour, lw=0.9)
    if len(seeds) == 1:
        _draw_decays(axes, name, seeds[0])
    window = seeds[0][0].window
    look = {"color": style.WINDOW_SHADE, "zorder": -1, "label": "drive on"}
    axes.axvspan(window.start - 0.5, window.stop - 0.5, **look)
    axes.set(xlabel="step $t$", ylabel=f"mean {_NAMES[name]} ${name}_t$")


def _draw_decays(axes, name, seed):
    for transient in seed:
        decay = getattr(transient, name).decay
        if not decay.failed:
            t = np.arange(len(transient.window))
            look = {"color": "black", "lw": 0.8, "ls": "--", "label": "exponential fit"}
            axes.plot(transient.window, decay(t), **look)


def _aligned(name, seeds, field):
    """A field of every course, (seeds, ξ, …), moved so that all seeds agree before the drive."""
    courses = [[getattr(transient, name) for transient in seed] for seed in seeds]
    values = np.array([[getattr(course, field) for course in seed] for seed in courses])
    start = seeds[0][0].window.start
    before = np.array([np.mean([course.mean[:start] for course in seed]) for seed in courses])
    return values + (before.mean() - before).reshape(-1, *[1] * (values.ndim - 1))


def _draw_levels(axes, name, seeds):
    amplitudes = [transient.drive.amplitude for transient in seeds[0]]
    for field, label, ls in (("onset", "onset $t_0 + 1$", "--"), ("steady", "steady state", "-")):
        values = _aligned(name, seeds, field)
        style.band(axes, amplitudes, values, label=label, color="0.2", ls=ls, marker="o", ms=3)
    axes.set(xlabel=r"drive $\xi$", ylabel=f"mean {_NAMES[name]} ${name}$")


__getattr__ = renamed(__name__, {"transients": "transient_courses"})
