"""Copies and pickles of environments and wrappers step on as the original; forks are refused."""

import copy
import multiprocessing
import pickle

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from support import array, relative_error

from aru_keras import models
from aru_keras.envs import Perturb, Probe, VectorPerturb, VectorProbe
from aru_keras.probing import OnlineStep, Recorder

DIGITS, RIG = "aru/Digits-v0", "aru/UnitRig-v0"
T, N, G, B = 64, 6, 3, 3
DUPLICATES = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
}


@pytest.fixture(scope="module")
def network():
    return models.build_network("arun", (T, 1), units=N, controller_units=G)


def lanes(name=DIGITS, **options):
    return gym.make_vec(name, B, vectorization_mode="vector_entry_point", **options)


MAKERS = {
    "probe": lambda network: Probe(gym.make(DIGITS, perturbation="noise:1"), network),
    "perturb": lambda network: Perturb(gym.make(DIGITS), "contrast:0.5"),
    "perturbed probe": lambda network: Perturb(Probe(gym.make(DIGITS), network), "noise:1"),
    "vector probe": lambda network: VectorProbe(
        VectorPerturb(lanes(autoreset_mode=AutoresetMode.SAME_STEP), "noise:1"), network
    ),
    "rig": lambda network: gym.make(RIG, network=network, g0_std=0.1, steps=5),
    "vector rig": lambda network: lanes(RIG, network=network, g0_std=0.1, steps=5),
}


def actions_of(env, rng):
    space = env.action_space
    if np.issubdtype(space.dtype, np.integer):
        return rng.integers(0, 10, space.shape)
    return rng.normal(size=space.shape).astype("f4")


def everything(env, steps, rng):
    """What `steps` steps under random actions give, numbers one after another."""
    given = []
    for _ in range(steps):
        shown, reward, terminated, truncated, info = env.step(actions_of(env, rng))
        given += leaves([shown, reward, terminated, truncated, info])
        if np.ndim(terminated) == 0 and (terminated or truncated):
            env.reset()
    return given


def leaves(value):
    """The numbers in nested dictionaries and lists, a row for each array."""
    if isinstance(value, dict):
        return [leaf for name in sorted(value) for leaf in leaves(value[name])]
    if isinstance(value, list) or (isinstance(value, np.ndarray) and value.dtype == object):
        return [leaf for one in value if one is not None for leaf in leaves(one)]
    known = np.isscalar(value) or isinstance(value, np.ndarray)
    return [np.asarray(value if known else array(value))]


@pytest.mark.parametrize("duplicate", DUPLICATES.values(), ids=DUPLICATES)
@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_a_duplicate_in_the_middle_of_an_episode_steps_on_as_the_original(
    maker, duplicate, network
):
    env = maker(network)
    env.reset(seed=3)
    everything(env, 4, np.random.default_rng(0))
    twin = duplicate(env)
    assert type(twin) is type(env)
    steps = 2 * T + 3
    found, expected = (everything(one, steps, np.random.default_rng(1)) for one in (twin, env))
    for value, known in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, known, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("duplicate", DUPLICATES.values(), ids=DUPLICATES)
def test_a_duplicate_goes_its_own_way(duplicate, network):
    env = Probe(gym.make(DIGITS), network, "h")
    env.reset(seed=3)
    for _ in range(5):
        env.step(0)
    twin = duplicate(env)
    for _ in range(5):
        twin.step(0)
    again = Probe(gym.make(DIGITS), network, "h")
    again.reset(seed=3)
    for _ in range(5):
        again.step(0)
    found, expected = env.step(0)[-1], again.step(0)[-1]
    assert found["t"] == expected["t"] == 6
    assert relative_error(array(found["h"]), array(expected["h"])) < 1e-6


def test_a_copy_shares_the_network_and_a_pickle_does_not(network):
    env = Probe(gym.make(DIGITS), network)
    assert copy.deepcopy(env).online.network is network
    pickled = pickle.loads(pickle.dumps(env)).online.network
    assert pickled is not network and pickled.name == network.name


def test_a_frame_of_a_duplicate_is_the_originals(network):
    env = Probe(gym.make(DIGITS, render_mode="rgb_array"), network)
    env.reset(seed=0)
    for step in range(6):
        env.step(0)
        if step == 2:
            env.render()
    frame = env.render()
    for duplicate in DUPLICATES.values():
        twin = duplicate(env)
        np.testing.assert_array_equal(twin.render(), frame)
        np.testing.assert_array_equal(duplicate(twin).render(), frame)
        twin.step(0)
        assert (twin.render() != frame).any()
    np.testing.assert_array_equal(env.render(), frame)


@pytest.mark.parametrize("cls", [OnlineStep, Recorder])
def test_steps_and_recorders_pickle_with_their_network(cls, network):
    kept = cls(network, ("n", "h"))
    again = pickle.loads(pickle.dumps(kept))
    assert again.signals == kept.signals and copy.deepcopy(kept) is kept
    x = np.random.default_rng(0).random((2, T, 1), "f4")
    if cls is OnlineStep:
        x = x[:, 0]
        results = [one(x, one.initial_state(2))[2] for one in (kept, again)]
    else:
        results = [one(x) for one in (kept, again)]
    for name, values in results[0].items():
        np.testing.assert_allclose(array(results[1][name]), array(values), rtol=1e-6)


def in_a_fork(work):
    """What `work` gives in a forked process, or the error that it raises there."""

    def report(connection):
        try:
            connection.send(work())
        except Exception as error:
            connection.send(error)

    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=report, args=(there,))
    process.start()
    try:
        return here.recv() if here.poll(60) else "it hangs"
    finally:
        process.kill()
        process.join()


@pytest.mark.filterwarnings("ignore:.*fork.*")
@pytest.mark.parametrize(
    "work",
    [
        lambda network, env: Probe(gym.make(DIGITS), network).reset(),
        lambda network, env: env.reset(),
        lambda network, env: env.step(0),
        lambda network, env: gym.make(RIG, network=network),
        lambda network, env: gym.make(RIG),
        lambda network, env: Recorder(network),
    ],
    ids=["a new probe", "a probe's reset", "a probe's step", "a rig", "a fresh rig", "a recorder"],
)
def test_a_network_in_a_forked_process_is_refused_at_once(work, network):
    env = Probe(gym.make(DIGITS), network)
    env.reset(seed=0)
    error = in_a_fork(lambda: work(network, env))
    assert isinstance(error, RuntimeError), error
    assert "forked" in str(error) and "context='spawn'" in str(error)


@pytest.mark.filterwarnings("ignore:.*fork.*")
def test_an_environment_without_a_network_works_in_a_forked_process():
    env = Perturb(gym.make(DIGITS), "step:5")
    pixel, info = in_a_fork(lambda: env.reset(seed=0))
    expected, told = env.reset(seed=0)
    np.testing.assert_array_equal(pixel, expected)
    assert info["index"] == told["index"]
