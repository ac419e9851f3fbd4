"""The plane of (n, s): stability, accuracy, and where training goes (Geadah et al. 2024, Fig 6)."""

from collections.abc import Sequence

import numpy as np

from aru_keras.analysis.landscape import Landscape
from aru_keras.plots import style

NORM_MAP, EXPONENT_MAP, ACCURACY_MAP = "PuOr_r", "PuOr_r", "cividis"


def landscape(found: Landscape, paths: Sequence[np.ndarray] = ()):
    """Jacobian norm, λ₁ and accuracy over the points, and paths of trained (n, s) over them.

    Args:
        found: From `analysis.landscape.Landscape`.
        paths: (n, s) over epochs of homogeneous networks that train them, (epochs, 2) each; an
            open circle is the start, a full one the end.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    figure, axes = style.panels(3, row_height=2.7)
    norm = np.log10(found.jacobian_norm)
    finite = found.exponent[np.isfinite(found.exponent)]
    exponent = np.maximum(found.exponent, finite.min() if finite.size else 0)
    maps = (
        (norm, "$\\log_{10}$ mean Jacobian norm", NORM_MAP, True),
        (exponent, r"$\lambda_1$ (nats a step)", EXPONENT_MAP, True),
        (100 * found.accuracy, "accuracy, fixed $(n, s)$ (%)", ACCURACY_MAP, False),
    )
    for one, (values, label, colours, centred), text in zip(axes, maps, "ABC", strict=True):
        _draw_map(figure, one, found, values, label, colours, centred)
        style.letter(one, text)
    for path in paths:
        _draw_path(axes[2], np.asarray(path))
    axes[0].set_ylabel("saturation $s$")
    return figure


def _draw_map(figure, axes, found, values, label, colours, centred):
    limit = np.abs(values).max() or 1
    limits = {"vmin": -limit, "vmax": limit} if centred else {}
    gains, saturations = np.unique(found.n), np.unique(found.s)
    grid = np.full((len(saturations), len(gains)), np.nan)
    grid[np.searchsorted(saturations, found.s), np.searchsorted(gains, found.n)] = values
    mesh = axes.pcolormesh(
        _edges(gains), _edges(saturations), grid, cmap=colours, **limits, rasterized=True
    )
    axes.set_xlabel("gain $n$")
    figure.colorbar(mesh, ax=axes, label=label, location="top")


def _edges(centres):
    """Borders of cells about their centres."""
    if len(centres) == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middle = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])


def _draw_path(axes, path):
    axes.plot(*path.T, color="white", lw=2.5)
    axes.plot(*path.T, color="#D55E00", lw=1.2)
    axes.plot(*path[0], "o", mfc="white", mec="#D55E00", ms=4)
    axes.plot(*path[-1], "o", mfc="#D55E00", mec="white", ms=5)
