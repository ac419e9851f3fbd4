"""Lyapunov exponents against maps whose exponents are known."""

import numpy as np
import pytest

from aru_keras.analysis.dynamics import ActivationDynamics, GammaDynamics
from aru_keras.analysis.lyapunov import (
    LyapunovExponents,
    adapted_and_frozen_exponents,
    exponents_after_onset,
    lyapunov_exponents,
)
from aru_keras.analysis.maps import FunctionDynamics

N = 6


def rng(seed=0):
    return np.random.default_rng(seed)


def orthogonal(seed=0, size=N):
    return np.linalg.qr(rng(seed).normal(size=(size, size)))[0]


def exponents(kernel, count=None, **options):
    dynamics = ActivationDynamics(kernel, "linear")
    return lyapunov_exponents(dynamics, rng(1).normal(size=(2, len(kernel))), count, **options)


def henon(derivative=True):
    """x ← 1 − 1.4x² + y, y ← 0.3x."""

    def step(h):
        return np.stack([1 - 1.4 * h[..., 0] ** 2 + h[..., 1], 0.3 * h[..., 0]], axis=-1)

    def jacobian(h):
        x = h[..., 0]
        rows = [[-2.8 * x, np.ones_like(x)], [np.full_like(x, 0.3), np.zeros_like(x)]]
        return np.moveaxis(np.array(rows), (0, 1), (-2, -1))

    return FunctionDynamics(step, jacobian if derivative else None)


@pytest.mark.parametrize("count", [1, 3, None])
def test_an_orthogonal_map_neither_grows_nor_shrinks(count):
    found = exponents(orthogonal(), count, steps=50)
    assert found.exponents.shape == (2, count or N)
    np.testing.assert_allclose(found.exponents, 0, atol=1e-14)


def test_diagonal_and_normal_maps_give_the_moduli_of_their_eigenvalues():
    moduli = np.array([1.3, 1.0, 0.7, 0.4, 0.2, 0.05])
    # A direction turns to its axis as (ratio of neighbours)^steps: done after the transient.
    for kernel in (np.diag(moduli), orthogonal() @ np.diag(moduli) @ orthogonal().T):
        found = exponents(kernel, steps=5, transient=200).exponents
        np.testing.assert_allclose(found, np.log([moduli, moduli]), atol=1e-12)


def test_a_triangular_map_gives_its_diagonal():
    diagonal = np.array([1.2, 0.9, 0.6, 0.4, 0.2, 0.1])
    kernel = np.diag(diagonal) + np.triu(rng(2).normal(size=(N, N)), 1)
    found = exponents(kernel, steps=5, transient=300).exponents
    # Non-normal: rounding is larger by the condition of the eigenvectors, hundreds.
    np.testing.assert_allclose(found, np.log([diagonal, diagonal]), atol=1e-10)


@pytest.mark.parametrize("derivative", [True, False])
def test_the_henon_map_has_its_published_exponents(derivative):
    start = 0.1 * rng(3).uniform(-1, 1, size=(64, 2))
    found = lyapunov_exponents(henon(derivative), start, None, steps=4000, transient=100)
    # Published to three digits; the mean over 256,000 points is good to 0.001.
    assert abs(found.mean[0] - 0.419) < 0.002
    np.testing.assert_allclose(found.exponents.sum(axis=-1), np.log(0.3), atol=1e-12)
    assert 0 < found.spread[0] < 0.05


def test_the_sum_of_the_spectrum_is_the_mean_logarithm_of_the_determinant():
    kernel, draws = 1.5 * orthogonal(4), rng(5)
    dynamics = GammaDynamics(kernel, draws.uniform(1, 4, N), draws.uniform(0, 1, N))
    h = draws.normal(size=(3, N))
    found = lyapunov_exponents(dynamics, h, None, steps=100)
    total = 0.0
    for _ in range(100):
        total = total + np.linalg.slogdet(dynamics.jacobian(h))[1]
        h = dynamics(h)
    np.testing.assert_allclose(found.exponents.sum(axis=-1), total / 100, rtol=1e-10)
    assert (np.diff(found.exponents, axis=-1) <= 0).all()


