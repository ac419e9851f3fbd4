"""Onset and steady state under step drives (Geadah et al. 2024, Fig 4a)."""

from collections.abc import Sequence

import numpy as np

from aru_keras.analysis.transients import Transient
from aru_keras.plots import style

_NAMES = {"n": "gain", "s": "saturation"}


def transients(seeds: Sequence[Sequence[Transient]]):
    """n and s over time under every ξ, and their onset and steady state over ξ.

    The traces are means over seeds; with one seed, an exponential decay is drawn over them, black
    and dashed, where its fit did not fail. Onset and steady state have a band of one standard error
    over seeds, of their change with ξ alone: seeds start from different gains.

    Args:
        seeds: For each network of a kind, what `analysis.transients.transients` returns for it.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    figure, axes = style.panels(2, 2, row_height=2.3)
    for row, name in enumerate("ns"):
        _draw_traces(axes[row, 0], name, seeds)
        _draw_levels(axes[row, 1], name, seeds)
    axes[0, 1].legend(frameon=False, fontsize=8)
    handles = axes[0, 0].get_legend_handles_labels()
    figure.legend(*handles, title=r"drive $\xi$", loc="outside right", frameon=False, fontsize=8)
    for one, text in zip(axes.flat, "ABCD", strict=True):
        style.letter(one, text)
    return figure


def _draw_traces(axes, name, seeds):
    amplitudes = [one.drive.amplitude for one in seeds[0]]
    for place, colour in enumerate(style.drive_colours(amplitudes)):
        courses = [getattr(seed[place], name) for seed in seeds]
        trace = np.mean([course.mean for course in courses], axis=0)
        axes.plot(trace, color=colour, lw=0.9, label=f"{amplitudes[place]:g}")
        if len(seeds) == 1 and not courses[0].decay.failed:
            t = np.arange(len(seeds[0][place].window))
            axes.plot(seeds[0][place].window, courses[0].decay(t), color="black", lw=0.8, ls="--")
    window = seeds[0][0].window
    axes.axvspan(window.start - 0.5, window.stop - 0.5, color="0.93", zorder=-1)
    axes.set(xlabel="step $t$", ylabel=f"mean {_NAMES[name]} ${name}_t$")


def _draw_levels(axes, name, seeds):
    amplitudes = [one.drive.amplitude for one in seeds[0]]
    for field, label, ls in (("onset", "onset $t_0 + 1$", "--"), ("steady", "steady state", "-")):
        values = np.array([[getattr(getattr(one, name), field) for one in seed] for seed in seeds])
        values += values.mean() - values.mean(axis=1, keepdims=True)
        style.band(axes, amplitudes, values, label=label, color="0.2", ls=ls, marker="o", ms=3)
    axes.set(xlabel=r"drive $\xi$", ylabel=f"mean {_NAMES[name]} ${name}$")
