"""Whether a network can read what an environment shows."""

import os
from pathlib import Path

import gymnasium as gym
import numpy as np

from aru_keras.probing import OnlineStep, load_network
from aru_keras.probing.run_order import run_order


def fitting_step(env, network, signals, isolated, device):
    """The network's compiled step, once it is clear that it can read what the environment shows."""
    model = load_network(network)
    online = OnlineStep(model, signals, isolated=isolated, device=device)
    vector = isinstance(env, gym.vector.VectorEnv)
    space = env.single_observation_space if vector else env.observation_space
    _check_fits(env, space, model, online)
    if isinstance(network, str | os.PathLike):
        path = Path(network)
        _check_order(env, path if path.is_dir() else path.parent)
    if hasattr(env.unwrapped, "expect_units"):
        env.unwrapped.expect_units(online.units)
    return online


def _check_order(env, run):
    """A run must have been trained on the environment's order of pixels."""
    task = getattr(env.unwrapped, "task", None)
    if task is None or not (run / "config.json").exists():
        return
    rows = np.arange(task.timesteps)
    trained, here = (
        rows if order is None else order for order in (run_order(run), task.permutation)
    )
    if not np.array_equal(trained, here):
        raise ValueError(
            f"`network`, the run {run}, must have been trained on the environment's order of "
            f"pixels. Received: an environment of {task.name!r} with permutation "
            f"{task.permutation_hash}, which is another one. Make it with the run's task, "
            "permutation_seed and downsample, as its config.json has them."
        )


def _check_fits(env, space, network, online):
    if not isinstance(space, gym.spaces.Box) or len(space.shape) != 1:
        raise ValueError(
            "`env` must show one vector of features a step, Box(I,). Received: observations in "
            f"{space}."
        )
    if online.features not in (None, space.shape[0]):
        raise ValueError(
            f"`network` must read what the environment shows, {space.shape[0]} feature(s) a step. "
            f"Received: a network that reads {online.features} a step."
        )
    here = getattr(env.unwrapped, "timesteps", None)
    length = network.inputs[0].shape[1] if hasattr(network, "inputs") else None
    if None not in (here, length) and here != length:
        raise ValueError(
            f"`network` must read sequences as long as the environment's, T = {here}. Received: a "
            f"model for T = {length}. Make the environment with the model's task and downsample."
        )
