"""Autoreset and reset masks of the vector sequence environment."""

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode
from sequences import MODES, B, T, make_vec, run

from aru_keras import tasks


@pytest.fixture(scope="module")
def digits():
    return tasks.load_task("digits")


def restart_times(mode):
    """Three sub-environments, of which the second is reset at step 2 of the others."""
    env = make_vec(autoreset_mode=mode, shuffle=False, split="test")
    env.reset(seed=0)
    for _ in range(2):
        env.step(np.zeros(B, int))
    mask = np.array([False, True, False])
    pixels, info = env.reset(options={"reset_mask": mask})
    return env, pixels, info


@pytest.mark.parametrize("mode", MODES)
def test_a_reset_mask_restarts_its_sub_environments_and_no_other(mode, digits):
    env, pixels, info = restart_times(mode)
    x, _ = digits.examples("test", [0, 3, 2])
    np.testing.assert_array_equal(pixels[:, 0], [x[0, 2, 0], x[1, 0, 0], x[2, 2, 0]])
    for name in ("t", "pixel_index", "index", "drive", "contrast"):
        np.testing.assert_array_equal(info[f"_{name}"], [False, True, False])
    assert (info["t"][1], info["index"][1]) == (0, 3)
    pixels, *_, info = env.step(np.zeros(B, int))
    np.testing.assert_array_equal(info["t"], [3, 1, 3])
    np.testing.assert_array_equal(pixels[:, 0], [x[0, 3, 0], x[1, 1, 0], x[2, 3, 0]])


def test_next_step_autoreset_shows_the_end_and_then_a_new_image(digits):
    env = make_vec(shuffle=False, split="test")
    x, y = digits.examples("test", range(2 * B))
    given = run(env, T + 1)
    pixels, _, terminated, _, info = given[T]
    np.testing.assert_array_equal(pixels, x[:B, -1])
    assert terminated.all() and info["_label"].all()
    np.testing.assert_array_equal(info["label"], y[:B])
    pixels, rewards, terminated, _, info = given[T + 1]
    np.testing.assert_array_equal(pixels, x[B:, 0])
    assert not rewards.any() and not terminated.any() and not info["t"].any()
    assert "label" not in info


def test_same_step_autoreset_gives_the_end_beside_the_new_image(digits):
    env = make_vec(shuffle=False, split="test", autoreset_mode=AutoresetMode.SAME_STEP)
    x, y = digits.examples("test", range(2 * B))
    pixels, _, terminated, _, info = run(env, T)[-1]
    np.testing.assert_array_equal(pixels, x[B:, 0])
    assert terminated.all() and not info["t"].any() and "label" not in info
    np.testing.assert_array_equal(np.stack(info["final_obs"]), x[:B, -1])
    np.testing.assert_array_equal(info["final_info"]["label"], y[:B])
    np.testing.assert_array_equal(info["final_info"]["t"], [T - 1] * B)


def test_same_step_autoreset_of_some_sub_environments_marks_which(digits):
    env, *_ = restart_times(AutoresetMode.SAME_STEP)
    for _ in range(T - 2):
        *_, terminated, _, info = env.step(np.zeros(B, int))
    np.testing.assert_array_equal(terminated, [True, False, True])
    np.testing.assert_array_equal(info["_final_obs"], terminated)
    np.testing.assert_array_equal(info["final_info"]["_label"], terminated)
    assert info["final_obs"][1] is None
    np.testing.assert_array_equal(info["t"], [0, T - 2, 0])


def test_without_autoreset_an_ended_episode_needs_a_reset():
    env = make_vec(autoreset_mode=AutoresetMode.DISABLED)
    run(env, T)
    with pytest.raises(ResetNeeded, match="over in sub-environment 0, 1, 2: call reset"):
        env.step(np.zeros(B, int))
    env.reset(options={"reset_mask": np.array([True, True, False])})
    with pytest.raises(ResetNeeded, match="over in sub-environment 2"):
        env.step(np.zeros(B, int))
    env.reset(options={"reset_mask": np.array([False, False, True])})
    env.step(np.zeros(B, int))
