"""The unit rig: units answer currents, alike step by step and batched."""

import random
import warnings

import gymnasium as gym
import keras
import numpy as np
import pytest
from contract import CASES, settle
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from rigs import (
    EVERY_SIGNAL,
    RNG,
    G,
    N,
    assert_same,
    by_env,
    network,
    played,
    shared,
    single,
    weights,
)
from support import BACKEND, array, relative_error

from aru_keras import ARU, DrivenRNN, GammaRNN
from aru_keras.envs import protocols
from aru_keras.envs.rig import UnitRigEnv
from aru_keras.probing import record

# The environment.


@pytest.mark.parametrize("options", [{}, {"per_unit": True}, {"isolated": True, "g0_std": 1.0}])
def test_gymnasium_finds_no_fault(options):
    env = UnitRigEnv(units=N, controller_units=G, steps=20, **options)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(infinity|symmetric and normalized|spec).*")
        check_env(env, skip_render_check=True)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("per_unit", [False, True])
def test_spaces_hold_what_is_shown_over_whole_episodes(case, per_unit):
    env = UnitRigEnv(case.make_layer(), per_unit=per_unit, steps=10)
    units = env.layer.cell.units
    assert set(env.observation_space) == set(case.signals) - {"g"}
    assert env.action_space.shape == (units if per_unit else 1,)
    shown, info = env.reset(seed=0)
    env.action_space.seed(0)
    for t in range(1, 11):
        assert shown in env.observation_space and info["t"] == t - 1
        action = env.action_space.sample()
        shown, reward, terminated, truncated, info = env.step(action)
        assert (reward, terminated, truncated) == (0.0, False, t == 10)
        np.testing.assert_array_equal(info["current"], action)
    assert shown in env.observation_space and info["t"] == 10
    with pytest.raises(ResetNeeded):
        env.step(action)


@pytest.mark.parametrize("cls", [ARU, GammaRNN, DrivenRNN])
@pytest.mark.parametrize("features", [1, 4])
@pytest.mark.parametrize("width", [1, N])
def test_units_do_what_the_layer_does_without_input(cls, features, width):
    env = shared(cls=cls, features=features, per_unit=width == N)
    currents = RNG.normal(size=(8, width)).astype("float32")
    found = played(env, currents)
    drive = np.concatenate([np.zeros((1, width)), currents])[None]
    expected = record(env.layer, np.zeros((1, 9, features)), tuple(found), drive)
    assert_same(found, single(expected, 0))
    assert set(found) == (EVERY_SIGNAL if cls is not DrivenRNN else {"a", "h"})


def test_reset_shows_a_step_without_current():
    env = shared()
    shown, info = env.reset()
    np.testing.assert_allclose(shown["a"], array(env.layer.cell.bias), rtol=1e-6)
    assert info["t"] == 0 and info["current"].tolist() == [0]


@pytest.mark.parametrize("per_unit", [False, True])
def test_isolated_units_hear_their_own_output_alone(per_unit):
    alone = network()
    kernel = array(alone.cell.recurrent_kernel)
    alone.cell.recurrent_kernel.assign(np.diag(np.diag(kernel)))
    currents = RNG.normal(size=(10, N if per_unit else 1)).astype("float32")
    found = played(shared(isolated=True, per_unit=per_unit), currents)
    assert_same(found, played(UnitRigEnv(alone, per_unit=per_unit), currents))
    connected = played(shared(per_unit=per_unit), currents)
    assert relative_error(connected["h"], found["h"]) > 0.1


def test_a_current_reaches_only_its_unit_where_synapses_are_blocked():
    env = shared(isolated=True, per_unit=True)
    quiet, poked = (played(env, np.eye(N, dtype="f4")[[2] * 6] * size) for size in (0, 3))
    changed = np.abs(poked["h"] - quiet["h"]).max(axis=0) > 0
    assert changed.tolist() == [False, False, True, False, False]


def test_sub_environments_are_independent_and_in_one_call():
    env, currents = shared(3), RNG.normal(size=(6, 3, 1)).astype("float32")
    together = played(env, currents)
    if BACKEND != "torch":
        assert env.step_network.traces == 1
    for number in range(3):
        alone = played(shared(), currents[:, number])
        assert_same({name: values[:, number] for name, values in together.items()}, alone)


