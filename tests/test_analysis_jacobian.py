"""Norms of Jacobians against numpy's singular values, and the largest slope against a search."""

import numpy as np
import pytest
from keras import ops
from scipy import integrate, optimize
from support import array, gradients

from aru_keras import gamma
from aru_keras.analysis._gamma_numpy import largest_slope, slope
from aru_keras.analysis.dynamics import ActivationDynamics, GammaDynamics
from aru_keras.analysis.jacobian import jacobian_norms, jacobian_norms_along
from aru_keras.analysis.maps import FunctionDynamics
from aru_keras.initializers import HenaffOrthogonal

N = 8


def searched_slope(n, s):
    """sup over x of ∂γ/∂x by a search: a grid from tail to tail, refined at its best point."""
    x = np.linspace(-40, 40, 4001) / abs(n)
    best = x[slope(x, n, s).argmax()]
    width = 0.04 / abs(n)
    found = optimize.minimize_scalar(
        lambda at: -slope(at, n, s), bounds=(best - width, best + width), method="bounded"
    )
    return max(-found.fun, slope(x, n, s).max())


@pytest.mark.parametrize("s", [-0.3, -0.01, 0.0, 0.1, 0.3, 0.7, 1.0, 1.5, 4.0])
@pytest.mark.parametrize("n", [0.05, 0.5, 1.0, 3.0, 20.0, -0.5, -6.0])
def test_the_largest_slope_is_the_one_that_a_search_finds(n, s):
    # The grid comes within 1e-6 of the top of the parabola in σ; tails reach 1e-17 of their limit.
    assert abs(largest_slope(n, s) - searched_slope(n, s)) < 1e-6 * max(abs(n * s), 1)


def test_the_largest_slope_where_the_paper_gives_it():
    n, s = np.meshgrid(np.linspace(0.2, 20, 50), np.linspace(0, 1, 41))
    expected = np.where(
        s > 1 / (n + 1), (1 + s * (n - 1)) ** 2 / (4 * n * np.where(s > 0, s, 1)), 1 - s
    )
    np.testing.assert_allclose(largest_slope(n, s), expected, rtol=1e-12)


def by_singular_values(kernel, n, s, samples, bound, seed):
    """Norms by definition: gradients of the backend's γ, and all singular values."""
    h = np.random.default_rng(seed).uniform(-bound, bound, (samples, len(kernel)))
    _, (slopes,) = gradients(lambda a: ops.sum(gamma(a, n, s)), h @ kernel)
    return np.linalg.norm(slopes[:, :, None] * kernel.T, 2, axis=(1, 2))


@pytest.mark.parametrize("which", ["orthogonal", "float32 Henaff", "any"])
def test_norms_are_the_largest_singular_values(which):
    draws = np.random.default_rng(1)
    kernel = {
        "orthogonal": np.linalg.qr(draws.normal(size=(N, N)))[0],
        "float32 Henaff": array(HenaffOrthogonal(seed=2)((N, N))).astype("float64"),
        "any": draws.normal(size=(N, N)),
    }[which]
    gains, saturations = [1.0, 5.0, -2.0], [0.0, 0.5, 1.2]
    found = jacobian_norms(kernel, gains, saturations, samples=5, seed=3)
    assert found.orthogonal == (which != "any")
    # As far as the float32 matrix is orthogonal; else the root of an eigenvalue, half the digits
    # of float64 at the worst.
    tolerance = 1e-6 if which == "float32 Henaff" else 1e-8
    for row, column in np.ndindex(3, 3):
        norms = by_singular_values(kernel, gains[row], saturations[column], 5, 5.0, 3)
        assert found.mean[row, column] == pytest.approx(norms.mean(), rel=tolerance)
        error = norms.std(ddof=1) / np.sqrt(5)
        assert found.error[row, column] == pytest.approx(error, rel=1e-4, abs=1e-7)


def test_the_norm_is_that_of_the_dynamics():
    kernel = np.random.default_rng(4).normal(size=(N, N))
    h = np.random.default_rng(5).uniform(-5, 5, (3, N))
    norms = np.linalg.norm(GammaDynamics(kernel, 2.0, 0.3).jacobian(h), 2, axis=(1, 2))
    found = jacobian_norms(kernel, [2.0], [0.3], samples=3, seed=5)
    assert found.mean[0, 0] == pytest.approx(norms.mean(), rel=1e-8)


@pytest.mark.parametrize("kind", ["weights", "function"])
def test_norms_along_a_trajectory_of_any_network(kind):
    draws = np.random.default_rng(7)
    kernel, states = draws.normal(size=(N, N)), draws.normal(size=(4, 3, N))
    dynamics = {
        "weights": ActivationDynamics(kernel),
        "function": FunctionDynamics(lambda h: np.tanh(h @ kernel)),
    }[kind]
    found = jacobian_norms_along(dynamics, states)
    assert found.shape == (4, 3)
    for place in np.ndindex(4, 3):
        jacobian = np.diag(1 - np.tanh(states[place] @ kernel) ** 2) @ kernel.T
        largest = np.linalg.svd(jacobian, compute_uv=False)[0]
        assert found[place] == pytest.approx(largest, rel=1e-12 if kind == "weights" else 1e-9)


def test_norms_of_what_is_not_finite_are_refused():
    dynamics = FunctionDynamics(np.sin, lambda h: np.full((*h.shape, N), np.nan))
    with pytest.raises(ValueError, match="finite Jacobian"):
        jacobian_norms_along(dynamics, np.zeros((2, N)))
    with pytest.raises(ValueError, match="`states` must be finite"):
        jacobian_norms_along(ActivationDynamics(np.eye(N)), np.full((2, N), np.nan))


def test_one_unit_has_the_mean_slope_over_its_states():
    expected = integrate.quad(lambda h: slope(h, 2.0, 0.8) / 10, -5, 5)[0]
    found = jacobian_norms([[1.0]], [2.0], [0.8], samples=40_000)
    assert abs(found.mean[0, 0] - expected) < 4 * found.error[0, 0] < 0.02


def test_a_matrix_that_is_nearly_orthogonal_takes_the_long_way():
    kernel = np.linalg.qr(np.random.default_rng(6).normal(size=(N, N)))[0]
    assert not jacobian_norms(1.00001 * kernel, [1.0], [0.0]).orthogonal


def test_bad_values_are_refused():
    with pytest.raises(ValueError, match="`n` must be a list"):
        jacobian_norms(np.eye(2), [np.nan], [0.0])
    with pytest.raises(ValueError, match="`samples` must be a whole number of at least 2"):
        jacobian_norms(np.eye(2), samples=1)
    with pytest.raises(ValueError, match="square matrix"):
        jacobian_norms(np.ones((2, 3)))
