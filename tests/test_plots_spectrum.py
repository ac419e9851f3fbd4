"""The figure of eigenvalues holds what it is given."""

import numpy as np

from aru_keras.analysis.spectrum import recurrent_spectrum
from aru_keras.plots import spectrum


def test_eigenvalues_lie_in_the_plane():
    found = recurrent_spectrum(np.diag([0.5, -1.2, 1.0]))
    figure = spectrum.eigenvalues({"start": found, "trained": found})
    points = figure.axes[1].get_lines()[1].get_xydata()
    np.testing.assert_array_equal(points, [[-1.2, 0], [1.0, 0], [0.5, 0]])


def test_the_title_tells_a_contracted_matrix_from_one_beyond_the_unit_circle():
    names = {"contracted": [0.5, -0.3, 0.1], "beyond": [0.5, -1.3, 1.2]}
    spectra = {name: recurrent_spectrum(np.diag(values)) for name, values in names.items()}
    contracted, beyond = (axes.get_title() for axes in spectrum.eigenvalues(spectra).axes)
    assert contracted == "contracted\nradius 0.5\nmean (|λ| − 1)₊ = 0"
    assert beyond == "beyond\nradius 1.3\nmean (|λ| − 1)₊ = 0.17"
