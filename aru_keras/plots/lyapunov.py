"""Lyapunov exponents of adapted and frozen networks (Geadah et al. 2024, Fig 5c–d, App. D)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from aru_keras._util.deprecated import renamed, renamed_argument
from aru_keras.analysis.lyapunov import AdaptedExponents, LyapunovExponents
from aru_keras.plots.style import COLUMN_WIDTH, band, drive_colours, number, panels, unit_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LEADING = "$\\lambda_1$ (nats per step)"


@renamed_argument("found", "exponents")
def exponents_after_onset(
    drives: Sequence[float], steps: Sequence[int], exponents: Sequence[LyapunovExponents]
) -> "Figure":
    """The leading exponent with the (n, s) of each step after a drive's onset, by ξ (Fig 5c).

    Args:
        drives: ξ, (D,).
        steps: After onset, (K,).
        exponents: What `analysis.exponents_after_onset` gives, (D, K, H, k), of each seed. The band
            is one standard error over seeds, a thin line one seed.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: an exponent is −inf.
    """
    figure, (axes,) = panels(1, width=COLUMN_WIDTH, row_height=2.6)
    values = _leading(exponents)
    for index, colour in enumerate(drive_colours(drives)):
        label = f"ξ = {number(drives[index])}"
        band(axes, steps, values[:, index], label=label, color=colour, marker="o", ms=3)
    _mark_zero(axes)
    axes.set(xlabel="steps after onset", ylabel=_LEADING)
    _in_bits(axes)
    axes.locator_params(axis="x", integer=True)
    _legend_above(axes)
    return figure


@renamed_argument("found", "exponents")
def adapted_and_frozen_exponents(exponents: Sequence[AdaptedExponents]) -> "Figure":
    """The leading exponent over ξ, with adapted (n, s) and with those of ξ = 0 (Fig 5d).

    Args:
        exponents: What `analysis.adapted_and_frozen_exponents` gives, of each seed, for the same ξ.
            The bands are one standard error over seeds, a thin line is one seed.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: an exponent is −inf.
    """
    figure, (axes,) = panels(1, width=COLUMN_WIDTH, row_height=2.6)
    order = np.argsort(exponents[0].drives)
    for index, name in enumerate(("adapted", "frozen")):
        values = _leading([getattr(seed, name) for seed in exponents])
        style = {**unit_style(index), "marker": "os"[index], "ms": 4, "ls": ("-", "--")[index]}
        band(axes, exponents[0].drives[order], values[:, order], label=name, **style)
    _mark_zero(axes)
    axes.set(xlabel="drive ξ", ylabel=_LEADING)
    _in_bits(axes)
    _legend_above(axes)
    return figure


def exponent_spectra(spectra: Mapping[float | str, LyapunovExponents]) -> "Figure":
    """Whole Lyapunov spectra over their index, as a share of N.

    Args:
        spectra: By ξ, a number, or by another label, a string; exponents (H, N). The band is one
            standard error over initial conditions; a spectrum ends where its exponents become
            −inf.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    figure, (axes,) = panels(1, width=COLUMN_WIDTH, row_height=2.6)
    for (label, style), spectrum in zip(_labelled(spectra), spectra.values(), strict=True):
        finite = np.isfinite(spectrum.mean)
        index = np.arange(1, len(finite) + 1) / len(finite)
        if not finite.all():
            label = f"{label} ({np.count_nonzero(~finite)} at −∞)"
        exponents = spectrum.exponents[:, finite]
        band(axes, index[finite], exponents, label=label, each=False, **style)
    _mark_zero(axes)
    axes.set(xlabel="index $i/N$", ylabel="$\\lambda_i$ (nats per step)")
    _legend_above(axes)
    return figure


def _labelled(keys):
    """Label and style of the line of each key: the colour of its ξ, or that of its place."""
    drives = [key for key in keys if not isinstance(key, str)]
    colours = dict(zip(drives, drive_colours(drives), strict=True))
    return [
        (f"ξ = {number(key)}", {"color": colours[key], "lw": 1.2})
        if key in colours
        else (key, unit_style(index))
        for index, key in enumerate(keys)
    ]


def _leading(seeds):
    """λ₁ over initial conditions, (seeds, …)."""
    values = np.stack([seed.mean[..., 0] for seed in seeds])
    if not np.isfinite(values).all():
        raise ValueError(
            "`exponents` must have finite leading exponents to be drawn. Received: "
            f"{np.count_nonzero(np.isinf(values))} of −inf: networks that forget within a step."
        )
    return values


def _in_bits(axes):
    """A second axis in the paper's unit."""
    bits = axes.secondary_yaxis(
        "right", functions=(lambda nats: nats / np.log(2), lambda bits: bits * np.log(2))
    )
    bits.set_ylabel("$\\lambda_1$ (bits per step)")


def _legend_above(axes):
    """Beside the data, wherever they lie."""
    axes.legend(frameon=False, fontsize=8, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1))


def _mark_zero(axes):
    axes.axhline(0, color="0.5", lw=0.8, zorder=0, label="_zero")


__getattr__ = renamed(
    __name__,
    {
        "adapted_and_frozen": "adapted_and_frozen_exponents",
        "spectra_of_exponents": "exponent_spectra",
        "LEADING": "_LEADING",
    },
)
