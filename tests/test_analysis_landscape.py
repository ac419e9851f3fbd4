"""Correlations over the plane of (n, s), and its figure."""

import itertools

import numpy as np
import pytest

from aru_keras.analysis.landscape import Landscape, accuracy_by_side, landscape_correlations
from aru_keras.plots import style
from aru_keras.plots.landscape import landscape_maps, parameter_flow

N, S = (values.ravel() for values in np.meshgrid([1.0, 5.0, 10.0, 20.0], [0.0, 0.5, 1.0]))


def plane(**changes):
    norm = 0.3 * (1 + S * (N - 1))
    values = {
        "jacobian_norm": norm,
        "exponent": np.log(norm),
        "accuracy": 1 / (1 + np.log(norm) ** 2),
    }
    return Landscape(n=N, s=S, **{**values, **changes})


def test_accuracy_that_peaks_at_norm_one_correlates_perfectly():
    found = landscape_correlations(plane())
    for one in (found.norm, found.exponent, found.maps):
        assert one.value == pytest.approx(1) and one.n == 12


def test_the_exploding_points_are_those_whose_norm_is_above_one():
    one = plane(exponent=np.full(12, -3.0))
    np.testing.assert_array_equal(one.exploding, one.jacobian_norm > 1)
    assert 0 < one.exploding.sum() < 12


def test_correlations_are_spearmans():
    from scipy.stats import spearmanr

    one = plane(accuracy=np.random.default_rng(0).uniform(size=12))
    expected = spearmanr(one.accuracy, -np.abs(np.log(one.jacobian_norm))).statistic
    assert landscape_correlations(one).norm.value == pytest.approx(expected, abs=1e-12)


def along(norm, accuracy):
    norm = np.array(norm)
    n = np.arange(float(len(norm)))
    return Landscape(n, n, norm, np.log(norm), accuracy(np.log(norm)))


def test_the_sides_of_norm_one_are_compared_at_equal_distances():
    def course(log):
        return 0.9 - abs(log) / 10 - 0.2 * (log > 0)

    # Distances 0.5 … 2 below 1, and 1 … 3 above it: both reach 1 … 2, where the mean is 0.75.
    sides = np.exp([-2.0, -0.5, 1.0, 3.0])
    np.testing.assert_allclose(accuracy_by_side(along(sides, course)), (0.75, 0.55))
    # Many good points near norm 1, or more points that explode, change nothing.
    more = np.exp([-2.0, -1.1, -0.5, *[-0.01] * 20, 1.0, 1.5, 1.5, 3.0, 9.0])
    np.testing.assert_allclose(accuracy_by_side(along(more, course)), (0.75, 0.55))


def test_sides_without_a_common_distance_are_not_compared():
    for logs in ([-2.0, -1.0], [1.0, 2.0], [-2.0, -1.0, 3.0, 4.0], [-1.0, 1.0]):
        assert accuracy_by_side(along(np.exp(logs), abs)) is None


def test_a_singular_point_counts_as_far_from_zero():
    exponent = np.log(plane().jacobian_norm)
    exponent[np.argmin(plane().jacobian_norm)] = -np.inf
    assert landscape_correlations(plane(exponent=exponent)).exponent.value == pytest.approx(
        1, abs=0.2
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"accuracy": np.full(12, np.nan)}, "`accuracy` must be numbers"),
        ({"exponent": np.zeros(3)}, "`exponent` must be numbers"),
        ({"jacobian_norm": np.zeros(12)}, "must be positive"),
    ],
)
def test_bad_maps(changes, words):
    with pytest.raises(ValueError, match=words):
        plane(**changes)


def test_a_constant_map_has_no_correlation():
    with pytest.raises(ValueError, match="numbers that vary"):
        landscape_correlations(plane(accuracy=np.ones(12)))


def test_the_figure_shows_every_point_and_the_paths():
    path = np.array([[5.0, 0.0], [6.0, 0.2], [7.0, 0.3]])
    figure = landscape_maps(plane(), [path])
    meshes = [axes.collections[0].get_array() for axes in figure.axes[:3]]
    assert [mesh.shape for mesh in meshes] == [(3, 4)] * 3
    np.testing.assert_allclose(np.asarray(meshes[0]).ravel(), plane().jacobian_norm)
    np.testing.assert_allclose(np.asarray(meshes[2]).ravel(), 100 * plane().accuracy)
    drawn = [line.get_xydata() for line in figure.axes[2].get_lines()]
    np.testing.assert_array_equal(drawn[1], path)


def test_norms_have_the_colours_of_all_figures():
    mesh = landscape_maps(plane()).axes[0].collections[0]
    assert mesh.get_cmap().name == style.NORM_MAP
    np.testing.assert_allclose(mesh.norm([0.1, 1, 10]), [0, 0.5, 1], atol=1e-12)


@pytest.mark.parametrize("largest", [0.0, 0.004, 0.3, 250.0])
def test_exponents_near_zero_can_be_told_apart(largest):
    figure = landscape_maps(plane(exponent=np.linspace(-1, 1, 12) * largest))
    norm = figure.axes[1].collections[0].norm
    assert norm(0) == pytest.approx(0.5) and norm(0.005) - norm(-0.005) > 0.05
    figure.canvas.draw()
    labels = [text for text in figure.axes[4].get_xticklabels() if text.get_text()]
    assert 3 <= len(labels) <= 5
    boxes = [text.get_window_extent() for text in labels]
    assert not any(one.overlaps(other) for one, other in itertools.pairwise(boxes))


def test_the_flow_has_an_arrow_from_each_start_to_its_end():
    paths = [np.array([[5.0, 0.0], [9.0, 1.0], [7.0, 0.3]]), np.array([[2.5, 0.5], [2.0, 0.6]])]
    (axes,) = parameter_flow(paths).axes
    (arrows,) = axes.collections
    np.testing.assert_allclose(arrows.get_offsets(), [[5, 0], [2.5, 0.5]])
    np.testing.assert_allclose(np.stack([arrows.U, arrows.V], axis=1), [[2, 0.3], [-0.5, 0.1]])
    for bad in ([], [np.ones(3)], [np.ones((0, 2))]):
        with pytest.raises(ValueError, match="`paths`"):
            parameter_flow(bad)