@pytest.mark.parametrize("make", ["layer", "rnn", "model", "unbuilt"])
def test_any_network_with_signals_will_do(make):
    layer = network()
    model = keras.Sequential([keras.Input((7, 1)), layer, keras.layers.Dense(2)])
    given = {
        "layer": layer,
        "rnn": keras.layers.RNN(layer.cell),
        "model": model,
        "unbuilt": ARU(N, G),
    }[make]
    env = UnitRigEnv(given)
    found = played(env, [[1.0]] * 3)
    expected = played(UnitRigEnv(given) if make == "unbuilt" else shared(), [[1.0]] * 3)
    assert_same(found, expected)


def test_the_folder_of_a_run_will_do(tmp_path):
    pixels = keras.Input((7, 1))
    model = keras.Model(pixels, keras.layers.Dense(2)(network()(pixels)))
    model.save(tmp_path / "model.keras")
    assert_same(played(UnitRigEnv(str(tmp_path)), [[1.0]] * 3), played(shared(), [[1.0]] * 3))


def test_it_follows_the_weights():
    layer = network()
    env = UnitRigEnv(layer)
    played(env, [[1.0]])
    protocols.step_response(env, 1.0, 1, 1, 1)
    settle(layer, seed=1)
    expected = played(UnitRigEnv(network(seed=1)), [[1.0]])
    assert_same(played(env, [[1.0]]), expected)
    response = protocols.step_response(env, 1.0, 1, 1, 1)
    assert_same(single(response.signals, 0), expected)


def test_gymnasium_makes_both_forms():
    name = "test/UnitRig-v0"
    gym.register(
        name,
        entry_point="aru_keras.envs.rig:UnitRigEnv",
        vector_entry_point="aru_keras.envs.rig:UnitRigVectorEnv",
    )
    try:
        layer = network()
        env = gym.make(name, network=layer, steps=4)
        envs = gym.make_vec(
            name, 2, vectorization_mode="vector_entry_point", network=layer, steps=4
        )
        assert env.unwrapped.layer is envs.layer is layer
        one = played(env, np.ones((3, 1), "f4"))
        assert_same(one, single(by_env(played(envs, np.ones((3, 2, 1), "f4"))), 1))
        assert env.spec.id == name
        response = protocols.step_response(env, 1.0, 1, 3, 3)
        assert_same(single(response.signals, 0), one)
    finally:
        del gym.registry[name]


# Fresh weights.


def test_fresh_weights_come_from_their_seed():
    first, again = (UnitRigEnv(units=N, controller_units=G) for _ in range(2))
    other = UnitRigEnv(units=N, controller_units=G, weights_seed=1)
    assert first.layer.cell.units == N and first.layer.cell.controller_units == G
    drawn = 0
    for a, b, c in zip(weights(first), weights(again), weights(other), strict=True):
        np.testing.assert_array_equal(a, b)
        drawn += (a != c).any()
    assert drawn == 6  # All but the two biases.
    shown = UnitRigEnv().reset()[0]["n"]
    assert shown.shape == (64,) and (shown > 4).all()


def test_no_generator_of_the_user_is_touched():
    def draws():
        return [random.random(), np.random.random(), float(keras.random.uniform(()))]

    keras.utils.set_random_seed(3)
    expected = draws()
    keras.utils.set_random_seed(3)
    UnitRigEnv(units=N, controller_units=G, g0_std=1.0).reset(seed=0)
    assert draws() == expected


# Errors.


@pytest.mark.parametrize(
    "wrong", ["1", [1.0, 2.0], [[1.0]], ["1"], [np.nan], np.nan, [np.inf], [1e300], 1e300, [None]]
)
def test_bad_actions_are_refused(wrong):
    env = shared()
    env.reset()
    with pytest.raises(ValueError, match=r"`action` must .*Received"):
        env.step(wrong)
    assert env.step([1.0])[4]["t"] == 1


def test_a_step_needs_a_reset():
    with pytest.raises(ResetNeeded, match="reset"):
        UnitRigEnv(network()).step([0.0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "`steps` must .*Received: 0"),
        ({"weights_seed": -1}, "`weights_seed` must .*Received: -1"),
        ({"units": 0}, "`units` must .*Received: 0"),
        ({"g0_std": -1}, "`g0_std` must .*Received: -1"),
        ({"network": "nowhere"}, "`network` must .*'nowhere'"),
        ({"render_mode": "human"}, "`render_mode` must .*'human'"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        UnitRigEnv(**options)


def test_networks_without_what_is_asked_are_refused():
    with pytest.raises(ValueError, match=r"`g0_std` .*GammaRNNCell"):
        UnitRigEnv(network(GammaRNN), g0_std=1.0)
    with pytest.raises(ValueError, match="recurrent layer with signals"):
        UnitRigEnv(keras.Sequential([keras.Input((4, 1)), keras.layers.LSTM(3)]))