def test_the_leading_exponents_do_not_depend_on_how_many_are_asked_for():
    dynamics = GammaDynamics(2 * orthogonal(6), 3.0, 0.3)
    h = rng(7).normal(size=(3, N))
    options = {"steps": 200, "transient": 50}
    whole = lyapunov_exponents(dynamics, h, None, **options).exponents
    for count in (1, 2):
        some = lyapunov_exponents(dynamics, h, count, **options).exponents
        # From other first directions: what remains of them after the transient.
        np.testing.assert_allclose(some[:, 0], whole[:, 0], atol=2e-3)


def test_a_direction_that_vanishes_gives_minus_infinity():
    singular = exponents(np.diag([0.5, 0.0, 0.2]), None, steps=20).exponents
    np.testing.assert_allclose(singular[:, 0], np.log(0.5), atol=0.2)
    assert np.isfinite(singular[:, :2]).all() and (singular[:, 2] == -np.inf).all()
    # Of rank 2, but no pivot is exactly 0.
    draws = rng(16)
    rank_two = exponents(draws.normal(size=(3, 2)) @ draws.normal(size=(2, 3)), None, steps=20)
    np.testing.assert_array_equal(np.isinf(rank_two.exponents), [[False, False, True]] * 2)
    dead = ActivationDynamics(-np.eye(2), "relu")
    assert (lyapunov_exponents(dead, np.ones((3, 2)), steps=5).mean == -np.inf).all()


def test_the_spread_with_exponents_of_minus_infinity():
    values = np.array([[[0.5, 1.0, -np.inf]], [[1.5, -np.inf, -np.inf]]])[:, 0]
    found = LyapunovExponents(values, 10)
    np.testing.assert_array_equal(found.mean, [1.0, -np.inf, -np.inf])
    np.testing.assert_array_equal(found.spread, [0.5, np.inf, 0.0])


def test_parameter_sets_run_together_as_they_do_alone():
    kernel, n, s = orthogonal(8), rng(9).uniform(2, 6, (2, 3, N)), rng(10).uniform(0, 1, (2, 3, N))
    start = rng(11).normal(size=(2, 4, N))
    found = exponents_after_onset(kernel, n, s, start, steps=30, count=2)
    assert found.mean.shape == (2, 3, 2)
    for drive, step in np.ndindex(2, 3):
        alone = GammaDynamics(kernel, n[drive, step], s[drive, step])
        expected = lyapunov_exponents(alone, start[drive], 2, steps=30)
        np.testing.assert_allclose(found.exponents[drive, step], expected.exponents, atol=1e-10)


def test_frozen_units_keep_the_gain_of_no_drive():
    kernel, drives = orthogonal(12), [5.0, 0.0, 30.0]
    n, s = rng(13).uniform(2, 6, (3, N)), rng(14).uniform(0, 1, (3, N))
    start = rng(15).normal(size=(3, 4, N))
    found = adapted_and_frozen_exponents(kernel, drives, n, s, start, steps=30)
    np.testing.assert_array_equal(found.adapted.exponents[1], found.frozen.exponents[1])
    alone = lyapunov_exponents(GammaDynamics(kernel, n[1], s[1]), start[2], steps=30)
    np.testing.assert_allclose(found.frozen.exponents[2], alone.exponents, atol=1e-10)
    alone = lyapunov_exponents(GammaDynamics(kernel, n[2], s[2]), start[2], steps=30)
    np.testing.assert_allclose(found.adapted.exponents[2], alone.exponents, atol=1e-10)


def test_trajectories_and_derivatives_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match=r"`start` must be .*1 of 2 numbers NaN"):
        lyapunov_exponents(henon(), [[np.nan, 0.0]])
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="A map that diverges"):
        lyapunov_exponents(henon(), [[10.0, 0.0]])
    broken = FunctionDynamics(lambda h: h, lambda h: np.full((1, 2, 2), np.nan))
    for count in (1, 2):
        with pytest.raises(ValueError, match="derivative of the map"):
            lyapunov_exponents(broken, np.ones((1, 2)), count, steps=3)
    with pytest.raises(ValueError, match="`count` must be at most 2"):
        lyapunov_exponents(henon(), np.zeros((1, 2)), 3)
    with pytest.raises(ValueError, match="one of them 0"):
        adapted_and_frozen_exponents(
            np.eye(2), [1.0], np.ones((1, 2)), np.ones((1, 2)), np.ones((1, 3, 2))
        )
    with pytest.raises(ValueError, match="must be \\(drives, steps, N\\)"):
        exponents_after_onset(np.eye(2), np.ones((1, 2)), np.ones((1, 2)), np.ones((1, 3, 2)))
