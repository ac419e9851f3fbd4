"""Perturbations of sequences of many channels and of different lengths."""

import json
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest

import aru_keras  # noqa: F401
from aru_keras import tasks
from aru_keras.perturbations import (
    ChannelContrast,
    Contrast,
    InputNoise,
    StepDrive,
    as_perturbation,
    from_config,
    parse,
)
from aru_keras.runners.recordings import Recording

K, T, I = 9, 30, 3  # noqa: E741
RNG = np.random.default_rng(0)
LENGTHS = np.array([T, 12, 5] * 3)
ROWS = [RNG.normal(size=(n, I)).astype("float32") for n in LENGTHS]
SPLIT = (ROWS, np.arange(K) % 3)
NAMES = ["left", "right", "up"]
SOME = ChannelContrast(0.8, channels=["right", 2])
NOISE = InputNoise(0.25, mean=1.0, seed=4)


@pytest.fixture(scope="module")
def task():
    return tasks.from_arrays(SPLIT, SPLIT, SPLIT, channels=NAMES)


def test_a_contrast_of_some_channels_is_that_of_all_on_these_alone(task):
    x, _ = task.arrays("test")
    seen, drive = task.perturbed(x, range(K), SOME)
    every = Contrast(0.8).pixels(x)
    np.testing.assert_array_equal(seen[..., 1:], every[..., 1:])
    np.testing.assert_array_equal(seen[..., 0], x[..., 0])
    assert drive is None and (seen != x).any()


def test_noise_has_its_moments_its_seed_and_its_index(task):
    x, _ = task.arrays("test")
    mask = task.mask("test")
    seen = task.perturbed(x, range(K), NOISE)[0]
    noise = (seen - x)[mask]
    assert noise.mean() == pytest.approx(1.0, abs=0.1) and noise.std() == pytest.approx(
        0.5, abs=0.05
    )
    np.testing.assert_array_equal(seen[~mask], x[~mask])
    alone = task.perturbed(x[[4]], [4], NOISE)[0]
    np.testing.assert_array_equal(alone[0], seen[4])
    assert (task.perturbed(x, range(K), InputNoise(0.25, 1.0, 5))[0] != seen)[mask].all()
    assert len(np.unique(noise.round(5))) > 0.9 * noise.size


def test_pixels_are_those_of_the_task(task):
    x, _ = task.arrays("test")
    x = x[LENGTHS == T]
    for perturbation in (SOME, NOISE, SOME + NOISE):
        expected = perturbation.pixels(x, np.flatnonzero(LENGTHS == T), NAMES)
        seen = task.perturbed(task.arrays("test")[0], range(K), perturbation)[0]
        np.testing.assert_array_equal(expected, seen[LENGTHS == T])


@pytest.mark.parametrize("perturbation", [SOME, NOISE, SOME + NOISE + StepDrive(2), NOISE + SOME])
def test_environment_and_pipelines_show_the_same(task, perturbation):
    stream = task.batches("train", K, perturbation=perturbation, shuffle=False)
    inputs, _ = next(iter(stream))
    inputs = inputs["pixels"] if perturbation.has_drive else inputs
    env = gym.make(
        "aru/Sequence-v0",
        task=task,
        shuffle=False,
        perturbation=perturbation,
        disable_env_checker=True,
    )
    for index in range(3):
        seen, _ = env.reset(seed=0 if index == 0 else None)
        for t in range(LENGTHS[index]):
            np.testing.assert_array_equal(seen, inputs[index, t])
            assert env.observation_space.contains(seen)
            seen, *_ = env.step(0)


CONTRASTS = {
    "all channels": Contrast(0.5, 2, 0.3),
    "a window": Contrast(0.5, phase=1.0, start=3, duration=9),
    "one channel": ChannelContrast(0.5, phase=np.pi / 2, channels=(1,)),
    "several": Contrast(0.8) + SOME + StepDrive(2),
    "twice below 0": Contrast(1.5) + Contrast(-1.8),
    "below 0 in some": ChannelContrast(2, channels=[0]) + Contrast(1.5),
}


