"""The boundary between decaying and growing noise (Geadah et al. 2024, Prop. 1, Fig 5b)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from aru_keras.analysis.noise_boundary import BOUNDARY_NOISE, boundary_saturation, noise_decays
from aru_keras.plots.style import (
    COLUMN_WIDTH,
    PAGE_WIDTH,
    UNIT_COLOURS,
    legend_entries,
    number,
    panels,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CURVE_POINTS = 400
_DECAYS_SHADE = "0.92"
_MARGIN = 0.25
"""Space about the points of a boundary figure, as a share of their range."""


def noise_boundaries(
    drives: Sequence[float], onset: ArrayLike, late: ArrayLike, noise: float = BOUNDARY_NOISE
) -> "Figure":
    """Points (n, s) at onset and late over the boundary Λ(ξ), one panel a drive (Fig 5b).

    The decaying region, σ·γ′(ξ; n, s) < 1, is shaded. All panels have the same limits.

    Args:
        drives: ξ, (D,).
        onset: n and s just after onset, each (D, K) for K units, sequences or seeds.
        late: n and s long after, likewise.
        noise: σ.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    width = PAGE_WIDTH if len(drives) > 1 else COLUMN_WIDTH
    figure, row = panels(len(drives), width=width)
    points = np.stack([np.asarray(onset, "float64"), np.asarray(late, "float64")])
    gains, saturations = _region(drives, points, noise)
    for index, (axes, drive) in enumerate(zip(row, drives, strict=True)):
        _draw_boundary(axes, drive, gains, saturations, noise)
        _draw_points(axes, points[:, :, index])
        axes.set_title(f"ξ = {number(drive)}", fontsize=9)
        axes.set(xlabel="gain n", xlim=gains[[0, -1]], ylim=saturations[[0, -1]])
        axes.tick_params(axis="x", labelrotation=45)
        axes.tick_params(labelleft=axes is row[0])
    row[0].set_ylabel("saturation s")
    below = {"ncols": 4, "loc": "outside lower center"}
    figure.legend(*legend_entries(row[:1]), **below, frameon=False, fontsize=8)
    return figure


def _region(drives, points, noise):
    """Gains and saturations that hold all points (2, 2, D, K), and Λ(ξ) of every ξ near them."""
    n, s = (_limits(points[:, which]) for which in (0, 1))
    gains = np.linspace(*n, _CURVE_POINTS)
    curves = np.stack([boundary_saturation(drive, gains, noise) for drive in drives])
    # Far enough to show Λ(ξ), but at most as far again on either side.
    shown = np.clip(curves, s[0] - np.ptp(s), s[1] + np.ptp(s))
    return gains, np.linspace(min(s[0], shown.min()), max(s[1], shown.max()), _CURVE_POINTS)


def _draw_boundary(axes, drive, gains, saturations, noise):
    """Λ(ξ), and the shaded region where noise decays."""
    gridded = np.meshgrid(gains, saturations)
    inside = noise_decays(drive, *gridded, noise).astype("float64")
    axes.contourf(*gridded, inside, levels=[0.5, 1.5], colors=[_DECAYS_SHADE])
    axes.fill_between([], [], color=_DECAYS_SHADE, label="noise decays")
    curve = boundary_saturation(drive, gains, noise)
    axes.plot(gains, np.where(np.abs(curve) < 1e3, curve, np.nan), color="k", lw=1.2, label="Λ(ξ)")


def _draw_points(axes, points):
    """Points (2, 2, K): onset and late, of n and s."""
    styles = (("onset", UNIT_COLOURS[4], "o"), ("late", UNIT_COLOURS[1], "s"))
    for (n, s), (label, colour, marker) in zip(points, styles, strict=True):
        axes.plot(n, s, marker, ms=3, alpha=0.6, color=colour, label=label)


def _limits(values):
    low, high = values.min(), values.max()
    margin = _MARGIN * max(high - low, 1e-3 * max(abs(low), abs(high), 1e-3))
    return low - margin, high + margin
