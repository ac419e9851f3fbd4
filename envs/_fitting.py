"""Checks that a network can read the observations of an environment."""

import os
from typing import Any

import gymnasium as gym
import numpy as np

from aru_keras.models.pretrained import run_path
from aru_keras.probing import OnlineStep, graph, load_network, run_order
from aru_keras.probing._run_order import is_agent_run


def fitting_step(
    env: Any, network: Any, signals: Any, isolated: bool, device: str | None
) -> OnlineStep:
    """The compiled step of a network, after a check that it fits the environment.

    Raises:
        ValueError: If the network cannot read the observations, or was trained on another order
            of pixels.
    """
    model = load_network(network)
    online = OnlineStep(model, signals, isolated=isolated, device=device)
    vector = isinstance(env, gym.vector.VectorEnv)
    space = env.single_observation_space if vector else env.observation_space
    _check_fits(env, space, model, online)
    if isinstance(network, str | os.PathLike):
        path = run_path(network)
        _check_order(env, path if path.is_dir() else path.parent)
    if hasattr(env.unwrapped, "expect_units"):
        env.unwrapped.expect_units(online.units)
    return online


def _check_order(env, run):
    """Refuse a run that was trained on another order of pixels than the environment's."""
    task = getattr(env.unwrapped, "task", None)
    if task is None or not (run / "config.json").exists() or is_agent_run(run):
        return
    rows = np.arange(task.timesteps)
    trained, here = (
        rows if order is None else order for order in (run_order(run), task.permutation)
    )
    if not np.array_equal(trained, here):
        raise ValueError(
            f"`network`, the run {run}, must have been trained on the environment's order of "
            f"pixels. Received: an environment of {task.name!r} with permutation "
            f"{task.permutation_hash}, which is another order. Make the environment with the "
            "task, permutation_seed and downsample in the run's config.json."
        )


def _check_fits(env, space, network, online):
    if not isinstance(space, gym.spaces.Box) or len(space.shape) != 1:
        flattens = "Put gymnasium.wrappers.FlattenObservation around it, inside of the probe."
        makes = "Put a gymnasium.ObservationWrapper around it that makes vectors of one length."
        raise ValueError(
            "`env` must have vectors of features as observations, Box(I,). Received: observations "
            f"in {space}. {flattens if space.is_np_flattenable else makes}"
        )
    if online.features not in (None, space.shape[0]):
        raise ValueError(
            f"`network` must read the {space.shape[0]} feature(s) that the environment shows at "
            f"each step. Received: a network that reads {online.features}."
        )
    here = getattr(env.unwrapped, "timesteps", None)
    length = None
    if network is not online.layer:
        length = graph.sequences_into(network, online.layer)[0].shape[1]
    if None not in (here, length) and here != length:
        raise ValueError(
            f"`network` must read sequences as long as the environment's, T = {here}. Received: a "
            f"model for T = {length}. Make the environment with the model's task and downsample."
        )
