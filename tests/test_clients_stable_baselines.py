"""Stable-Baselines3 on these environments: its checks, PPO, and an ARU in a policy."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import wrappers
from support import array, only_on

from aru_keras import ARU, models
from aru_keras.envs import Probe

T, N, G = 64, 8, 4
PERTURBED = "step:1.5,start=10+contrast:0.5+noise:mean=1,variance=0.5,start=5,duration=50"


@pytest.fixture(scope="module")
def network():
    return models.build_network("arun", (T, 1), units=N, controller_units=G)


def make(**options):
    return gym.make("aru/Digits-v0", **{"split": "test", "shuffle": False, **options})


@pytest.mark.filterwarnings("error::UserWarning")
@pytest.mark.parametrize("reward", ["final", "log_probability"])
@pytest.mark.parametrize("probed", [False, True], ids=["plain", "probed"])
def test_stable_baselines_checks_pass(reward, probed, network):
    check_env = pytest.importorskip("stable_baselines3.common.env_checker").check_env
    env = make(reward=reward, perturbation=PERTURBED, units=N, render_mode="rgb_array")
    env = Probe(env, network) if probed else env
    if reward == "log_probability":
        # It takes bounded actions alone.
        logits = gym.spaces.Box(-1, 1, (10,), np.float32)
        env = wrappers.TransformAction(env, lambda action: 10 * action, logits)
    check_env(env, skip_render_check=False)


def test_ppo_runs_and_keeps_count_of_whole_episodes(network):
    stable_baselines3 = pytest.importorskip("stable_baselines3")
    env = wrappers.FlattenObservation(Probe(make(reward="every_step"), network, "h"))
    model = stable_baselines3.PPO("MlpPolicy", env, n_steps=128, batch_size=64, seed=0)
    before = parameters(model)
    model.learn(256)
    assert [episode["l"] for episode in model.ep_info_buffer] == [T] * 4
    assert any((old != new).any() for old, new in zip(before, parameters(model), strict=True))


def parameters(model):
    return [value.detach().numpy().copy() for value in model.policy.parameters()]


@only_on("torch", reason="a layer is no torch module there")
def test_an_aru_in_a_policy_learns_and_its_weights_are_loaded(tmp_path):
    """As in docs/clients.md."""
    stable_baselines3 = pytest.importorskip("stable_baselines3")
    env = make(reward="every_step", downsample=2)
    env = wrappers.FlattenObservation(wrappers.FrameStackObservation(env, 16, padding_type="zero"))
    options = {"features_extractor_class": aru_extractor(), "net_arch": []}
    model = stable_baselines3.PPO(
        "MlpPolicy", env, n_steps=32, batch_size=32, n_epochs=1, policy_kwargs=options, seed=0
    )
    kernel = model.policy.features_extractor.aru.cell.kernel
    before = array(kernel).copy()
    model.learn(32)
    assert (array(kernel) != before).any()
    model.save(tmp_path / "model.zip")
    loaded = stable_baselines3.PPO.load(tmp_path / "model.zip")
    found = array(loaded.policy.features_extractor.aru.cell.kernel)
    np.testing.assert_array_equal(found, array(kernel))


def aru_extractor():
    from stable_baselines3.common.torch_layers import BaseFeaturesExtractor

    class ReadsWithARU(BaseFeaturesExtractor):
        def __init__(self, space, units=8):
            super().__init__(space, units)
            self.aru = ARU(units, 2, name="aru")
            self.aru.build((None, space.shape[0], 1))

        def forward(self, pixels):
            return self.aru(pixels[..., None])

    return ReadsWithARU
