"""Figures hold what they are given."""

import keras
import numpy as np
import pytest
from figures import reading_of

from aru_keras import models, plots, probing, tasks
from aru_keras.layers import ARU
from aru_keras.probing.reading import read


@pytest.fixture(scope="module")
def task():
    return tasks.load_task("digits")


def strips(figure, name, count):
    """The axes of the units of a signal."""
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    first = titles.index(plots.LABELS[name])
    return figure.axes[first : first + count]


@pytest.mark.parametrize(("name", "panels"), [("arun", "nsh"), ("gamma", "nsh"), ("relu", "h")])
def test_a_reading_shows_the_signals_of_the_units(name, panels, task):
    model = models.build_network(name, task.input_shape, units=5, controller_units=3)
    figure = plots.reading(model, task, index=3, units=[4, 1])
    signals = probing.record(model, task.arrays("test")[0][3:4], tuple(panels))
    for name in panels:
        drawn = strips(figure, name, 2)
        for axes, unit in zip(drawn, [4, 1], strict=True):
            line, mean = axes.get_lines()
            np.testing.assert_allclose(line.get_ydata(), signals[name][0, :, unit], rtol=1e-4)
            of_all = signals[name][0].mean(axis=1)
            np.testing.assert_allclose(mean.get_ydata(), of_all, rtol=1e-4, atol=1e-6)
            assert axes.texts[0].get_text() == f"unit {unit}"
            band = axes.collections[0].get_paths()[0].vertices
            last = band[band[:, 0] == 63, 1]
            expected = np.percentile(signals[name][0, 63], [10, 90])
            np.testing.assert_allclose([last.min(), last.max()], expected, rtol=1e-4)
        # Units are compared.
        assert drawn[0].get_ylim() == drawn[1].get_ylim()


def test_the_picture_is_the_image_that_is_read(task):
    model = models.build_network("arun", task.input_shape, units=5, controller_units=3)
    figure = plots.reading(model, task, index=7)
    shown = figure.axes[0].get_images()[0].get_array()
    np.testing.assert_array_equal(shown, task.images("test")[7])
    assert str(task.arrays("test")[1][7]) in figure.axes[0].get_title()


def test_the_prediction_is_that_of_the_model(task):
    model = models.build_network("arun", task.input_shape, units=5, controller_units=3)
    x = task.arrays("test")[0][:1]
    logits = np.asarray(model(x))[0]
    expected = np.exp(logits - logits.max())
    np.testing.assert_allclose(
        read(model, task).probabilities[-1], expected / expected.sum(), rtol=1e-4, atol=1e-6
    )


def test_a_read_out_with_a_softmax_gets_no_second_one(task):
    inputs = keras.Input(task.input_shape)
    readout = keras.layers.Dense(10, "softmax", name="readout")
    model = keras.Model(inputs, readout(ARU(5, 3)(inputs)))
    x = task.arrays("test")[0][:1]
    shown = read(model, task).probabilities[-1]
    np.testing.assert_allclose(shown, np.asarray(model(x))[0], rtol=1e-4, atol=1e-6)


def test_a_reading_of_a_saved_run(task, tmp_path):
    model = models.build_network("gamma", task.input_shape, units=5)
    model.save(tmp_path / "model.keras")
    figure = plots.reading(tmp_path, task, units=[1])
    expected = probing.record(model, task.arrays("test")[0][:1], "h")["h"][0, :, 1]
    (axes,) = strips(figure, "h", 1)
    line = axes.get_lines()[0]
    np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match="`network` must be a layer, a model, the folder of a run"):
        plots.reading(tmp_path / "nowhere", task)


def test_a_task_that_the_network_does_not_read(task):
    model = models.build_network("gamma", (64, 3), units=5)
    with pytest.raises(
        ValueError, match=r"shape that the network reads.*3.*Received.*\(1, 64, 1\)"
    ):
        plots.reading(model, task)


def test_images_for_the_convolutional_encoder_are_drawn_too():
    rng = np.random.default_rng(0)

    class Colour:
        name, timesteps, image_shape = "colour", 4, (8, 8, 3)
        spec = tasks.TASKS["scifar10"]

        def images(self, split):
            return rng.random((1, 8, 8, 3))

        def examples(self, split, indices):
            return rng.random((1, 8, 8, 3)).astype("float32"), np.array([2])

        def perturbed(self, x, indices, perturbation, units):
            return x, None

    model = models.build_network("arun", (8, 8, 3), encoder="conv", units=5, controller_units=3)
    figure = plots.reading(model, Colour())
    assert len(strips(figure, "n", 4)) == 4


def test_a_perturbation_acts_and_is_drawn(task):
    model = models.build_network("arun", task.input_shape, units=5, controller_units=3)
    figure = plots.reading(model, task, perturbation="step:2+contrast:0.5")
    drawn = {axes.get_ylabel(): axes for axes in figure.axes}
    assert "drive $\\xi_t$" in drawn
    bars = [bar.get_height() for bar in drawn["pixel $x_t$"].patches]
    x, drive = task.perturbed(task.examples("test", [0])[0], [0], "step:2+contrast:0.5")
    np.testing.assert_allclose(bars, x[0, :, 0], rtol=1e-6)
    assert not np.array_equal(x, task.examples("test", [0])[0])
    signals = probing.record(model, x, "n", drive)["n"][0]
    axes = strips(figure, "n", 1)[0]
    unit = int(axes.texts[0].get_text().removeprefix("unit "))
    np.testing.assert_allclose(axes.get_lines()[0].get_ydata(), signals[:, unit], rtol=1e-4)


def test_a_drive_that_differs_by_unit_is_drawn_as_its_mean():
    alike = plots.picture_of(reading_of(10))
    assert "drive $\\xi_t$" in [axes.get_ylabel() for axes in alike.axes]
    figure = plots.picture_of(reading_of(10, np.arange(12.0).reshape(4, 3)))
    (axes,) = (axes for axes in figure.axes if axes.get_ylabel() == "mean drive")
    heights = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert {1, 4, 7, 10} <= set(heights)


@pytest.mark.parametrize(
    ("classes", "named"),
    [(2, [0, 1]), (4, [0, 1, 2, 3]), (10, [0, 3, 6, 9]), (100, [0, 25, 50, 75])],
)
def test_no_more_classes_are_named_than_can_be_read(classes, named):
    figure = plots.picture_of(reading_of(classes))
    (axes,) = (axes for axes in figure.axes if axes.get_ylabel() == "class")
    assert axes.get_yticks().tolist() == named


def test_more_units_than_colours_can_be_told_apart(task):
    styles = [tuple(plots.unit_style(place).items()) for place in range(28)]
    assert len(set(styles)) == 28


def test_the_liveliest_units_of_constant_gains_are_those_of_the_output(task):
    found = read("pretrained:gamma-digits", task)
    assert (found.signals["n"] == found.signals["n"][0]).all()
    by_output = np.argsort(found.signals["h"].std(axis=0, dtype="float64"))[::-1]
    assert found.liveliest(4).tolist() == by_output[:4].tolist()


def test_units_and_images_that_do_not_exist(task):
    model = models.build_network("arun", task.input_shape, units=5, controller_units=3)
    for units in ([5], [-1], []):
        with pytest.raises(ValueError, match="`units` must"):
            plots.reading(model, task, units=units)
    with pytest.raises(ValueError, match="`indices` must be below 360"):
        plots.reading(model, task, index=360)
    everywhere = keras.Sequential([keras.Input((64, 1)), ARU(3, 2, return_sequences=True)])
    with pytest.raises(ValueError, match="`model` must make its output from the last output"):
        plots.reading(everywhere, task)
