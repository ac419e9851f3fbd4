"""Specs go through JSON and make an environment with the same stream, or say what cannot."""

import functools

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env, data_equivalence
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import vector as vector_wrappers

from aru_keras import models, tasks
from aru_keras.envs import Perturb, Probe, VectorPerturb, VectorProbe
from aru_keras.perturbations import Contrast, NoisyDrive, StepDrive, Waveform

DIGITS, RIG = "aru/Digits-v0", "aru/UnitRig-v0"
T, N, B = 64, 5, 2
VALUES = [
    StepDrive(5),
    StepDrive(5) + Contrast(0.3),
    NoisyDrive(seed=3),
    Waveform([1.0, 2.0, 3.0], start=4),
    Waveform(np.arange(10.0 * N).reshape(10, N)),
    None,
    "step:5",
    [{"kind": "step", "amplitude": 2.0}],
]
make_vec = functools.partial(gym.make_vec, vectorization_mode="vector_entry_point")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run, and its network."""
    network = models.build_network("arun", (T, 1), units=N, controller_units=2)
    folder = tmp_path_factory.mktemp("run")
    network.save(folder / "model.keras")
    return folder, network


def stream(env, steps=20):
    rng, space = np.random.default_rng(0), env.action_space
    given = [env.reset(seed=4)]
    for _ in range(steps):
        whole = np.issubdtype(space.dtype, np.integer)
        action = rng.integers(0, 10, space.shape) if whole else rng.normal(size=space.shape)
        given.append(env.step(action.astype(space.dtype) if not whole else action))
    return given


def again(env):
    spec = EnvSpec.from_json(env.spec.to_json())
    return gym.make_vec(spec) if isinstance(env, gym.vector.VectorEnv) else gym.make(spec)


@pytest.mark.parametrize("value", VALUES, ids=str)
@pytest.mark.parametrize("form", ["scalar", "vector", "sync"])
def test_every_perturbation_goes_through_a_spec(form, value):
    options = {"perturbation": value, "units": N, "split": "test"}
    if form == "scalar":
        env = gym.make(DIGITS, **options)
    elif form == "vector":
        env = make_vec(DIGITS, B, autoreset_mode=AutoresetMode.SAME_STEP, **options)
    else:
        env = gym.make_vec(DIGITS, B, vectorization_mode="sync", **options)
    twin = again(env)
    assert type(twin.unwrapped) is type(env.unwrapped)
    assert data_equivalence(stream(env), stream(twin), exact=True)


def test_arrays_numbers_paths_and_modes_go_through_a_spec(tmp_path):
    source = tasks.export("digits", tmp_path / "digits.npz")
    options = {"subset": np.array([5, 3]), "downsample": np.int64(2), "source": source}
    env = make_vec(DIGITS, B, autoreset_mode=AutoresetMode.DISABLED, **options)
    twin = again(env)
    assert twin.autoreset_mode is AutoresetMode.DISABLED
    assert data_equivalence(stream(env, 10), stream(twin, 10), exact=True)


@pytest.mark.parametrize("form", ["scalar", "vector"])
def test_wrappers_go_through_a_spec_in_their_order(form, run):
    probe, perturb = (Probe, Perturb) if form == "scalar" else (VectorProbe, VectorPerturb)
    inside = gym.make(DIGITS) if form == "scalar" else make_vec(DIGITS, B)
    env = probe(perturb(inside, NoisyDrive(1.0)), run[0], ("n", "y"), as_numpy=True)
    env = perturb(env, Contrast(0.5))
    twin = again(env)
    assert (type(twin), type(twin.env)) == (perturb, probe)
    assert data_equivalence(stream(env), stream(twin))
    assert twin.spec.to_json() == env.spec.to_json()


def test_a_probe_around_gymnasiums_vector_environment_goes_through_a_spec(run):
    env = VectorProbe(gym.make_vec(DIGITS, B, vectorization_mode="sync"), run[0], as_numpy=True)
    twin = again(env)
    assert isinstance(twin, VectorProbe) and isinstance(twin.env, gym.vector.SyncVectorEnv)
    assert data_equivalence(stream(env), stream(twin))


def test_a_rig_of_a_run_goes_through_a_spec(run):
    env = gym.make(RIG, network=run[0], g0_std=0.5)
    assert data_equivalence(stream(env), stream(again(env)))


def test_what_cannot_be_written_is_named(run):
    network, digits = run[1], tasks.load_task("digits")
    for env in (
        Probe(gym.make(DIGITS), network),
        Probe(gym.make("CartPole-v1"), network_for_cart_pole()),
        VectorProbe(make_vec(DIGITS, B), network),
        gym.make(RIG, network=network),
    ):
        with pytest.raises(ValueError, match=r"`network` of .* must be .*Received: .*its path"):
            env.spec.to_json()
    with pytest.raises(ValueError, match=r"`task` of aru/Digits-v0 .*Give the task's name"):
        gym.make(DIGITS, task=digits).spec.to_json()


def network_for_cart_pole():
    return models.build_network("arun", (T, 4), units=N, controller_units=2)


def test_a_spec_in_memory_shares_network_and_task(run):
    network, digits = run[1], tasks.load_task("digits")
    env = Perturb(Probe(gym.make(DIGITS, task=digits), network), "step:1")
    twin = gym.make(env.spec)
    assert twin.env.online.network is network and twin.unwrapped.task is digits
    rig = gym.make(RIG, network=network.get_layer("recurrent"))
    assert gym.make(rig.spec).unwrapped.layer is network.get_layer("recurrent")


def test_classes_are_what_isinstance_says(run):
    with pytest.raises(TypeError, match=r"`env` of Probe must be .* Put VectorProbe around it"):
        Probe(make_vec(DIGITS, B), run[1], signals="n")
    with pytest.raises(TypeError, match=r"`env` of Perturb must be .* Put VectorPerturb around"):
        Perturb(make_vec(DIGITS, B), "step:5")
    with pytest.raises(TypeError, match=r"`env` of VectorProbe must be .* Put Probe around"):
        VectorProbe(gym.make(DIGITS), run[1])
    with pytest.raises(TypeError, match=r"`env` of VectorPerturb must be .* Put Perturb around"):
        VectorPerturb(gym.make(DIGITS), "step:5")


@pytest.mark.filterwarnings("ignore")
def test_gymnasiums_tools_take_signals_as_numpy_arrays(run):
    check_env(Probe(gym.make(DIGITS), run[1], as_numpy=True), skip_render_check=True)
    env = vector_wrappers.DictInfoToList(VectorProbe(make_vec(DIGITS, B), run[1], as_numpy=True))
    infos = env.reset(seed=0)[1]
    assert [info["n"].shape for info in infos] == [(N,)] * B
