"""Probes and recorders around environments that begin their episodes by themselves."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from support import relative_error

from aru_keras import GammaRNN, models, tasks
from aru_keras.envs import Probe, Recorder, VectorProbe, VectorRecorder
from aru_keras.probing import record

pytest.importorskip("xarray")
T, N = 64, 12


def test_an_environment_that_resets_itself_leaks_no_state():
    """Two images in a row: the network reads the second as if it were alone, and so records it."""
    digits = tasks.load_task("digits")
    model = models.build_network("gamma", (T, 1), units=N)
    inner = gym.make("aru/Digits-v0", split="test", shuffle=False, perturbation="step:1")
    env = Recorder(Probe(gym.wrappers.Autoreset(inner), model, ("n", "h")))
    x, drive = digits.perturbed(digits.examples("test", [0, 1])[0], [0, 1], "step:1")
    expected = record(model, x, ("n", "h"), drive)
    env.reset(seed=0)
    for _ in range(2 * T):
        info = env.step(0)[-1]
    assert info["index"] == 1 and info["t"] == T - 1
    recorded = env.to_dataset()
    assert recorded.sizes["sequence"] == 2 and recorded.index.values.tolist() == [0, 1]
    for name, values in expected.items():
        assert relative_error(recorded[name].values, values) < 1e-5


@pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1"])
def test_episodes_that_end_by_themselves_start_from_the_initial_state(name):
    """Both kinds of ends, also that by a limit of steps."""
    inner = gym.wrappers.Autoreset(gym.make(name, max_episode_steps=30))
    env = Recorder(Probe(inner, GammaRNN(N), "h"))
    shown = [env.reset(seed=0)[0]]
    lengths, action = [1], inner.action_space.sample()
    for _ in range(70):
        x, _, terminated, truncated, info = env.step(action)
        if terminated or truncated:
            lengths[-1] += truncated
            lengths.append(0)
        else:
            lengths[-1] += 1
        if "h" in info:
            shown.append(x)
    recorded = env.to_dataset()
    assert recorded.mask.values.sum(axis=1).tolist() == lengths and len(lengths) > 2
    x = recorded.x.values
    np.testing.assert_array_equal(x[recorded.mask.values], np.stack(shown))
    for episode, length in enumerate(lengths):
        alone = record(env.get_wrapper_attr("online").layer, x[episode : episode + 1, :length], "h")
        assert relative_error(recorded.h.values[episode, :length], alone["h"][0]) < 1e-5


@pytest.mark.parametrize("kind", ["vector_entry_point", "sync"])
def test_a_reset_mask_begins_an_episode_where_it_is_true_alone(kind):
    mode, layer = {"autoreset_mode": AutoresetMode.DISABLED}, GammaRNN(N)
    options = {"split": "test", "shuffle": False}
    options |= {"vector_kwargs": mode} if kind == "sync" else mode
    env = gym.make_vec("aru/Digits-v0", 3, vectorization_mode=kind, **options)
    env = VectorRecorder(VectorProbe(env, layer, "h"))
    env.reset(seed=0)
    for _ in range(4):
        env.step(np.zeros(3, int))
    env.reset(options={"reset_mask": np.array([False, True, False])})
    env.step(np.zeros(3, int))
    recorded = env.to_dataset()
    assert recorded.mask.values.sum(axis=1).tolist() == [6, 5, 6, 2]
    for x, h, mask in zip(recorded.x.values, recorded.h.values, recorded.mask.values, strict=True):
        alone = record(layer, x[None, mask], "h")["h"][0]
        assert relative_error(h[mask], alone) < 1e-5
