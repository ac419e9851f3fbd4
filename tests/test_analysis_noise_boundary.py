"""The noise boundary against the slope, a brute search and noise itself."""

import numpy as np
import pytest
from scipy.special import lambertw

from aru_keras.analysis._gamma_numpy import gamma_and_slope, slope
from aru_keras.analysis.noise_boundary import boundary_distance, boundary_saturation, noise_decays

DRIVES = [-5.0, -1.0, -0.1, 0.0, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0]


@pytest.mark.parametrize("noise", [1.0, 1.013, 0.5])
@pytest.mark.parametrize("drive", DRIVES)
def test_the_slope_on_the_boundary_is_one_over_the_noise(drive, noise):
    n = np.array([0.05, 0.5, 1.0, 1.7, 3.0, 5.5, 12.0, -0.3])
    s = boundary_saturation(drive, n, noise)
    np.testing.assert_allclose(noise * slope(drive, n, s), 1, rtol=1e-9)
    # γ′ is linear in s: the two sides of Λ differ, all the way.
    apart = 0.1 * np.maximum(1, np.abs(s))
    below, above = (
        noise_decays(drive, n, s - apart, noise),
        noise_decays(drive, n, s + apart, noise),
    )
    np.testing.assert_array_equal(below, ~above)


def test_with_a_moderate_drive_what_saturates_decays():
    n = np.linspace(1, 12, 30)
    for drive in (1.0, 5.0, 30.0):
        on = boundary_saturation(drive, n)
        assert (on < 0).all() and (on > -0.6).all()
        assert (
            noise_decays(drive, n, on + 1e-3).all() and not noise_decays(drive, n, on - 1e-3).any()
        )


def test_a_gain_at_which_the_saturation_makes_no_difference_has_no_boundary():
    assert np.isinf(boundary_saturation(0.0, 2.0))  # n(1 − σ(0)) = 1
    gains = np.linspace(-2, 6, 800_001)
    brute = np.hypot(gains - 2, boundary_saturation(0.0, gains) - 0.3).min()
    assert boundary_distance(0.0, 2.0, 0.3).distance == pytest.approx(brute, abs=1e-5)


def test_only_below_a_drive_of_w_of_1_over_e_does_a_saturation_make_no_difference():
    # With σ = 1 the saturation on Λ is positive where n·(1 − p) > 1, and negative below.
    gains, edge = np.linspace(0.5, 60, 600_001), lambertw(1 / np.e).real
    for drive in (-30.0, -5.0, -1.0, 0.0, 0.1, edge - 1e-3, edge + 1e-3, 1.0):
        turns = np.diff(np.sign(boundary_saturation(drive, gains)))
        assert np.count_nonzero(turns) == (1 if drive <= 0 else 2 * (drive < edge)), drive
    signs = np.sign(boundary_saturation(-5.0, [1.0064, 1.0066]))
    np.testing.assert_array_equal(signs, [-1, 1])


@pytest.mark.parametrize("noise", [1.0, 0.5])
@pytest.mark.parametrize("drive", DRIVES)
def test_the_nearest_point_is_the_one_that_a_brute_search_finds(drive, noise):
    draws = np.random.default_rng(0)
    n, s = draws.uniform(1, 9, 6), draws.uniform(-0.5, 1.5, 6)
    found = boundary_distance(drive, n, s, noise)
    np.testing.assert_allclose(found.s, boundary_saturation(drive, found.n, noise), rtol=1e-12)
    np.testing.assert_allclose(found.distance, np.hypot(found.n - n, found.s - s), rtol=1e-9)
    gains = np.concatenate([np.linspace(-10, 20, 300_000), np.geomspace(1e-9, 1, 2000)])

    def distances(gains, one):
        with np.errstate(over="ignore"):
            return np.hypot(gains - n[one], boundary_saturation(drive, gains, noise) - s[one])

    for one in range(6):
        best = gains[distances(gains, one).argmin()]
        # Again 1e-7 apart: where the drive is negative, Λ is steep at its nearest point.
        brute = distances(best + np.linspace(-1e-4, 1e-4, 2001), one).min()
        assert brute - 1e-5 < found.distance[one] <= brute + 1e-9


def test_the_nearest_point_of_a_boundary_that_is_steep_here():
    # At n = −3 the curve is at s = −8e5; the nearest point is where gains turn positive.
    found = boundary_distance(5.0, -3.0, 0.0)
    curve = boundary_saturation(5.0, np.linspace(-4, 1, 1_000_001))
    brute = np.hypot(np.linspace(-4, 1, 1_000_001) + 3, curve).min()
    assert found.distance == pytest.approx(brute, abs=1e-5)


def test_many_points_are_each_as_they_are_alone():
    n, s = np.random.default_rng(2).uniform(1, 9, (2, 3, 700))
    found = boundary_distance([[1.0], [5.0], [0.5]], n, s)
    for place in ((0, 0), (1, 350), (2, 699)):
        alone = boundary_distance([1.0, 5.0, 0.5][place[0]], n[place], s[place])
        assert found.distance[place] == alone.distance and found.n[place] == alone.n


def test_points_on_the_boundary_are_at_distance_zero():
    n = np.array([0.7, 3.0, 8.0])
    found = boundary_distance(1.0, n, boundary_saturation(1.0, n))
    np.testing.assert_allclose(found.distance, 0, atol=1e-9)
    np.testing.assert_allclose(found.n, n, atol=1e-6)


@pytest.mark.parametrize(("n", "s"), [(1.0, 0.0), (2.0, 0.8), (5.0, 0.3), (0.7, 1.2)])
@pytest.mark.parametrize("drive", [-1.0, 0.0, 0.3, 1.0])
def test_small_noise_leaves_a_unit_multiplied_by_its_slope(drive, n, s):
    noise, count = 1e-3, 200_000
    draws = drive + noise * np.random.default_rng(1).normal(size=count)
    ratio = gamma_and_slope(draws, n, s)[0].std() / draws.std()
    # The input's own draws are divided out: what remains is curvature, about noise·n·γ″/γ′.
    assert ratio == pytest.approx(abs(slope(drive, n, s)), rel=3e-3, abs=2e-5)
    if abs(ratio - 1) > 0.01:
        assert noise_decays(drive, n, s) == (ratio < 1)


def test_bad_values_are_refused():
    with pytest.raises(ValueError, match="`noise` must be positive"):
        boundary_saturation(1.0, 2.0, 0.0)
    with pytest.raises(ValueError, match="`n` must be finite"):
        boundary_distance(1.0, [np.nan], [0.0])
    with pytest.raises(ValueError, match="`s` must be finite"):
        noise_decays(1.0, 2.0, np.inf)


def test_where_every_saturation_lies_on_the_boundary_the_distance_is_zero():
    # γ′(0; 2, s) = 1/2 whatever s, and σ = 2.
    assert np.isnan(boundary_saturation(0.0, 2.0, 2.0))
    found = boundary_distance(0.0, [2.0, 2.0], [0.3, -1.0], 2.0)
    assert found.distance == pytest.approx([0, 0], abs=1e-12)
    assert found.s == pytest.approx([0.3, -1.0])
