"""Gain scaling under bursts of noise (Geadah et al. 2024, Fig 3b)."""

import numpy as np

from aru_keras.analysis.fitting import Fit
from aru_keras.analysis.gain_scaling import GainScaling
from aru_keras.plots import style

WINDOW = 50
"""Steps of the running mean of n and s over time, at most."""


def gain_scaling(found: GainScaling):
    """n and s over time and in the steady state, and the spread of the output.

    Over time, n and s are means over seeds of noise, smoothed by a running mean. Steady states have
    a standard error over these seeds. A curve is drawn where its fit did not fail.

    Args:
        found: From `analysis.gain_scaling.gain_scaling`.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    figure, axes = style.panels(3, 2, row_height=2.2)
    colours = style.drive_colours(found.amplitudes)
    for row, (name, symbol) in enumerate((("n", "n"), ("s", "s"))):
        what = "gain" if name == "n" else "saturation"
        _draw_traces(axes[row, 0], found, name, colours)
        axes[row, 0].set_ylabel(f"mean {what} ${symbol}_t$")
        fit = found.gain_fit() if name == "n" else found.saturation_fit()
        _draw_steady(axes[row, 1], found, f"steady_{name}", fit, colours)
        axes[row, 1].set_ylabel(f"steady {what} ${symbol}_\\infty$")
    _draw_spread(axes[0, 2], found, colours)
    _draw_legend(axes[1, 2], axes[0, 0])
    style.letters([*axes[0], *axes[1, :2]])
    return figure


def _draw_traces(axes, found, name, colours):
    for run, label, colour in zip(found.runs, _names(found), colours, strict=True):
        trace = getattr(run, name).mean(axis=0)
        window = min(WINDOW, len(trace))
        smooth = np.convolve(trace, np.full(window, 1 / window), mode="valid")
        steps = np.arange(len(smooth)) + (window - 1) / 2
        axes.plot(steps, smooth, color=colour, lw=1, label=label)
    axes.set_xlabel(f"step $t$ (running mean of {window})")


def _names(found):
    return [style.number(amplitude) for amplitude in found.amplitudes]


def _draw_steady(axes, found, name, fit: Fit, colours):
    _draw_points(axes, found, found.amplitudes, found.over_amplitudes(name), colours)
    axes.set_xlabel(r"noise $\xi$ (standard deviation)")
    if fit.failed:
        return
    x = np.linspace(found.amplitudes.min(), found.amplitudes.max(), 200)
    axes.plot(x, fit(x), color="0.3", lw=1, zorder=0, label="_fit")
    formula = r"$a\xi^{-b}+c$" if name == "steady_n" else r"$a\,e^{-b\xi}+c$"
    b = f"{style.number(fit['b'], '.2g')} ± {style.number(fit.error('b'), '.1g')}"
    text = f"{formula}, $R^2$ = {style.number(fit.r_squared, '.2f')}\n$b$ = {b}"
    place = 0.95 if fit(x)[0] > fit(x)[-1] else 0.25
    axes.text(0.97, place, text, transform=axes.transAxes, ha="right", va="top", fontsize=7)


def _draw_spread(axes, found, colours):
    given = found.over_amplitudes("input_spread").mean(axis=0)
    _draw_points(axes, found, given, found.over_amplitudes("output_spread"), colours)
    axes.set(xlabel="spread of the noise", ylabel="spread of the output $h$")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)


def _draw_points(axes, found, x, values, colours):
    mean = values.mean(axis=0)
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0 * mean
    for place, (name, colour) in enumerate(zip(_names(found), colours, strict=True)):
        look = {"color": colour, "marker": "o", "ms": 4, "capsize": 2}
        axes.errorbar(x[place], mean[place], error[place], label=style.unlisted(name), **look)


def _draw_legend(axes, traces):
    axes.set_axis_off()
    handles = traces.get_legend_handles_labels()
    axes.legend(*handles, title=r"noise $\xi$", loc="center", ncols=2, frameon=False, fontsize=8)
