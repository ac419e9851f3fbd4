"""Spectra of matrices whose eigenvalues are known."""

import numpy as np
import pytest
from support import array

from aru_keras.analysis.spectrum import recurrent_spectrum
from aru_keras.initializers import HenaffOrthogonal


@pytest.mark.parametrize("size", [6, 7])
def test_henaff_weights_lie_on_the_unit_circle(size):
    kernel = array(HenaffOrthogonal(seed=0)((size, size)))
    found = recurrent_spectrum(kernel)
    # float32 weights.
    assert found.farthest_from_circle < 1e-6
    assert found.radius == pytest.approx(1, abs=1e-6)
    # Pairs cos θ ± i sin θ of the blocks' angles, and 1 for an odd size.
    cosines = np.repeat(np.diag(kernel)[: 2 * (size // 2) : 2], 2)
    expected = np.sort(np.append(cosines, np.ones(size % 2)))
    np.testing.assert_allclose(np.sort(found.eigenvalues.real), expected, atol=1e-6)


def test_eigenvalues_of_a_triangular_matrix_and_their_statistics():
    kernel = np.diag([0.5, -2.0, 1.0, 1.25]) + np.triu(np.ones((4, 4)), 1)
    found = recurrent_spectrum(kernel)
    np.testing.assert_allclose(found.eigenvalues, [-2, 1.25, 1, 0.5], atol=1e-12)
    np.testing.assert_allclose(found.moduli, [2, 1.25, 1, 0.5], atol=1e-12)
    assert found.radius == pytest.approx(2)
    assert found.excess == pytest.approx((1 + 0.25) / 4)  # What lies inside does not count.
    assert found.circle_distance == pytest.approx((1 + 0.25 + 0 + 0.5) / 4)
    assert found.farthest_from_circle == pytest.approx(1)


def test_the_share_outside_the_circle():
    assert recurrent_spectrum(np.diag([0.5, -2.0, 0.9, 1.25])).outside == 0.5


def test_the_layout_makes_no_difference():
    kernel = np.random.default_rng(0).normal(size=(5, 5))
    np.testing.assert_allclose(
        recurrent_spectrum(kernel).moduli, recurrent_spectrum(kernel.T).moduli
    )


def test_what_is_no_finite_square_matrix_is_refused():
    for kernel in (np.ones((2, 3)), np.ones(4), np.full((2, 2), np.nan)):
        with pytest.raises(ValueError, match="finite square matrix"):
            recurrent_spectrum(kernel)
