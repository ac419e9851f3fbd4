"""The map of norms holds what it is given."""

import numpy as np
import pytest

from aru_keras.analysis.jacobian import jacobian_norms
from aru_keras.plots import jacobian, style


def test_the_map_of_norms_has_one_cell_a_pair():
    norms = jacobian_norms(np.eye(4), [1.0, 5.0, 20.0], [0.0, 1.0])
    axes = jacobian.jacobian_map(norms).axes[0]
    (mesh,) = axes.collections[:1]
    np.testing.assert_array_equal(mesh.get_array(), norms.mean.T)
    assert mesh.get_cmap().name == style.NORM_MAP and mesh.norm(1.0) == pytest.approx(0.5)
