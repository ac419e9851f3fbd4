"""Jacobian norms, the noise boundary, stationary distributions and spectra (Geadah et al. 2024, Fig
5 and 6)."""

from collections.abc import Mapping, Sequence

import numpy as np

from aru_keras.analysis.boundary import NOISE, boundary_saturation, decays
from aru_keras.analysis.jacobian import JacobianNorms
from aru_keras.analysis.spectrum import Spectrum
from aru_keras.analysis.stationary import StationaryLines
from aru_keras.plots.style import (
    COLUMN_WIDTH,
    NORM_LABEL,
    PAGE_WIDTH,
    UNIT_COLOURS,
    drive_colours,
    legend_entries,
    letters,
    norm_bar,
    norm_colours,
    number,
    panels,
    unlisted,
)

BINS, REACH = 60, 4.0
"""Of histograms of standardised states: their number, and how many deviations they reach."""

CURVE_POINTS = 400
DECAYS_SHADE = "0.92"
MARGIN = 0.25
"""Space about the points of a boundary figure, as a share of their range."""


def jacobian_map(norms: JacobianNorms):
    """The mean norm of the Jacobian over the grid of (n, s), and the line where it is 1 (Fig 6).

    Args:
        norms: Of `jacobian.jacobian_norms`, on two gains and two saturations or more.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    figure, (axes,) = panels(1, width=COLUMN_WIDTH, row_height=2.8)
    label = unlisted(NORM_LABEL)
    mesh = axes.pcolormesh(norms.n, norms.s, norms.mean.T, label=label, **norm_colours())
    axes.set(xlabel="gain n", ylabel="saturation s")
    bar = norm_bar(axes, mesh)
    if norms.mean.min() < 1 < norms.mean.max():
        line = axes.contour(norms.n, norms.s, norms.mean.T, levels=[1], colors="k", linewidths=1)
        line.set_label("_norm 1")
        bar.add_lines(line)
    return figure


def noise_boundary(drives: Sequence[float], onset, late, noise: float = NOISE):
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
    for place, (axes, drive) in enumerate(zip(row, drives, strict=True)):
        _draw_boundary(axes, drive, gains, saturations, noise)
        _draw_points(axes, points[:, :, place])
        axes.set_title(f"ξ = {number(drive)}", fontsize=9)
        axes.set(xlabel="gain n", xlim=gains[[0, -1]], ylim=saturations[[0, -1]])
        axes.tick_params(axis="x", labelrotation=45)
        axes.tick_params(labelleft=axes is row[0])
    row[0].set_ylabel("saturation s")
    place = {"ncols": 4, "loc": "outside lower center"}
    figure.legend(*legend_entries(row[:1]), **place, frameon=False, fontsize=8)
    return figure


def stationary(states: Mapping[float, np.ndarray], lines: StationaryLines):
    """Distributions of h under each drive, standardised, and their mean and deviation over ξ.

    Args:
        states: h of any shape, by ξ.
        lines: Of `stationary.stationary_lines`, for the same ξ.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    from scipy.stats import norm

    figure, (left, middle, right) = panels(3)
    found, edges = lines.distributions, np.linspace(-REACH, REACH, BINS + 1)
    for one, colour in zip(found, drive_colours([one.drive for one in found]), strict=True):
        h = (np.ravel(states[one.drive]) - one.mean) / one.deviation
        density = np.histogram(h, edges)[0] / (h.size * np.diff(edges))
        left.stairs(density, edges, color=colour, lw=1.2, label=f"ξ = {number(one.drive)}")
    left.plot(edges, norm.pdf(edges), "k:", lw=1.2, label="Gaussian")
    left.set(xlabel="(h − mean) / deviation", ylabel="density")
    left.legend(frameon=False, fontsize=6, handlelength=1.2)
    _draw_line(middle, found, "mean", lines.mean, "mean of h")
    _draw_line(right, found, "deviation", lines.deviation, "standard deviation of h")
    letters((left, middle, right))
    return figure


