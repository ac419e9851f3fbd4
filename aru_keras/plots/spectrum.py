"""Eigenvalues of the recurrent weights (Geadah et al. 2024, Fig 5e)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from aru_keras._util.deprecated import renamed_argument
from aru_keras.analysis.spectrum import Spectrum
from aru_keras.plots.noise_boundary import _CURVE_POINTS
from aru_keras.plots.style import PAGE_WIDTH, UNIT_COLOURS, number, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@renamed_argument("found", "spectra")
def eigenvalues(spectra: Mapping[str, Spectrum]) -> "Figure":
    """Eigenvalues of W_hh in the complex plane with the unit circle, one panel each (Fig 5e).

    The titles are the spectral radius, and the mean distance beyond the unit circle, (|λ| − 1)₊.

    Args:
        spectra: What `analysis.recurrent_spectrum` gives, by label, such as "start" and "trained".

    Returns:
        A `matplotlib.figure.Figure`.
    """
    columns = len(spectra)
    figure, row = panels(columns, width=min(2.3 * columns, 2 * PAGE_WIDTH), row_height=2.7)
    reach = 1.1 * max(1.0, *(spectrum.radius for spectrum in spectra.values()))
    circle = np.exp(2j * np.pi * np.linspace(0, 1, _CURVE_POINTS))
    for axes, (label, spectrum) in zip(row, spectra.items(), strict=True):
        axes.plot(circle.real, circle.imag, color="0.6", lw=0.8, label="_unit circle")
        look = {"color": UNIT_COLOURS[0], "ms": 3, "label": "_eigenvalues"}
        axes.plot(spectrum.eigenvalues.real, spectrum.eigenvalues.imag, ".", **look)
        axes.set(aspect="equal", xlim=(-reach, reach), ylim=(-reach, reach), xlabel="Re λ")
        radius, excess = number(spectrum.radius, ".3g"), number(spectrum.excess, ".2g")
        axes.set_title(f"{label}\nradius {radius}\nmean (|λ| − 1)₊ = {excess}", fontsize=9)
    row[0].set_ylabel("Im λ")
    return figure
