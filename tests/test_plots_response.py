"""Figures of the response, robustness and gradient analyses hold what they are given."""

import numpy as np
import pytest
from figures import AMPLITUDES, scaling, transient_seed

from aru_keras.analysis.controller import Controller, portrait
from aru_keras.analysis.family import family
from aru_keras.analysis.gradients import Propagation
from aru_keras.analysis.heterogeneity import Cloud
from aru_keras.analysis.robustness import Scores
from aru_keras.plots import (
    accuracy,
    controller,
    fractional_fits,
    gain_scaling,
    gradients,
    heterogeneity,
    robustness,
    style,
)
from aru_keras.plots import family as family_plot
from aru_keras.plots import transients as transients_plot

RNG = np.random.default_rng(0)


def drawn(axes):
    """The data of all lines with more than one point, (x, y)."""
    lines = [line.get_xydata().T for line in axes.get_lines()]
    return [line for line in lines if line.shape[1] > 1]


def holds(axes, y, x=None):
    """Whether some line has these values."""
    return any(
        len(line[1]) == len(y)
        and np.allclose(line[1], y, rtol=1e-9)
        and (x is None or np.allclose(line[0], x))
        for line in drawn(axes)
    )


def scores(shape):
    return Scores(loss=RNG.random(shape) + 0.5, accuracy=RNG.random(shape), n=10)


def test_robustness_is_the_mean_over_seeds_with_a_band():
    networks = {"arun": [scores(5), scores(5)], "lstm": [scores(5)]}
    figure = robustness.robustness(networks, AMPLITUDES)
    left, right = figure.axes
    for name, seeds in networks.items():
        assert holds(left, 100 * np.mean([one.accuracy for one in seeds], axis=0), AMPLITUDES)
        assert holds(right, np.mean([one.loss for one in seeds], axis=0), AMPLITUDES), name
    # A band of one standard error for two seeds, none for one.
    (band,) = left.collections
    pair = 100 * np.stack([one.accuracy for one in networks["arun"]])
    half = np.abs(pair[0] - pair[1]) / 2
    heights = band.get_paths()[0].vertices[:, 1]
    assert heights.max() == pytest.approx((pair.mean(axis=0) + half).max())


def test_maps_share_their_colours():
    networks = {"arun": scores((3, 4)), "relu": scores((3, 4))}
    networks["relu"].loss[1, 2] = 40.0
    figure = robustness.maps(networks, (0, 1, 2), (0, 1, 2, 3))
    images = [one.get_images()[0] for one in figure.axes[:4]]
    for image, expected in zip(
        images,
        [100 * one.accuracy for one in networks.values()] + [one.loss for one in networks.values()],
        strict=True,
    ):
        np.testing.assert_allclose(image.get_array(), expected)
    assert images[0].get_clim() == images[1].get_clim() == (0, 100)
    assert images[2].get_clim() == images[3].get_clim() and images[3].get_clim()[1] == 40
    assert [one.get_title() for one in figure.axes[:2]] == ["ARUN", "ReLU"]


def test_gradients_are_drawn_over_length_and_position():
    one = Propagation(RNG.random(6), RNG.random(6) + 0.1, np.zeros((2, 2)))
    length, position = gradients.gradients({"arun": [one]}).axes
    assert holds(length, one.detached, [6, 5, 4, 3, 2, 1])
    assert holds(position, one.contributions[1:], [1, 2, 3, 4, 5])


def test_a_fit_that_failed_is_not_drawn():
    found = scaling(2 * AMPLITUDES**-0.5 + 5)
    gain, saturation = (gain_scaling.gain_scaling(found).axes[place] for place in (1, 4))
    assert "steady gain" in gain.get_ylabel() and "steady saturation" in saturation.get_ylabel()
    assert len(drawn(gain)) == 1 and "R^2" in gain.texts[0].get_text()
    assert found.saturation_fit().failed
    assert not drawn(saturation) and not saturation.texts


def test_courses_under_noise_are_running_means():
    courses = gain_scaling.gain_scaling(scaling(AMPLITUDES)).axes[0]
    steps = np.arange(24.5, 275)
    assert len(drawn(courses)) == len(AMPLITUDES)
    assert holds(courses, np.ones(251), steps)
    assert "running mean of 50" in courses.get_xlabel()


def test_transients_show_traces_decays_and_levels():
    seed = transient_seed(5.0)
    figure = transients_plot.transients([seed])
    traces, levels = figure.axes[:2]
    for one in seed:
        assert holds(traces, one.n.mean)
        assert holds(traces, one.n.decay(np.arange(199)), np.arange(201, 400))
    assert len(drawn(figure.axes[2])) == 2  # s does not move: traces alone.
    assert holds(levels, [one.n.steady for one in seed], [1, 2])
    assert holds(levels, [one.n.onset for one in seed], [1, 2])


def test_transients_of_seeds_are_compared_by_their_change():
    seeds = [transient_seed(5.0), transient_seed(6.0, growth=3.0)]
    figure = transients_plot.transients(seeds)
    traces, levels = figure.axes[:2]
    assert len(drawn(traces)) == 2
    assert holds(traces, np.mean([seed[1].n.mean for seed in seeds], axis=0))
    assert holds(levels, np.mean([[one.n.steady for one in seed] for seed in seeds], axis=0))
    # At onset 2 ξ ± ξ above what it was before the drive, where the seeds agree.
    band = traces.collections[1].get_paths()[0].vertices
    assert np.ptp(band[band[:, 0] == 201, 1]) == pytest.approx(4)
    assert np.ptp(band[band[:, 0] == 150, 1]) == pytest.approx(0)
    assert "2 seeds" in figure.legends[0].get_title().get_text()


