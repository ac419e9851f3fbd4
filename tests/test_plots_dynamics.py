"""Figures of dynamics, exponents and orders hold what they are given."""

import numpy as np
import pytest
from figures import responses, rng

from aru_keras.analysis.boundary import boundary_saturation
from aru_keras.analysis.fractional import FractionalOrder
from aru_keras.analysis.jacobian import jacobian_norms
from aru_keras.analysis.lyapunov import AdaptedExponents, LyapunovExponents
from aru_keras.analysis.spectrum import spectrum
from aru_keras.analysis.stationary import stationary_distribution, stationary_lines
from aru_keras.analysis.step_response import (
    compare_tasks,
    fractional_orders,
    signal_integral,
)
from aru_keras.plots import dynamics, fractional, lyapunov, style


def lies_beside(axes):
    """Whether the legend is outside the axes that it belongs to."""
    axes.figure.canvas.draw()
    return not axes.get_legend().get_window_extent().overlaps(axes.get_window_extent())


def line_labelled(axes, label):
    return next(line for line in axes.get_lines() if line.get_label() == label)


def test_exponents_over_steps_are_means_over_seeds():
    found = [LyapunovExponents(rng(seed).normal(size=(2, 3, 4, 1)), 10) for seed in (0, 1)]
    axes = lyapunov.exponents_after_onset([0.0, 5.0], [0, 50, 150], found).axes[0]
    expected = np.mean([one.exponents[1].mean(axis=(1, 2)) for one in found], axis=0)
    line = line_labelled(axes, "ξ = 5")
    np.testing.assert_array_equal(line.get_xdata(), [0, 50, 150])
    np.testing.assert_allclose(line.get_ydata(), expected)


def test_adapted_and_frozen_exponents_are_drawn_in_order_of_the_drive():
    values = rng().normal(size=(2, 3, 4, 1))
    found = AdaptedExponents(
        np.array([5.0, 0.0, 1.0]), *(LyapunovExponents(one, 10) for one in values)
    )
    axes = lyapunov.adapted_and_frozen([found]).axes[0]
    line = line_labelled(axes, "frozen")
    np.testing.assert_array_equal(line.get_xdata(), [0, 1, 5])
    np.testing.assert_allclose(line.get_ydata(), values[1].mean(axis=(1, 2))[[1, 2, 0]])
    assert lies_beside(axes)


def test_spectra_of_drives_have_the_colours_of_drives():
    found = LyapunovExponents(np.array([[0.0, -1.0]]), 5)
    axes = lyapunov.spectra_of_exponents({30.0: found, "ReLU": found, 0.0: found}).axes[0]
    late, early = style.drive_colours([30.0, 0.0])
    assert line_labelled(axes, "ξ = 30").get_color() == late
    assert line_labelled(axes, "ξ = 0").get_color() == early
    assert line_labelled(axes, "ReLU").get_color() == style.UNIT_COLOURS[1]
    assert lies_beside(axes)


def test_exponents_of_minus_infinity_are_counted_or_refused():
    values = np.array([[0.0, -1.0, -np.inf], [0.1, -1.2, -np.inf]])
    axes = lyapunov.spectra_of_exponents({"ReLU": LyapunovExponents(values, 5)}).axes[0]
    line = line_labelled(axes, "ReLU (1 at −∞)")
    np.testing.assert_allclose(line.get_ydata(), [0.05, -1.1])
    np.testing.assert_allclose(line.get_xdata(), [1 / 3, 2 / 3])
    dead = LyapunovExponents(np.full((1, 1, 2, 1), -np.inf), 5)
    with pytest.raises(ValueError, match="1 of −inf"):
        lyapunov.exponents_after_onset([1.0], [0], [dead])


def test_a_unit_without_an_order_has_no_curve():
    found = responses()
    figure = fractional.fitted_responses(found, fractional_orders(found), 5.0, [1, 2])
    upper, constant, lower, bare = figure.axes
    np.testing.assert_array_equal(upper.get_lines()[0].get_ydata(), found.of("h")[2, :, 1])
    assert upper.get_title() == "unit 1: α = 0.20"
    np.testing.assert_allclose(
        lower.get_lines()[1].get_ydata()[80:220], found.drive[2, 80:220], atol=1e-4
    )
    assert "no order" in constant.get_title() and len(bare.get_lines()) == 1
    with pytest.raises(ValueError, match="`drive` must be one of 0, 1, 5"):
        fractional.fitted_responses(found, {}, 7.0, [0])


