"""Gain scaling under bursts of noise (Geadah et al. 2024, Fig 3b)."""

from typing import TYPE_CHECKING

import numpy as np

from aru_keras._util.deprecated import renamed, renamed_argument
from aru_keras.analysis.gain_scaling import GainScaling, NoiseBurst
from aru_keras.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WINDOW = 50
"""Steps of the running mean of n and s over the paper's 600 steps; shorter courses have fewer."""


@renamed_argument("found", "scaling")
def gains_under_noise(scaling: GainScaling) -> "Figure":
    """N and s over time and in the steady state, and the spread of the output.

    Over time, n and s are means over seeds of noise, smoothed by a running mean. Steady states have
    a standard error over these seeds. A curve is drawn where its fit did not fail.

    Args:
        scaling: From `analysis.measure_gain_scaling`.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    figure, axes = style.panels(3, 2, row_height=2.2)
    colours = style.drive_colours(scaling.amplitudes)
    for row, (name, symbol) in enumerate((("n", "n"), ("s", "s"))):
        quantity = "gain" if name == "n" else "saturation"
        _draw_traces(axes[row, 0], scaling, name, colours)
        axes[row, 0].set_ylabel(f"mean {quantity} ${symbol}_t$")
        fit = scaling.gain_fit() if name == "n" else scaling.saturation_fit()
        _draw_steady(axes[row, 1], scaling, f"steady_{name}", fit, colours)
        axes[row, 1].set_ylabel(f"steady {quantity} ${symbol}_\\infty$")
    _draw_spread(axes[0, 2], scaling, colours)
    _draw_legend(axes[1, 2], axes[0, 0])
    style.letters([*axes[0], *axes[1, :2]])
    return figure


def _draw_traces(axes, scaling, name, colours):
    for run, label, colour in zip(scaling.runs, _names(scaling), colours, strict=True):
        trace = getattr(run, name).mean(axis=0)
        window = max(1, round(_WINDOW * len(trace) / NoiseBurst().timesteps))
        smooth = np.convolve(trace, np.full(window, 1 / window), mode="valid")
        steps = np.arange(len(smooth)) + (window - 1) / 2
        axes.plot(steps, smooth, color=colour, lw=1, label=label)
    axes.set_xlabel(f"step $t$ (running mean of {window})")


def _names(scaling):
    return [style.number(amplitude) for amplitude in scaling.amplitudes]


def _draw_steady(axes, scaling, name, fit, colours):
    _draw_points(axes, scaling, scaling.amplitudes, scaling.over_amplitudes(name), colours)
    axes.set_xlabel(r"noise $\xi$ (standard deviation)")
    if fit.failed or fit.r_squared is None:
        return
    x = np.linspace(scaling.amplitudes.min(), scaling.amplitudes.max(), 200)
    axes.plot(x, fit(x), color="0.3", lw=1, zorder=0, label="_fit")
    formula = r"$a\xi^{-b}+c$" if name == "steady_n" else r"$a\,e^{-b\xi}+c$"
    b = f"{style.number(fit['b'], '.2g')} ± {style.number(fit.error('b'), '.1g')}"
    text = f"{formula}, $R^2$ = {style.number(fit.r_squared, '.2f')}\n$b$ = {b}"
    height = 0.95 if fit(x)[0] > fit(x)[-1] else 0.25
    axes.text(0.97, height, text, transform=axes.transAxes, ha="right", va="top", fontsize=7)


def _draw_spread(axes, scaling, colours):
    given = scaling.over_amplitudes("input_spread").mean(axis=0)
    _draw_points(axes, scaling, given, scaling.over_amplitudes("output_spread"), colours)
    axes.set(xlabel="spread of the noise", ylabel="spread of the output $h$")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)


def _draw_points(axes, scaling, x, values, colours):
    mean = values.mean(axis=0)
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0 * mean
    for index, (name, colour) in enumerate(zip(_names(scaling), colours, strict=True)):
        look = {"color": colour, "marker": "o", "ms": 4, "capsize": 2}
        axes.errorbar(x[index], mean[index], error[index], label=style.unlisted(name), **look)


def _draw_legend(axes, traces):
    axes.set_axis_off()
    handles = traces.get_legend_handles_labels()
    axes.legend(*handles, title=r"noise $\xi$", loc="center", ncols=2, frameon=False, fontsize=8)


__getattr__ = renamed(__name__, {"gain_scaling": "gains_under_noise", "WINDOW": "_WINDOW"})
