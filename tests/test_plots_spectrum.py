"""The figure of eigenvalues holds what it is given."""

import numpy as np

from aru_keras.analysis.spectrum import recurrent_spectrum
from aru_keras.plots import spectrum


def test_eigenvalues_lie_in_the_plane():
    found = recurrent_spectrum(np.diag([0.5, -1.2, 1.0]))
    figure = spectrum.eigenvalues({"start": found, "trained": found})
    points = figure.axes[1].get_lines()[1].get_xydata()
    np.testing.assert_array_equal(points, [[-1.2, 0], [1.0, 0], [0.5, 0]])