def test_the_controllers_end_points_are_joined():
    weights = Controller(
        RNG.normal(size=(1, 3)), 0.3 * np.eye(3), np.zeros(3), RNG.normal(size=(3, 2)), np.zeros(2)
    )
    found = portrait(weights, (0.5, 1, 2), settle=5, hold=9)
    plane, time, parameters = controller.controller(found).axes
    assert holds(plane, found.end_points[:, 1], found.end_points[:, 0])
    assert holds(plane, found.projected[2, 4:, 1], found.projected[2, 4:, 0])
    assert holds(time, found.parameters[1, :, 0])
    assert holds(parameters, found.parameters[:, -1, 1], found.parameters[:, -1, 0])


def test_clouds_are_drawn_with_ellipses_of_two_deviations():
    cloud = Cloud([[4, 0], [6, 0], [5, 0.1], [5, -0.1]])
    (axes,) = heterogeneity.heterogeneity({"start": Cloud([[5, 0]]), "trained": cloud}).axes
    np.testing.assert_allclose(axes.collections[1].get_offsets(), cloud.points)
    (_, ellipse) = drawn(axes)
    deviations = np.sqrt(np.diag(cloud.covariance))
    np.testing.assert_allclose(np.ptp(ellipse, axis=1), 4 * deviations, rtol=2e-3)


def test_the_family_shows_curves_slopes_and_limits():
    found = family((1, 8), (0, 1))
    axes = family_plot.family(found).axes
    for column in range(2):
        for row in range(2):
            assert holds(axes[column], found.values[column, row], found.x)
            assert holds(axes[2 + column], found.slopes[column, row], found.x)
    assert holds(axes[0], found.limits["softplus"]) and holds(axes[0], found.limits["sigmoid"])
    assert holds(axes[1], found.limits["ReLU"])


def test_accuracies_have_their_interval_and_one_seed_has_none():
    figure = accuracy.accuracy({"psmnist": {"arun": [0.9, 0.92], "gru": [0.8]}})
    bars = [one for one in figure.axes[0].containers]
    # t(0.975, 1) = 12.7062, standard error 1 per cent.
    segment = bars[0].lines[2][0].get_segments()[0]
    np.testing.assert_allclose(segment[:, 1], [91 - 12.7062, 91 + 12.7062], atol=1e-4)
    assert not bars[1].lines[2] and bars[1].lines[0].get_markerfacecolor() == "white"


def test_networks_of_other_names_have_colours_and_labels_of_their_own():
    row = {"arun": [0.9], "esn": [0.7], "reservoir": [0.6]}
    figure = accuracy.accuracy({"task": row}, {"esn": "echo state"})
    handles, labels = figure.axes[0].get_legend_handles_labels()
    assert labels == ["ARUN", "echo state", "reservoir"]
    colours = [handle.get_color() for handle in handles]
    five = {look["color"] for look in style.NETWORK_STYLES.values()}
    assert len(set(colours)) == 3 and not five & set(colours[1:])
    with pytest.raises(ValueError, match=r"in \[0, 1\], not per cent.*80.*'arun' on 'task'"):
        accuracy.accuracy({"task": {"arun": [80.0]}})


def test_every_figure_can_be_saved(tmp_path):
    figures = [
        robustness.robustness({"arun": [scores(5)]}, AMPLITUDES),
        robustness.maps({"arun": scores((2, 2))}, (0, 1), (0, 1)),
        gain_scaling.gain_scaling(scaling(AMPLITUDES)),
        family_plot.family(family()),
    ]
    for place, figure in enumerate(figures):
        for file in style.save(figure, tmp_path / str(place)):
            assert file.stat().st_size > 5000


def test_errors_over_orders_mark_the_best():
    orders = np.linspace(-1, 1, 5)
    errors = {"unit 3": np.array([4, 2, 1, 3, 5.0]), "unit 5": np.array([1, 2, 3, 4, 5.0])}
    (axes,) = fractional_fits.errors_over_orders(orders, errors).axes
    assert all(holds(axes, one, orders) for one in errors.values())
    marks = [line.get_xydata()[0] for line in axes.get_lines() if len(line.get_xydata()) == 1]
    np.testing.assert_allclose(marks, [(0, 1), (-1, 1)])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(errors)
    with pytest.raises(ValueError, match="one number for each of the 5 orders"):
        fractional_fits.errors_over_orders(orders, {"a": np.ones(4)})


def test_mean_responses_are_drawn_by_the_sign_of_the_order():
    drive = np.where((np.arange(30) > 9) & (np.arange(30) < 20), 5.0, 0.0)
    both = {"negative": RNG.random(30), "positive": RNG.random(30)}
    found = {"connected": both, "isolated": {"negative": RNG.random(30)}}
    left, right = fractional_fits.mean_responses(drive, found).axes
    assert all(holds(left, one) for one in both.values()) and len(drawn(right)) == 1
    assert [axes.get_title() for axes in (left, right)] == ["connected", "isolated"]
    assert [axes.get_title(loc="left") for axes in (left, right)] == ["A", "B"]