def spectra(found: Mapping[str, Spectrum]):
    """Eigenvalues of W_hh in the complex plane with the unit circle, one panel each (Fig 5e).

    Args:
        found: Of `spectrum.spectrum`, by label, such as "start" and "trained".

    Returns:
        A `matplotlib.figure.Figure`.
    """
    columns = len(found)
    figure, row = panels(columns, width=min(2.3 * columns, 2 * PAGE_WIDTH), row_height=2.5)
    reach = 1.1 * max(1.0, *(one.radius for one in found.values()))
    circle = np.exp(2j * np.pi * np.linspace(0, 1, CURVE_POINTS))
    for axes, (label, one) in zip(row, found.items(), strict=True):
        axes.plot(circle.real, circle.imag, color="0.6", lw=0.8, label="_unit circle")
        look = {"color": UNIT_COLOURS[0], "ms": 3, "label": "_eigenvalues"}
        axes.plot(one.eigenvalues.real, one.eigenvalues.imag, ".", **look)
        axes.set(aspect="equal", xlim=(-reach, reach), ylim=(-reach, reach), xlabel="Re λ")
        distance = number(one.circle_distance, ".2g")
        axes.set_title(f"{label}\nmean ||λ| − 1| = {distance}", fontsize=9)
    row[0].set_ylabel("Im λ")
    return figure


def _region(drives, points, noise):
    """Gains and saturations that hold all points (2, 2, D, K), and Λ(ξ) of every ξ near them."""
    n, s = (_limits(points[:, which]) for which in (0, 1))
    gains = np.linspace(*n, CURVE_POINTS)
    curves = np.stack([boundary_saturation(drive, gains, noise) for drive in drives])
    # Far enough to show Λ(ξ), but at most as far again on either side.
    shown = np.clip(curves, s[0] - np.ptp(s), s[1] + np.ptp(s))
    return gains, np.linspace(min(s[0], shown.min()), max(s[1], shown.max()), CURVE_POINTS)


def _draw_boundary(axes, drive, gains, saturations, noise):
    """Λ(ξ), and the shaded region where noise decays."""
    gridded = np.meshgrid(gains, saturations)
    inside = decays(drive, *gridded, noise).astype("float64")
    axes.contourf(*gridded, inside, levels=[0.5, 1.5], colors=[DECAYS_SHADE])
    axes.fill_between([], [], color=DECAYS_SHADE, label="noise decays")
    curve = boundary_saturation(drive, gains, noise)
    axes.plot(gains, np.where(np.abs(curve) < 1e3, curve, np.nan), color="k", lw=1.2, label="Λ(ξ)")


def _draw_points(axes, points):
    """Points (2, 2, K): onset and late, of n and s."""
    styles = (("onset", UNIT_COLOURS[4], "o"), ("late", UNIT_COLOURS[1], "s"))
    for one, (label, colour, marker) in zip(points, styles, strict=True):
        axes.plot(*one, marker, ms=3, alpha=0.6, color=colour, label=label)


def _limits(values):
    low, high = values.min(), values.max()
    margin = MARGIN * max(high - low, 1e-3 * max(abs(low), abs(high), 1e-3))
    return low - margin, high + margin


def _draw_line(axes, found, name, fit, label):
    drives = np.array([one.drive for one in found])
    values = [getattr(one, name) for one in found]
    axes.plot(drives, values, "o", color=UNIT_COLOURS[0], ms=4, label="_measured")
    text, place = "no line", {"y": 0.97, "va": "top"}
    if not fit.failed:
        axes.plot(drives, fit(drives), color=UNIT_COLOURS[1], lw=1.2, label="_line")
        slope = f"{number(fit['slope'], '.3g')} ± {number(fit.error('slope'), '.1g')}"
        if fit["slope"] < 0:
            place = {"y": 0.03, "va": "bottom"}
        text = f"slope {slope}\nR² = {number(fit.r_squared, '.3f')}"
    axes.text(0.04, s=text, transform=axes.transAxes, fontsize=8, **place)
    axes.set(xlabel="drive ξ", ylabel=label)
