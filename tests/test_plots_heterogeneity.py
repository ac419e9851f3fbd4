"""The figure of clouds holds what it is given."""

import numpy as np
import pytest
from drawings import drawn

from aru_keras.analysis.heterogeneity import Cloud
from aru_keras.plots import heterogeneity


def test_clouds_are_drawn_with_ellipses_of_two_deviations():
    cloud = Cloud([[4, 0], [6, 0], [5, 0.1], [5, -0.1]])
    (axes,) = heterogeneity.parameter_clouds({"start": Cloud([[5, 0]]), "trained": cloud}).axes
    np.testing.assert_allclose(axes.collections[1].get_offsets(), cloud.points)
    (_, ellipse) = drawn(axes)
    deviations = np.sqrt(np.diag(cloud.covariance))
    np.testing.assert_allclose(np.ptp(ellipse, axis=1), 4 * deviations, rtol=2e-3)


def test_more_stages_than_can_be_told_apart_are_refused():
    stages = {f"epoch {k}": Cloud([[5, k]]) for k in range(6)}
    with pytest.raises(ValueError, match=r"`stages` must be at most five.*Received: 6"):
        heterogeneity.parameter_clouds(stages)