def test_histograms_hold_every_order_and_state_the_share():
    alpha = np.array([-0.5, -0.4, 0.3, np.nan])
    order = FractionalOrder(alpha, np.ones(4), np.zeros(4), np.isfinite(alpha), 1.0)
    figure = fractional.order_distributions({"connected": {1.0: order, 5.0: order}})
    for axes in figure.axes:
        assert sum(bar.get_height() for bar in axes.patches) == 3
        assert axes.texts[0].get_text() == "67% < 0"


def test_stars_stand_where_tasks_differ():
    drives = (1.0, 5.0, 30.0)
    first = [{1.0: 0.1 * k, 5.0: 0.1 * k, 30.0: 0.12 * k} for k in range(4)]
    second = [{1.0: 0.1 * k, 5.0: 5 + 0.1 * k, 30.0: 9 + 0.11 * k} for k in range(4)]
    figure = fractional.population_orders(
        {"psMNIST": first, "sCIFAR10": second}, compare_tasks(first, second)
    )
    stars = line_labelled(figure.axes[0], "p < 0.05")
    np.testing.assert_array_equal(stars.get_xdata(), [5.0, 30.0])
    line = line_labelled(figure.axes[0], "sCIFAR10")
    expected = [np.mean([one[drive] for one in second]) for drive in drives]
    np.testing.assert_allclose(line.get_ydata(), expected)


def test_integrals_are_drawn_with_the_lines_that_could_be_fitted():
    found = signal_integral(responses(), "h", -1.0, method="causal")
    axes = fractional.signal_integrals({"h": found}).axes[0]
    assert found.lines[0].failed
    dotted = [line for line in axes.get_lines() if line.get_linestyle() == ":"]
    assert len(dotted) == 2
    np.testing.assert_array_equal(line_labelled(axes, "ξ = 5").get_ydata(), found.traces[2])


def test_the_map_of_norms_has_one_cell_a_pair():
    norms = jacobian_norms(np.eye(4), [1.0, 5.0, 20.0], [0.0, 1.0])
    axes = dynamics.jacobian_map(norms).axes[0]
    (mesh,) = axes.collections[:1]
    np.testing.assert_array_equal(mesh.get_array(), norms.mean.T)
    assert mesh.get_cmap().name == style.NORM_MAP and mesh.norm(1.0) == pytest.approx(0.5)


def test_the_boundary_is_drawn_under_its_points():
    onset = np.array([[[2.0, 3.0]], [[0.2, 0.3]]])
    late = np.array([[[2.5, 3.5]], [[0.1, 0.0]]])
    axes = dynamics.noise_boundary([1.0], onset, late).axes[0]
    curve = line_labelled(axes, "Λ(ξ)")
    np.testing.assert_array_equal(curve.get_ydata(), boundary_saturation(1.0, curve.get_xdata()))
    for label, points in (("onset", onset), ("late", late)):
        np.testing.assert_array_equal(line_labelled(axes, label).get_xydata().T, points[:, 0])


def test_stationary_distributions_and_their_lines():
    states = {drive: rng(1).normal(drive, 1, 500) for drive in (0.0, 1.0, 5.0)}
    found = stationary_lines([stationary_distribution(h, drive) for drive, h in states.items()])
    left, middle, right = dynamics.stationary(states, found).axes
    density = left.patches[0].get_data().values
    assert np.sum(density) * 8 / len(density) == pytest.approx(1, abs=0.01)
    points, line = middle.get_lines()
    np.testing.assert_allclose(points.get_ydata(), [one.mean for one in found.distributions])
    np.testing.assert_allclose(line.get_ydata(), found.mean([0.0, 1.0, 5.0]))
    # The same noise under each drive: constant deviations, which rounding alone tells apart.
    assert found.deviation.failed and len(right.get_lines()) == 1
    assert right.texts[0].get_text() == "no line"


def test_eigenvalues_lie_in_the_plane():
    found = spectrum(np.diag([0.5, -1.2, 1.0]))
    figure = dynamics.spectra({"start": found, "trained": found})
    points = figure.axes[1].get_lines()[1].get_xydata()
    np.testing.assert_array_equal(points, [[-1.2, 0], [1.0, 0], [0.5, 0]])
