"""The figure of the noise boundary holds what it is given."""

import numpy as np
from drawings import line_labelled

from aru_keras.analysis.noise_boundary import boundary_saturation
from aru_keras.plots import noise_boundary


def test_the_boundary_is_drawn_under_its_points():
    onset = np.array([[[2.0, 3.0]], [[0.2, 0.3]]])
    late = np.array([[[2.5, 3.5]], [[0.1, 0.0]]])
    axes = noise_boundary.noise_boundaries([1.0], onset, late).axes[0]
    curve = line_labelled(axes, "Λ(ξ)")
    np.testing.assert_array_equal(curve.get_ydata(), boundary_saturation(1.0, curve.get_xdata()))
    for label, points in (("onset", onset), ("late", late)):
        np.testing.assert_array_equal(line_labelled(axes, label).get_xydata().T, points[:, 0])
