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
    PAGE_WIDTH,
    UNIT_COLOURS,
    drive_colours,
    letter,
    norm_bar,
    norm_colours,
    panels,
)

BINS, REACH = 60, 4.0
"""Of histograms of standardised states: their number, and how many deviations they reach."""

CURVE_POINTS = 400
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
    mesh = axes.pcolormesh(norms.n, norms.s, norms.mean.T, **norm_colours())
    if norms.mean.min() < 1 < norms.mean.max():
        axes.contour(norms.n, norms.s, norms.mean.T, levels=[1], colors="k", linewidths=1)
    axes.set(xlabel="gain n", ylabel="saturation s")
    norm_bar(axes, mesh)
    return figure


def noise_boundary(drives: Sequence[float], onset, late, noise: float = NOISE):
    """Points (n, s) at onset and late over the boundary Λ(ξ), one panel a drive (Fig 5b).

    The decaying region, σ·γ′(ξ; n, s) < 1, is shaded.

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
    onset, late = np.asarray(onset, "float64"), np.asarray(late, "float64")
    for place, (axes, drive) in enumerate(zip(row, drives, strict=True)):
        points = np.stack([onset[:, place], late[:, place]])
        _draw_boundary(axes, drive, points, noise)
        axes.set_title(f"ξ = {drive:g}", fontsize=9)
        axes.set_xlabel("gain n")
        axes.tick_params(axis="x", labelrotation=45)
    row[0].set_ylabel("saturation s")
    handles, labels = row[0].get_legend_handles_labels()
    figure.legend(handles, labels, ncols=4, loc="outside lower center", frameon=False, fontsize=8)
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
        left.stairs(density, edges, color=colour, lw=1.2, label=f"ξ = {one.drive:g}")
    left.plot(edges, norm.pdf(edges), "k:", lw=1.2, label="Gaussian")
    left.set(xlabel="(h − mean) / deviation", ylabel="density")
    left.legend(frameon=False, fontsize=6, handlelength=1.2)
    _draw_line(middle, found, "mean", lines.mean, "mean of h")
    _draw_line(right, found, "deviation", lines.deviation, "standard deviation of h")
    for axes, text in zip((left, middle, right), "ABC", strict=True):
        letter(axes, text)
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
        axes.plot(circle.real, circle.imag, color="0.6", lw=0.8)
        axes.plot(one.eigenvalues.real, one.eigenvalues.imag, ".", color=UNIT_COLOURS[0], ms=3)
        axes.set(aspect="equal", xlim=(-reach, reach), ylim=(-reach, reach), xlabel="Re λ")
        axes.set_title(f"{label}\nmean ||λ| − 1| = {one.circle_distance:.2g}", fontsize=9)
    row[0].set_ylabel("Im λ")
    return figure


def _draw_boundary(axes, drive, points, noise):
    """Λ(ξ) about points (2, 2, K): onset and late, of n and s."""
    n, s = (_limits(points[:, which]) for which in (0, 1))
    gains = np.linspace(*n, CURVE_POINTS)
    curve = boundary_saturation(drive, gains, noise)
    # Far enough to show Λ(ξ), but at most as far again on either side.
    shown = np.clip(curve, s[0] - np.ptp(s), s[1] + np.ptp(s))
    s = min(s[0], shown.min()), max(s[1], shown.max())
    gridded = np.meshgrid(gains, np.linspace(*s, CURVE_POINTS))
    inside = decays(drive, *gridded, noise).astype("float64")
    axes.contourf(*gridded, inside, levels=[0.5, 1.5], colors=["0.92"])
    axes.plot(gains, np.where(np.abs(curve) < 1e3, curve, np.nan), color="k", lw=1.2, label="Λ(ξ)")
    styles = (("onset", UNIT_COLOURS[4], "o"), ("late", UNIT_COLOURS[1], "s"))
    for one, (label, colour, marker) in zip(points, styles, strict=True):
        axes.plot(*one, marker, ms=3, alpha=0.6, color=colour, label=label)
    axes.set(xlim=n, ylim=s)


def _limits(values):
    low, high = values.min(), values.max()
    margin = MARGIN * max(high - low, 1e-3 * max(abs(low), abs(high), 1e-3))
    return low - margin, high + margin


def _draw_line(axes, found, name, fit, label):
    drives = np.array([one.drive for one in found])
    axes.plot(drives, [getattr(one, name) for one in found], "o", color=UNIT_COLOURS[0], ms=4)
    text = "no line"
    if not fit.failed:
        axes.plot(drives, fit(drives), color=UNIT_COLOURS[1], lw=1.2)
        text = f"slope {fit['slope']:.3g} ± {fit.error('slope'):.1g}\nR² = {fit.r_squared:.3f}"
    axes.text(0.04, 0.97, text, transform=axes.transAxes, va="top", fontsize=8)
    axes.set(xlabel="drive ξ", ylabel=label)
