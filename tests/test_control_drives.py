"""Whose info["drive"] acts on units: that of the package's environments, and of wrappers."""

import gymnasium as gym
import keras
import numpy as np
import pytest
import worlds
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from support import array

from aru_keras import GammaRNN
from aru_keras.envs import Probe, Recorder, VectorProbe
from aru_keras.probing import OnlineStep
from aru_keras.runners.control import (
    Collector,
    ControlAgent,
    ControlConfig,
    Learner,
    World,
    build_agent,
    evaluate,
    make_scalar,
    make_world,
)
from aru_keras.runners.control.acting import Actor

N = 5
DRIVEN = {"perturbation": "step:3,start=1,duration=40", "split": "test", "shuffle": False}


class WithDrive(gym.Wrapper):
    """A wrapper of the user's, which sets info["drive"]."""

    def __init__(self, env, drive):
        super().__init__(env)
        self.drive = drive

    def reset(self, **options):
        seen, info = self.env.reset(**options)
        return seen, {**info, "drive": self.drive}

    def step(self, action):
        *outcome, info = self.env.step(action)
        return *outcome, {**info, "drive": self.drive}


class Meant(WithDrive):
    gives_drive = True


def shown(env, layer):
    """h of the first step and of the second."""
    env = Probe(env, layer, "h")
    first = env.reset(seed=0)[1]["h"]
    return np.stack([array(first), array(env.step(env.action_space.sample())[-1]["h"])])


@pytest.fixture(scope="module")
def layer():
    keras.utils.set_random_seed(0)
    return GammaRNN(N)


@pytest.mark.parametrize("drive", [5.0, "forward"])
def test_the_drive_of_a_car_is_not_for_the_units(layer, drive):
    plain = shown(worlds.Reach(), layer)
    np.testing.assert_array_equal(shown(WithDrive(worlds.Reach(), drive), layer), plain)
    sync = SyncVectorEnv([lambda: WithDrive(worlds.Reach(), drive)] * 2)
    info = VectorProbe(sync, layer, "h").reset(seed=0)[1]
    np.testing.assert_allclose(array(info["h"])[0], plain[0], rtol=1e-6)
    model = agent_of(World(sync)).model
    actor = Actor(WithDrive(worlds.Reach(), drive), OnlineStep(model, ("h", "y")))
    actor.begin(0)
    plainly = Actor(worlds.Reach(), actor.online)
    plainly.begin(0)
    np.testing.assert_array_equal(actor.step()["h"], plainly.step()["h"])


def test_wrappers_drive_the_units_of_the_packages_environments_and_where_they_say_so(layer):
    def digits():
        return gym.make("aru/Digits-v0", split="test", shuffle=False)

    pushed = shown(WithDrive(digits(), 5.0), layer_of_one())
    assert (pushed != shown(digits(), layer_of_one())).any()
    assert (shown(Meant(worlds.Reach(), 5), layer) != shown(worlds.Reach(), layer)).any()
    for cls, env in ((WithDrive, digits), (Meant, digits)):
        with pytest.raises(ValueError, match=r'`info\["drive"\]` must be a number.*: \'forward\''):
            shown(cls(env(), "forward"), layer_of_one())


@pytest.mark.parametrize("drive", [5.0, "forward"])
def test_a_recorder_keeps_the_drives_that_act(layer, drive):
    pytest.importorskip("xarray")
    env = Recorder(Probe(WithDrive(worlds.Reach(), drive), layer, "h"))
    env.reset(seed=0)
    assert "drive" not in env.to_dataset().coords
    env = Recorder(Probe(WithDrive(gym.make("aru/Digits-v0"), 5.0), layer_of_one(), "h"))
    env.reset(seed=0)
    env.step(0)
    assert env.to_dataset().drive.values.tolist() == [[5, 5]]


def layer_of_one():
    keras.utils.set_random_seed(0)
    return GammaRNN(N)


def agent_of(world, model="gamma"):
    keras.utils.set_random_seed(0)
    model = build_agent(model, world.features, world.actions, units=N, controller_units=2)
    return ControlAgent(model, world.actions)


@pytest.mark.parametrize("mode", [*AutoresetMode, "sync"])
def test_a_perturbation_acts_in_training_as_when_it_acts(mode):
    """From one episode to the next, in every mode; and in the loss as in the steps."""
    modes = {"vectorization_mode": "sync"} if mode == "sync" else {"autoreset_mode": mode}
    world = make_world("aru/Digits-v0", 2, **DRIVEN, **modes)
    agent, steps = agent_of(world), 70
    collector = Collector(agent, world)
    collector.begin(0)
    segment = collector.segment(steps, np.random.default_rng(0))
    assert np.unique(segment.drive).tolist() == [0, 3] and segment.drive.shape == (steps, 2, N)
    sizes = {"num_envs": 2, "num_minibatches": 1, "num_steps": steps, "total_timesteps": 2 * steps}
    config = ControlConfig("gym:aru/Digits-v0", "gamma", **sizes)
    learner = Learner(agent.model, world.actions, config, driven=True)
    outputs = array(learner.model(segment.inputs(), training=False)).swapaxes(0, 1)
    np.testing.assert_allclose(outputs, segment.outputs, atol=2e-5)
    env = make_scalar("aru/Digits-v0", **DRIVEN)
    actor = Actor(env, OnlineStep(agent.model, "y"))
    actor.actions.best = lambda y: ys.append(y[0]) or np.zeros((1, 1))
    ys = []
    actor.begin(0)
    for _ in range(40):
        actor.step()
    np.testing.assert_allclose(np.stack(ys), segment.outputs[:40, 0, :-1], atol=2e-5)


def test_gates_have_no_drive():
    world = make_world("aru/Digits-v0", 2, **DRIVEN)
    agent = agent_of(world, "gru")
    collector = Collector(agent, world)
    collector.begin(0)
    assert collector.segment(3, np.random.default_rng(0)).drive is None
    assert len(evaluate(agent, world, episodes=2)) == 2
