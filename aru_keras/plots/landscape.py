"""The plane of (n, s): stability, accuracy, and where training goes (Geadah et al. 2024, Fig 6)."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from aru_keras._util.deprecated import renamed, renamed_argument
from aru_keras.analysis.landscape import Landscape
from aru_keras.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_EXPONENT_MAP, _ACCURACY_MAP = "PuOr_r", "cividis"

_PATH_COLOUR = "#D55E00"

_EXPONENT_LINEAR = 0.01
"""|λ₁| in nats a step up to which its colours are linear, and from where they are logarithmic."""

_MINUS_INFINITY_LABEL = r"$\lambda_1 = -\infty$"


@renamed_argument("found", "landscape")
def landscape_maps(landscape: Landscape, paths: Sequence[np.ndarray] = ()) -> "Figure":
    """Jacobian norm, λ₁ and accuracy over the points, and paths of trained (n, s) over them.

    A point whose λ₁ is −∞ has no colour, but a cross.

    Args:
        landscape: From `analysis.Landscape`.
        paths: (n, s) over epochs of homogeneous networks that train them, (epochs, 2) each; an
            open circle is the start, a full one the end.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    figure, axes = style.panels(3, row_height=2.7)
    colours = {"label": style.unlisted(style.NORM_LABEL), **style.norm_colours()}
    norm = _draw_map(axes[0], landscape, landscape.jacobian_norm, **colours)
    style.norm_bar(axes[0], norm, location="top").ax.tick_params(labelsize=8)
    _draw_exponent(axes[1], landscape)
    label = "accuracy, fixed $(n, s)$ (%)"
    look = {"cmap": _ACCURACY_MAP, "label": style.unlisted(label)}
    _bar_above(axes[2], _draw_map(axes[2], landscape, 100 * landscape.accuracy, **look), label)
    style.letters(axes)
    for path in paths:
        _draw_path(axes[2], np.asarray(path))
    handles, labels = style.legend_entries(axes[1:])
    if labels:
        options = {"loc": "outside lower right", "ncols": 4, "frameon": False, "fontsize": 8}
        figure.legend(handles, labels, **options)
    axes[0].set_ylabel("saturation $s$")
    return figure


def parameter_flow(paths: Sequence[np.ndarray]) -> "Figure":
    """Where training takes (n, s) from the points of a grid: an arrow from start to end (Fig 6d).

    Args:
        paths: (n, s) over epochs, (epochs, 2) each.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: there is no path, or one is not (epochs, 2).
    """
    paths = [np.asarray(path, "float64") for path in paths]
    shapes = [path.shape for path in paths]
    if not paths or any(len(shape) != 2 or shape[0] < 1 or shape[1] != 2 for shape in shapes):
        raise ValueError(f"`paths` must be (epochs, 2) each, one at least. Received: {shapes}.")
    figure, (axes,) = style.panels(1, width=style.COLUMN_WIDTH, row_height=2.7)
    start, end = np.array([path[0] for path in paths]), np.array([path[-1] for path in paths])
    exactly = {"angles": "xy", "scale_units": "xy", "scale": 1}
    axes.plot(*start.T, "o", mfc="white", mec="0.4", ms=4, label="start")
    axes.quiver(*start.T, *(end - start).T, color=_PATH_COLOUR, width=0.008, **exactly)
    axes.plot(*end.T, ".", color=_PATH_COLOUR, ms=4, label="after training")
    axes.set(xlabel="gain $n$", ylabel="saturation $s$")
    axes.legend(frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return figure


def _draw_exponent(axes, landscape):
    """λ₁, in colours that tell apart what is near 0, and crosses where it is −∞."""
    from matplotlib.colors import SymLogNorm

    finite = np.isfinite(landscape.exponent)
    limit = max(np.abs(landscape.exponent[finite]).max(initial=0), 10 * _EXPONENT_LINEAR)
    norm = SymLogNorm(_EXPONENT_LINEAR, vmin=-limit, vmax=limit)
    label = r"$\lambda_1$ (nats a step)"
    look = {"cmap": _EXPONENT_MAP, "norm": norm, "label": style.unlisted(label)}
    exponent = np.where(finite, landscape.exponent, np.nan)
    _mark_decades(_bar_above(axes, _draw_map(axes, landscape, exponent, **look), label), limit)
    if not finite.all():
        crosses = {"marker": "x", "color": "0.3", "ms": 4, "ls": "", "label": _MINUS_INFINITY_LABEL}
        axes.plot(landscape.n[~finite], landscape.s[~finite], **crosses)


def _mark_decades(bar, limit):
    """Ticks at 0 and at every decade of either sign; numbers at five of them at most."""
    decades = _EXPONENT_LINEAR * 10.0 ** np.arange(np.log10(limit / _EXPONENT_LINEAR) + 1e-9)
    numbered = decades[:: -math.ceil(len(decades) / 2)]
    bar.set_ticks(sorted([*-numbered, 0, *numbered]))
    bar.formatter = lambda value, _: style.number(value)
    bar.set_ticks([*-decades, *decades], minor=True)


def _bar_above(axes, mesh, label):
    bar = axes.figure.colorbar(mesh, ax=axes, label=label, location="top")
    bar.ax.tick_params(labelsize=8)
    return bar


def _draw_map(axes, landscape, values, **colours):
    gains, saturations = np.unique(landscape.n), np.unique(landscape.s)
    grid = np.full((len(saturations), len(gains)), np.nan)
    grid[np.searchsorted(saturations, landscape.s), np.searchsorted(gains, landscape.n)] = values
    axes.set_xlabel("gain $n$")
    return axes.pcolormesh(_edges(gains), _edges(saturations), grid, **colours, rasterized=True)


def _edges(centres):
    """Borders of cells about their centres."""
    if len(centres) == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middle = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])


def _draw_path(axes, path):
    line, start, end = "trained $(n, s)$", "its start", "its end"
    axes.plot(*path.T, color="white", lw=2.5, label="_nolegend_")
    axes.plot(*path.T, color=_PATH_COLOUR, lw=1.2, label=line)
    axes.plot(*path[0], "o", color=_PATH_COLOUR, mfc="white", ms=4, label=start)
    axes.plot(*path[-1], "o", color=_PATH_COLOUR, mec="white", ms=5, label=end)


__getattr__ = renamed(
    __name__,
    {
        "landscape": "landscape_maps",
        "flow": "parameter_flow",
        "EXPONENT_MAP": "_EXPONENT_MAP",
        "ACCURACY_MAP": "_ACCURACY_MAP",
        "PATH_COLOUR": "_PATH_COLOUR",
        "EXPONENT_LINEAR": "_EXPONENT_LINEAR",
    },
)
