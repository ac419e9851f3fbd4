"""Episodes of the unit rig: their end, autoreset, and where they start."""

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode
from rigs import CLOSE, RNG, G, assert_same, network, played, shared, single
from support import relative_error

from aru_keras.envs.rig import UnitRigVectorEnv


def test_an_endless_rig_is_never_truncated():
    env = shared(steps=None)
    env.reset()
    assert not any(env.step([0.0])[3] for _ in range(400))


def test_next_step_autoreset():
    currents = RNG.normal(size=(7, 3, 1)).astype("float32")
    env = shared(3, steps=3)
    assert env.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    found = played(env, currents)
    again = {name: values[:4] for name, values in played(env, currents[4:]).items()}
    assert_same({name: values[4:] for name, values in found.items()}, again, 1e-7)
    env.reset()
    steps = [env.step(current) for current in currents]
    assert [step[4]["t"][0] for step in steps] == [1, 2, 3, 0, 1, 2, 3]
    assert [step[3].all() for step in steps] == [False, False, True, False, False, False, True]
    assert (steps[3][4]["current"] == 0).all()


def test_same_step_autoreset():
    currents = RNG.normal(size=(3, 3, 1)).astype("float32")
    env = shared(3, steps=3, autoreset_mode=AutoresetMode.SAME_STEP)
    start = env.reset()[0]
    for current in currents:
        shown, _, _, truncated, info = env.step(current)
    assert truncated.all() and info["t"].tolist() == [0, 0, 0]
    assert_same(shown, start, 1e-7)
    expected = played(shared(3, steps=3), currents)
    assert info["_final_obs"].all() and info["_final_info"].all()
    for number in range(3):
        last = {name: values[-1, number] for name, values in expected.items()}
        assert_same(info["final_obs"][number], last, 1e-7)
    assert info["final_info"]["t"].tolist() == [3, 3, 3]
    np.testing.assert_array_equal(info["final_info"]["current"], currents[-1])


def test_without_autoreset_an_ended_episode_waits_for_its_reset():
    env = shared(3, steps=2, autoreset_mode=AutoresetMode.DISABLED)
    played(env, np.ones((2, 3, 1), "f4"))
    with pytest.raises(ResetNeeded, match="sub-environment 0, 1, 2"):
        env.step(np.ones((3, 1), "f4"))
    _, info = env.reset()
    assert info["t"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("g0_std", [0.0, 1.0])
def test_a_restarted_episode_is_a_new_one_and_the_others_go_on(g0_std):
    env, currents = shared(3, g0_std=g0_std), RNG.normal(size=(7, 3, 1)).astype("float32")
    mask = np.array([False, True, False])
    through = played(env, currents, seed=1)
    before = played(env, currents[:3], seed=1)
    shown, info = env.reset(seed=5, options={"reset_mask": mask})
    assert info["_t"].tolist() == mask.tolist() and info["t"].tolist() == [3, 0, 3]
    after = [shown, *(env.step(current)[0] for current in currents[3:])]
    alone = played(shared(g0_std=g0_std), currents[3:, 1], seed=5)
    for name, values in alone.items():
        found = np.stack([step[name] for step in after])
        assert relative_error(found[:, 1], values) < CLOSE
        assert (found[0, ::2] == before[name][3, ::2]).all()
        assert relative_error(found[:, ::2], through[name][3:, ::2]) < 1e-6


def test_an_ended_episode_restarts_by_itself():
    env, currents = shared(2, steps=4), RNG.normal(size=(6, 2, 1)).astype("float32")
    played(env, currents[:2])
    env.reset(options={"reset_mask": np.array([False, True])})
    steps = [env.step(current) for current in currents[2:]]
    assert [step[4]["t"].tolist() for step in steps] == [[3, 1], [4, 2], [0, 3], [1, 4]]
    assert steps[1][3].tolist() == [True, False]
    alone = played(shared(), currents[2:, 1])
    for name, values in alone.items():
        found = np.stack([step[0][name][1] for step in steps])
        assert relative_error(found, values[1:]) < CLOSE
    again = played(shared(), currents[5:, 0])
    assert_same(single(steps[3][0], 0), {name: values[1] for name, values in again.items()})


def test_observations_stay_as_they_were():
    env = shared(3)
    first = env.reset()[0]
    kept = {name: values.copy() for name, values in first.items()}
    env.step(np.ones((3, 1), "f4"))
    for name in first:
        np.testing.assert_array_equal(first[name], kept[name])


def test_controller_states_start_at_random_from_the_seed():
    env = shared(3, g0_std=1.0)
    first, again, other = (env.reset(seed=seed)[0]["n"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).all() and len(np.unique(first)) == first.size
    assert (env.reset()[0]["n"] != other).all()


def test_controller_states_have_their_spread():
    layer = network()
    cell = layer.cell
    cell.controller_kernel.assign(np.zeros((1, G)))
    cell.controller_recurrent_kernel.assign(0.01 * np.eye(G))
    cell.controller_bias.assign(np.zeros(G))
    cell.readout_kernel.assign(100 * np.eye(G)[:, :2])
    cell.readout_bias.assign(np.zeros(2))
    # Small enough for tanh to be the identity: n and s are the first two entries of g_0.
    shown = UnitRigVectorEnv(2000, layer, g0_std=2.0).reset(seed=0)[0]
    g0 = np.concatenate([shown["n"], shown["s"]])
    assert abs(g0.mean()) < 0.05 and abs(g0.std() - 2.0) < 0.05


def test_a_plain_number_goes_into_all_units_alike():
    for options in ({}, {"per_unit": True}):
        scalar, vector = shared(**options), shared(3, **options)
        width = scalar.action_space.shape
        assert_same(played(scalar, [2.0, 1]), played(scalar, [np.full(width, c) for c in (2.0, 1)]))
        ones, each = np.ones(vector.action_space.shape), np.array([[1.0], [2.0], [3.0]])
        currents = [1.0, [1.0, 2.0, 3.0]]
        assert_same(played(vector, currents), played(vector, [ones, ones * each]))
