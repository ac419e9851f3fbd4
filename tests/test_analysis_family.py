"""The family of γ and its limits, in closed form."""

import numpy as np
import pytest
from support import array

from aru_keras import gamma
from aru_keras.analysis.family import activation_family


def test_curves_are_gamma_over_the_grid():
    found = activation_family((1, 5), (0, 0.3, 1), np.linspace(-3, 3, 11))
    assert found.values.shape == found.slopes.shape == (2, 3, 11)
    for i, n in enumerate(found.gains):
        for j, s in enumerate(found.saturations):
            known = array(gamma(found.x.astype("float32"), n, s))
            np.testing.assert_allclose(found.values[i, j], known, rtol=1e-5, atol=1e-6)


def test_slopes_are_those_of_the_curves():
    x, step = np.linspace(-3, 3, 13), 1e-5
    ahead, behind = (activation_family(x=x + d).values for d in (step, -step))
    # Central differences: off by step², and by the digits that the difference loses.
    np.testing.assert_allclose(
        activation_family(x=x).slopes, (ahead - behind) / (2 * step), atol=1e-7
    )


def test_softplus_and_sigmoid_are_corners_of_the_family():
    found = activation_family((1,), (0, 1))
    np.testing.assert_allclose(found.values[0, 0], np.log1p(np.exp(found.x)), rtol=1e-12)
    np.testing.assert_allclose(found.values[0, 1], 1 / (1 + np.exp(-found.x)), rtol=1e-12)
    np.testing.assert_allclose(found.values[0, 0], found.limits["softplus"], rtol=1e-12)
    np.testing.assert_allclose(found.values[0, 1], found.limits["sigmoid"], rtol=1e-12)


def test_relu_is_the_limit_of_large_gains():
    """softplus(n·x)/n is off ReLU by log 2/n at most, at x = 0."""
    found = activation_family((1, 10, 1000), (0,))
    off = found.values[:, 0] - found.limits["ReLU"]
    np.testing.assert_allclose(off.max(axis=1), np.log(2) / found.gains, rtol=1e-12)
    assert (off.argmax(axis=1) == 200).all() and found.x[200] == 0


@pytest.mark.parametrize("name", ["gains", "saturations", "x"])
@pytest.mark.parametrize("values", [[], [np.nan], 3.0])
def test_what_is_no_list_of_numbers_is_an_error(name, values):
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        activation_family(**{name: values})
