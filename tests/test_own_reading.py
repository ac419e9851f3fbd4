"""Readings, probes and pictures of one's own sequences, of every kind of target."""

import csv

import gymnasium as gym
import keras
import numpy as np
import pytest

import aru_keras  # noqa: F401
from aru_keras import models, plots, probing, tasks
from aru_keras.analysis import Evaluator, propagation
from aru_keras.envs import Probe
from aru_keras.layers import ARU
from aru_keras.runners.cli import main
from aru_keras.runners.run_folder import RunFolder
from aru_keras.runners.train import TrainConfig

K, T, I = 6, 12, 10  # noqa: E741
RNG = np.random.default_rng(0)
LENGTHS = np.array([T, 8, 5] * (K // 3))
ROWS = [RNG.normal(size=(n, I)).astype("float32") for n in LENGTHS]
KINDS = {
    "class": np.array(["rest", "walk", "run"] * (K // 3)),
    "step class": [RNG.integers(0, 3, n) for n in LENGTHS],
    "value": RNG.normal(size=(K, 2)),
    "step value": [RNG.normal(size=(n, 1)) for n in LENGTHS],
}


@pytest.fixture(scope="module", params=KINDS, ids=str)
def case(request):
    split = (ROWS, KINDS[request.param])
    task = tasks.from_arrays(split, split, split, name="own", interval=2.0, unit="ms")
    return task, models.network_for(task, "gamma", units=4)


@pytest.fixture
def run(case, tmp_path):
    """A run that was not trained, which a probe needs no more of."""
    task, model = case
    path = tasks.export(task, tmp_path / "own")
    folder = RunFolder(tmp_path)
    folder.create(TrainConfig(path, "gamma", units=4), None)
    model.save(folder.model)
    return tmp_path


def outputs(model, task, index):
    found = keras.ops.convert_to_numpy(model(task.arrays("test")[0][[index]]))[0]
    return found[: LENGTHS[index]] if task.spec.every_step else found


def test_a_layer_that_reads_backwards_is_refused(case):
    task, _ = case
    pixels = keras.Input((None, 1))
    h = ARU(4, 3, go_backwards=True)(pixels)
    with pytest.raises(ValueError, match="`model` must read in the order of time"):
        probing.read(keras.Model(pixels, keras.layers.Dense(2)(h)), task)


def test_scores_need_one_class_for_each_sequence(case):
    task, model = case
    if task.spec.target == "class" and not task.spec.every_step:
        x, y = task.arrays("test")
        wanted = keras.ops.convert_to_numpy(model(x)).argmax(-1) == y
        assert Evaluator(model, task)().accuracy == pytest.approx(wanted.mean())
        assert np.isfinite(Evaluator(model, task)("step:3").loss)
        with pytest.raises(ValueError, match="`network` must mask no step"):
            propagation(model, x, y)
    else:
        with pytest.raises(ValueError, match="`task` must have one class for each sequence"):
            Evaluator(model, task)


@pytest.mark.parametrize("index", [0, 2])
def test_a_reading_ends_with_its_sequence_and_says_what_the_model_says(case, index):
    task, model = case
    reading = probing.read(model, task, index=index)
    assert reading.timesteps == LENGTHS[index] == len(reading.signals["h"])
    np.testing.assert_array_equal(reading.pixels, ROWS[index])
    wanted = outputs(model, task, index)
    if task.spec.target == "class":
        wanted = keras.ops.convert_to_numpy(keras.ops.softmax(wanted))
    found = reading.probabilities if task.spec.every_step else reading.probabilities[-1]
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    y = task.arrays("test")[1][index]
    np.testing.assert_array_equal(reading.label, y[: LENGTHS[index]] if task.spec.every_step else y)


def test_its_picture_has_the_channels_and_the_targets(case):
    task, model = case
    figure = plots.reading(model, task, index=1, perturbation="step:2+channels:0.5")
    rows = {axes.get_ylabel(): axes for axes in figure.axes}
    inputs = rows["input $x_t$"].lines
    assert [line.get_label() for line in inputs] == list(task.spec.channels[:8])
    np.testing.assert_array_equal(inputs[1].get_ydata(), ROWS[1][:, 1])
    assert "+ 2 more" in [
        text.get_text()
        for text in figure.axes[0].get_legend().findobj()
        if hasattr(text, "get_text")
    ]
    last = rows["value" if task.spec.target == "value" else "class"]
    assert last.get_xlabel() == "step t (2 ms each)"
    if task.spec.target == "value":
        assert [line.get_label() for line in last.lines][:2] == ["value 0", "target 0"]
    plots.numbers(figure)


def test_a_probe_of_the_run_steps_through_what_the_reading_says(case, run, capsys):
    task, model = case
    assert main(["probe", str(run), "--index", "1", "--recording", "csv"]) == 0
    said = capsys.readouterr().out
    reading = probing.read(model, task, index=1)
    with open(run / "probes/test-1.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == LENGTHS[1] and "pixel_index" not in rows[0]
    assert float(rows[3]["x_channel 2"]) == pytest.approx(float(ROWS[1][3, 2]))
    name = "value_0" if task.spec.target == "value" else "p_0"
    found = [float(row[name]) for row in rows]
    np.testing.assert_allclose(found, reading.probabilities[:, 0], rtol=1e-4, atol=1e-5)
    words = "the label is" if task.spec.target == "class" else "A squared error of"
    assert ("Right at" if task.spec.every_step and task.classes else words) in said


def test_a_frame_shows_the_channels_and_what_has_been_read(case):
    task, model = case
    options = {"task": task, "shuffle": False, "disable_env_checker": True}
    env = Probe(gym.make("aru/Sequence-v0", render_mode="rgb_array", **options), model)
    env.reset(seed=0)
    first = env.render()
    for _ in range(4):
        env.step(env.action_space.sample())
    later = env.render()
    assert later.shape == first.shape and later.dtype == np.uint8 and (later != first).any()
    view = env.unwrapped.vector_env.screen._views[0]
    assert view.channels == task.spec.channels[:8]
    np.testing.assert_allclose(view._rows["pixel"]._values[:5], ROWS[0][:5, :8])
    assert (view._pixels[0, :5, :3] == round(255 * 0.45)).all()
