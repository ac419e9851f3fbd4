"""`aru/Sequence-v0`: any task as an environment, with an episode for each sequence."""

import warnings

import gymnasium as gym
import keras
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from aru_keras import models, perturbations, probing, tasks
from aru_keras.envs import Probe, VectorProbe

ID, K, T, I = "aru/Sequence-v0", 12, 7, 3  # noqa: E741
RNG = np.random.default_rng(0)
LENGTHS = np.array([T, 4, 2] * (K // 3))
ROWS = [RNG.normal(size=(n, I)).astype("float32") for n in LENGTHS]
KINDS = {
    "class": np.arange(K) % 3,
    "step class": [RNG.integers(0, 3, n) for n in LENGTHS],
    "value": RNG.normal(size=(K, 2)),
    "step value": [RNG.normal(size=(n, 1)) for n in LENGTHS],
}


def made(kind, x=ROWS, y=None):
    split = (x, KINDS[kind] if y is None else y)
    return tasks.from_arrays(split, split, split, name=kind)


@pytest.fixture(params=KINDS, ids=str)
def task(request):
    return made(request.param)


def make(task, **options):
    return gym.make(ID, task=task, shuffle=False, disable_env_checker=True, **options)


def make_vec(task, **options):
    options |= {"task": task, "shuffle": False, "vectorization_mode": "vector_entry_point"}
    return gym.make_vec(ID, 3, **options)


def right(task, index, t):
    """The right action at a step."""
    y = task.arrays("train")[1][index]
    return y[t] if task.spec.every_step else y


def test_gymnasiums_checks_pass(task):
    with warnings.catch_warnings():
        # Values have no bounds, of which Gymnasium warns.
        warnings.filterwarnings("ignore", message=".*Box action space.*|.*symmetric and normal.*")
        warnings.filterwarnings("error", message=".*(seed|determin|observation).*")
        check_env(gym.make(ID, task=task).unwrapped, skip_render_check=True)


def test_an_episode_is_a_sequence_of_its_own_length(task):
    env = make(task)
    low, high = task.bounds
    np.testing.assert_array_equal(env.observation_space.low, low)
    np.testing.assert_array_equal(env.observation_space.high, high)
    for index, row in enumerate(ROWS[:4]):
        seen, info = env.reset(seed=0 if index == 0 else None)
        shown, over = [seen], False
        while not over:
            assert env.observation_space.contains(seen) and info["t"] == len(shown) - 1
            assert info["index"] == index and "pixel_index" not in info
            seen, reward, over, truncated, info = env.step(right(task, index, info["t"]))
            shown.append(seen)
            assert not truncated and reward == (
                float(task.spec.target == "class" and (over or task.spec.every_step))
            )
        np.testing.assert_array_equal(shown[:-1], row)
        np.testing.assert_array_equal(shown[-1], row[-1])


def test_labels_are_told_at_the_end_or_after_every_action(task):
    env = make(task)
    _, info = env.reset(seed=0)
    assert "label" not in info
    for t in range(T):
        *_, over, _, info = env.step(env.action_space.sample())
        assert ("label" in info) == (over or task.spec.every_step)
        if "label" in info:
            np.testing.assert_array_equal(info["label"], right(task, 0, t))
    _, info = env.reset()
    assert "label" not in info
    _, info = make(task, reveal_label=True).reset(seed=0)
    np.testing.assert_array_equal(info["label"], right(task, 0, 0))


def test_a_value_is_paid_by_its_squared_error():
    task = made("value")
    env = make(task, reward="every_step")
    env.reset(seed=0)
    _, reward, *_ = env.step(right(task, 0, 0) + np.float32([1, 2]))
    assert reward == pytest.approx(-2.5, rel=1e-5)
    with pytest.raises(ValueError, match="which needs classes"):
        make(task, reward="log_probability")


def test_log_probabilities_are_paid_at_every_step_that_has_a_class():
    task = made("step class")
    env = make(task, reward="log_probability")
    env.reset(seed=0)
    for _ in range(3):
        _, reward, *_ = env.step(np.zeros(3, "float32"))
        assert reward == pytest.approx(-np.log(3))


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_the_vector_form_plays_the_episodes_of_the_scalar_form(task, mode):
    envs = gym.make_vec(
        ID,
        3,
        vectorization_mode="vector_entry_point",
        task=task,
        shuffle=False,
        autoreset_mode=mode,
    )
    seen, info = envs.reset(seed=0)
    gained, ends = np.zeros(K), 0
    for _ in range(3 * T):
        index, t = info["index"], info["t"]
        rows = [ROWS[i][k] for i, k in zip(index, t, strict=True)]
        np.testing.assert_array_equal(seen, rows)
        played = [right(task, i, k) for i, k in zip(index, t, strict=True)]
        seen, rewards, terminated, _, info = envs.step(np.stack(played))
        if mode is AutoresetMode.SAME_STEP:
            np.testing.assert_array_equal(terminated, t == LENGTHS[index] - 1)
        gained[index] += rewards
        ends += terminated.sum()
    assert ends > 5
    if task.spec.target == "class" and not task.spec.every_step:
        assert gained.sum() == ends


@pytest.mark.parametrize("kind", ["class", "step class"])
def test_a_probe_sees_what_is_recorded_offline(kind):
    task = made(kind)
    model = models.network_for(task, "gamma", units=4)
    x = task.arrays("train")[0]
    recorded = probing.record(model, x, ("n", "h"))
    outputs = keras.ops.convert_to_numpy(model(x))
    env = Probe(make(task), model, as_numpy=True)
    for index in range(3):
        _, info = env.reset(options={"index": index})
        over = False
        while not over:
            t, last = info["t"], info["t"] == LENGTHS[index] - 1
            np.testing.assert_allclose(info["h"], recorded["h"][index, t], rtol=1e-5, atol=1e-6)
            wanted = outputs[index, t] if task.spec.every_step else outputs[index]
            if task.spec.every_step or last:
                np.testing.assert_allclose(info["y"], wanted, rtol=1e-4, atol=1e-5)
            *_, over, _, info = env.step(0)


def test_a_vector_probe_restarts_with_every_sequence():
    task = made("class")
    model = models.network_for(task, "relu", units=4)
    recorded = probing.record(model, task.arrays("train")[0], "h")["h"]
    envs = make_vec(task)
    envs = VectorProbe(envs, model, "h", as_numpy=True)
    _, info = envs.reset(seed=0)
    for _ in range(2 * T):
        for i in np.flatnonzero(info["_h"]):
            wanted = recorded[info["index"][i], info["t"][i]]
            np.testing.assert_allclose(info["h"][i], wanted, rtol=1e-5, atol=1e-6)
        *_, info = envs.step(np.zeros(3, int))


def test_a_contrast_extends_the_bounds_and_acts_during_the_episode():
    task, contrast = made("class"), perturbations.Contrast(0.9)
    env = make(task, perturbation=contrast)
    assert (env.observation_space.high > task.bounds[1]).any()
    changed = contrast.pixels(task.arrays("train")[0])
    seen, _ = env.reset(seed=0)
    for t in range(T - 1):
        np.testing.assert_array_equal(seen, changed[0, t])
        assert env.observation_space.contains(seen)
        seen, *_ = env.step(0)


@pytest.mark.parametrize("make_env", [gym.make, gym.make_vec])
def test_the_task_must_be_named(make_env):
    with pytest.raises(ValueError, match=r"`task` is missing\. Name a task, one of digits"):
        make_env(ID)


def test_the_old_ids_are_the_same_environment():
    one = gym.make("aru/Digits-v0", disable_env_checker=True)
    other = gym.make(ID, task="digits", disable_env_checker=True)
    for env in (one, other):
        env.reset(seed=3)
    for _ in range(64):
        results = [env.step(4) for env in (one, other)]
        np.testing.assert_array_equal(results[0][0], results[1][0])
        assert results[0][1:4] == results[1][1:4] and results[0][4].keys() == results[1][4].keys()


def test_a_spec_with_the_path_of_a_file_is_written_and_read(tmp_path):
    path = tasks.export(made("class"), tmp_path / "own")
    env = gym.make(ID, task=str(path))
    again = gym.make(gym.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    np.testing.assert_array_equal(again.reset(seed=0)[0], env.reset(seed=0)[0])
    with pytest.raises(ValueError, match="`task` of"):
        make(made("class")).spec.to_json()
