"""What a trained agent gets when its world changes, and it does not learn any more."""

import os
from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from aru_keras._util.arguments import finite, one_of, whole
from aru_keras.runners.control.agent import ControlAgent
from aru_keras.runners.control.environments import make_world
from aru_keras.runners.control.evaluation import evaluate
from aru_keras.runners.control.folder import AgentFolder
from aru_keras.runners.control.training import EVALUATION, stretch_seed
from aru_keras.runners.control.world import World

CHANGES = {
    "drive": "step drive ξ on all units, from step `onset` of the evaluation on",
    "noise": "deviation of Gaussian noise on what the agent sees",
    "scale": "factor on what the agent sees: the contrast",
    "gravity": "factor on the gravity of CartPole or Pendulum",
    "length": "factor on the length of the pole of CartPole or Pendulum",
}
"""What can change, and what its amplitude is."""

UNCHANGED = {"drive": 0.0, "noise": 0.0, "scale": 1.0, "gravity": 1.0, "length": 1.0}
"""The amplitude at which nothing changes."""

ATTRIBUTES = {"gravity": ("gravity", "g"), "length": ("length", "polemass_length", "l")}
"""The attributes of environments that a change multiplies; each has some of them."""


class ChangedObservations(gym.vector.VectorObservationWrapper):
    """Scale what is seen, and add Gaussian noise.

    Args:
        env: Vector environment that shows vectors.
        scale: Factor.
        noise: Deviation of the noise.
        seed: Of the noise.
    """

    def __init__(
        self, env: gym.vector.VectorEnv, scale: float = 1.0, noise: float = 0.0, seed: int = 0
    ):
        super().__init__(env)
        self.scale, self.noise, self.rng = scale, noise, np.random.default_rng(seed)

    def observations(self, observations: Any) -> Any:
        noise = self.noise * self.rng.normal(size=np.shape(observations))
        return (self.scale * np.asarray(observations) + noise).astype(np.float32)


def changed_returns(
    run_dir: str | os.PathLike,
    change: str,
    amplitudes: Sequence[float],
    *,
    episodes: int = 40,
    onset: int = 0,
) -> np.ndarray:
    """The mean return of the agent of a run over the amplitudes of a change.

    Its actions are the most likely ones, and the seeds of the episodes are the same for all
    amplitudes.

    Args:
        run_dir: Folder of the run.
        change: Name in `CHANGES`.
        amplitudes: Amplitudes of the change.
        episodes: Least number of episodes for each.
        onset: First step of a drive.

    Returns:
        Mean returns, (amplitudes,).

    Raises:
        ValueError: If there is no such change, or the environment or network has none.
        RunError: If there is no run in the folder.
    """
    one_of("change", change, CHANGES)
    folder, onset = AgentFolder(run_dir), whole("onset", onset, 0)
    config, model = folder.load_agent_config(), folder.load_model()
    seed = stretch_seed(config.seed, EVALUATION)
    means = []
    for amplitude in amplitudes:
        world = _changed(config, change, finite("amplitudes", amplitude), seed)
        drive = _step_drive(amplitude, onset) if change == "drive" else None
        agent = ControlAgent(model, world.actions)
        means.append(evaluate(agent, world, episodes=episodes, seed=seed, drive=drive).mean())
        world.env.close()
    return np.array(means)


def _step_drive(amplitude, onset):
    return lambda t: np.full((1, 1), amplitude if t >= onset else 0.0, "float32")


def _changed(config, change, amplitude, seed):
    world = make_world(config.environment, config.num_envs, mask_velocities=config.mask_velocities)
    if change in ("noise", "scale"):
        return World(ChangedObservations(world.env, **{change: amplitude}, seed=seed))
    if change in ATTRIBUTES:
        _multiply(world.env.unwrapped, ATTRIBUTES[change], amplitude, config.environment, change)
    return world


def _multiply(env, names, factor, environment, change):
    """Multiply attributes of every sub-environment, or of a vector form of its own."""
    inner = [scalar.unwrapped for scalar in getattr(env, "envs", [env])]
    known = [name for name in names if hasattr(inner[0], name)]
    if not known:
        raise ValueError(
            f"`change` must be one that {environment} has. Received: {change!r}, but it has none "
            f"of the attributes {', '.join(names)}. Take drive, noise or scale."
        )
    for one in inner:
        for name in known:
            setattr(one, name, factor * getattr(one, name))
