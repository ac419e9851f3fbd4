"""What a trained agent gets when its world changes, and it does not learn any more."""

import contextlib
import os
from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from aru_keras._util.arguments import array, one_of, whole
from aru_keras.runners.control.agent import ControlAgent
from aru_keras.runners.control.environments import make_world
from aru_keras.runners.control.evaluation import evaluate
from aru_keras.runners.control.folder import AgentFolder
from aru_keras.runners.control.observations import SeenObservations
from aru_keras.runners.control.training import EVALUATION, stretch_seed

CHANGES = {
    "drive": "step drive ξ on all units, from step `onset` of the evaluation on",
    "noise": "deviation of Gaussian noise on what the agent sees, but for what is hidden from it",
    "scale": "factor on what the agent sees: the contrast",
    "gravity": "factor on the gravity of CartPole or Pendulum",
    "length": "factor on the length of the pole of CartPole or Pendulum",
}
"""What can change, and what its amplitude is."""

UNCHANGED = {"drive": 0.0, "noise": 0.0, "scale": 1.0, "gravity": 1.0, "length": 1.0}
"""The amplitude at which nothing changes."""

ATTRIBUTES = {
    "gravity": {"CartPole": ("gravity",), "Pendulum": ("g",)},
    "length": {"CartPole": ("length", "polemass_length"), "Pendulum": ("l",)},
}
"""The attributes that a change multiplies, by the name of the environment's class before "Env" or
"VectorEnv". Others may have such an attribute and not heed it: LunarLander makes its world once."""


class ChangedObservations(SeenObservations):
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
        return changed_observations(observations, self.scale, self.noise, self.rng)


def changed_observations(
    observations: Any, scale: float, noise: float, rng: np.random.Generator
) -> np.ndarray:
    """Observations that are scaled, and then have Gaussian noise added, as float32.

    Args:
        observations: Observations of any shape.
        scale: Factor.
        noise: Deviation of the noise.
        rng: Draws the noise.
    """
    noise = noise * rng.normal(size=np.shape(observations))
    return (scale * np.asarray(observations) + noise).astype(np.float32)


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
    amplitudes = _checked_amplitudes(change, amplitudes)
    folder, onset = AgentFolder(run_dir), whole("onset", onset, 0)
    config, model = folder.load_agent_config(), folder.load_model()
    seed = stretch_seed(config.seed, EVALUATION)
    means = []
    for amplitude in amplitudes:
        world = _changed(config, change, amplitude, seed)
        drive = _step_drive(amplitude, onset) if change == "drive" else None
        agent = ControlAgent(model, world.actions)
        with contextlib.closing(world.env):
            means.append(evaluate(agent, world, episodes=episodes, seed=seed, drive=drive).mean())
    return np.array(means)


def _checked_amplitudes(change, amplitudes):
    bounds = {"least": 0.0} if change == "noise" else {}
    what = "at least one finite number" + (", each of at least 0" if bounds else "")
    return array("amplitudes", amplitudes, ("A",), what=what, verb="hold", **bounds).tolist()


def _step_drive(amplitude, onset):
    return lambda t: np.full((1, 1), amplitude if t >= onset else 0.0, "float32")


def _changed(config, change, amplitude, seed):
    options = config.world_options
    if change in ("noise", "scale"):
        options["wrapper"] = lambda env: ChangedObservations(env, **{change: amplitude}, seed=seed)
    world = make_world(config.environment, config.num_envs, **options)
    if change in ATTRIBUTES:
        given = attributes(world.env, change)
        if not given:
            world.env.close()
            raise ValueError(
                f"`change` must be one that {config.environment} has. Received: {change!r}, which "
                f"is for {' and '.join(ATTRIBUTES[change])}. Take drive, noise or scale."
            )
        multiply(given, amplitude)
    return world


def attributes(env: gym.Env | gym.vector.VectorEnv, change: str) -> list[tuple[Any, str, float]]:
    """The attributes that a change multiplies: environment, name and present value.

    Args:
        env: Environment, or a vector environment, of which those of all sub-environments are given.
        change: Name in `ATTRIBUTES`.

    Returns:
        The attributes; none where the environment has none.
    """
    scalars = [scalar.unwrapped for scalar in getattr(env.unwrapped, "envs", [env.unwrapped])]
    return [
        (scalar, name, getattr(scalar, name))
        for scalar in scalars
        for name in _heeded(type(scalar), change)
    ]


def _heeded(kind, change):
    """The attributes of an environment of a class, or of one derived from it, that it heeds."""
    for ancestor in kind.__mro__:
        for beginning, names in ATTRIBUTES[change].items():
            if ancestor.__name__ in (f"{beginning}Env", f"{beginning}VectorEnv"):
                return names
    return ()


def multiply(given: Sequence[tuple[Any, str, float]], factor: float) -> None:
    """Set attributes to a multiple of the values with which they are given.

    Args:
        given: What `attributes` gives.
        factor: Factor.
    """
    for scalar, name, value in given:
        setattr(scalar, name, factor * value)