@pytest.mark.parametrize("name", CONTRASTS)
def test_the_contrast_in_force_is_the_factor_on_positive_inputs(name):
    x = np.abs(RNG.normal(size=(K, T, I))).astype("float32")
    task = tasks.from_arrays(*[(x, np.arange(K) % 3)] * 3, channels=NAMES)
    options = {"task": task, "shuffle": False, "perturbation": CONTRASTS[name]}
    env = gym.make("aru/Sequence-v0", disable_env_checker=True, **options)
    (seen, info), over, t = env.reset(seed=0), False, 0
    while not over:
        np.testing.assert_allclose(seen, x[0, t] * info["contrast"], rtol=1e-5, atol=1e-7)
        seen, _, over, _, info = env.step(0)
        t += 1
    assert np.shape(info["contrast"]) == ((I,) if "channel" in str(CONTRASTS[name]).lower() else ())
    vector = gym.make_vec("aru/Sequence-v0", 2, vectorization_mode="vector_entry_point", **options)
    seen, info = vector.reset(seed=0)
    factors = info["contrast"].reshape(2, -1)
    np.testing.assert_allclose(seen, x[:2, 0] * factors, rtol=1e-5, atol=1e-7)


def test_the_csv_of_a_recording_has_a_contrast_for_each_channel(task):
    shown = {"pixels": np.zeros((T, I)), "drive": None, "probabilities": np.zeros((T, 1))}
    reading = SimpleNamespace(task=task, timesteps=T, of_values=True, **shown)
    factors = np.arange(T * I).reshape(T, I)
    header, *rows = Recording(reading, {}, factors).table().splitlines()
    names = [f"contrast_{name}" for name in NAMES]
    assert header.split(",")[5:8] == names and rows[2].split(",")[5:8] == ["6", "7", "8"]


def test_noise_is_no_part_of_the_contrast_in_force(task):
    env = gym.make("aru/Sequence-v0", task=task, perturbation=NOISE + SOME)
    assert env.reset(seed=0)[1]["contrast"].tolist() == [1, 1, 1]
    np.testing.assert_allclose(
        env.step(0)[4]["contrast"][1:], Contrast(0.8).factors(T)[0][1], rtol=1e-6
    )


def test_the_order_of_a_composition_counts(task):
    x = np.abs(task.arrays("test")[0][:1])
    seen = [task.perturbed(x, [0], one)[0] for one in (SOME + NOISE, NOISE + SOME)]
    assert (seen[0] != seen[1]).any()
    np.testing.assert_array_equal(
        seen[0], task.perturbed(task.perturbed(x, [0], SOME)[0], [0], NOISE)[0]
    )


@pytest.mark.parametrize("perturbation", [SOME, NOISE, SOME + NOISE])
def test_they_go_through_json_and_text(perturbation):
    assert from_config(json.loads(json.dumps(perturbation.to_config()))) == perturbation
    assert parse("channels:0.8,channels=right;2") == SOME
    assert parse("input-noise:0.25,1,4") == NOISE and as_perturbation("input-noise") == InputNoise()


@pytest.mark.parametrize("channels", [["down"], [3], "down"])
def test_an_unknown_channel_is_named(task, channels):
    with pytest.raises(ValueError, match="must be left, right, up, or numbers from 0 to 2"):
        task.perturbed(task.arrays("test")[0], range(K), ChannelContrast(channels=channels))


@pytest.mark.parametrize("wrong", [[], [-1], [1.5], None, [None]])
def test_wrong_channels_are_refused(wrong):
    with pytest.raises(ValueError, match="`channels` must be names of channels"):
        ChannelContrast(channels=wrong)


def test_input_noise_needs_to_know_the_sequence():
    with pytest.raises(ValueError, match="`indices` must be those of the sequences"):
        InputNoise().pixels(np.zeros((1, 3, 1)))
    with pytest.raises(ValueError, match="for a contrast of some channels"):
        SOME.pixels(np.zeros((1, 8, 8, 3)))


def test_images_take_noise_too():
    digits = tasks.load_task("digits")
    x, _ = digits.examples("test", [3])
    seen = digits.perturbed(x, [3], "input-noise:0.01")[0]
    assert 0.05 < (seen - x).std() < 0.15
