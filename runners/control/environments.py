"""Environments of Gymnasium by name, as an agent can see them."""

from typing import Any

import gymnasium as gym
import numpy as np

from aru_keras.runners.control.world import World

VELOCITIES = {
    "Acrobot": (4, 5),
    "CartPole": (1, 3),
    "LunarLander": (2, 3, 5),
    "LunarLanderContinuous": (2, 3, 5),
    "MountainCar": (1,),
    "MountainCarContinuous": (1,),
    "Pendulum": (2,),
}
"""Indices of the velocities in what an environment shows, by its name without the version."""


class MaskedFeatures(gym.vector.VectorObservationWrapper):
    """Show 0 in place of some features, which the agent then has to work out.

    Args:
        env: Vector environment that shows vectors.
        features: Indices of the features.
    """

    def __init__(self, env: gym.vector.VectorEnv, features: Any):
        super().__init__(env)
        self.features = list(features)

    def observations(self, observations: Any) -> Any:
        masked = np.array(observations, np.float32)
        masked[:, self.features] = 0
        return masked

    def step(self, actions: Any) -> tuple:
        observations, *outcome, info = super().step(actions)
        if "final_obs" in info:  # Gymnasium passes on the last observations as they are.
            ended = [i for i, final in enumerate(info["final_obs"]) if final is not None]
            final = np.empty(self.num_envs, object)
            for index in ended:
                final[index] = self.observations(info["final_obs"][index][None])[0]
            info = {**info, "final_obs": final}
        return observations, *outcome, info


def velocities(name: str) -> tuple[int, ...]:
    """Indices of the velocities in what an environment shows.

    Args:
        name: Name of the environment.

    Raises:
        ValueError: If it is not known which they are.
    """
    known = name.rpartition(":")[2].rpartition("/")[2].partition("-")[0]
    if known not in VELOCITIES:
        raise ValueError(
            "`mask_velocities` needs an environment whose velocities are known: "
            f"{', '.join(VELOCITIES)}. Received: {name!r}. Leave it out, and give an environment "
            "that hides them itself."
        )
    return VELOCITIES[known]


def make_world(name: str, num_envs: int, *, mask_velocities: bool = False, **options: Any) -> World:
    """Make a vector environment for an agent.

    An environment has its own vector form if it has one. Observations other than vectors are
    flattened, those of dictionaries and tuples too.

    Args:
        name: Name of the environment, as `gymnasium.make_vec` takes it.
        num_envs: Number of sub-environments.
        mask_velocities: Whether to show 0 in place of velocities.
        **options: Arguments of the environment.

    Raises:
        ValueError: If there is no such environment, or an agent cannot see or act in it.
    """
    hidden = velocities(name) if mask_velocities else ()
    env = _made(name, num_envs, **options)
    if not _is_vector(env.single_observation_space):
        env.close()
        wrappers = [gym.wrappers.FlattenObservation]
        env = _made(name, num_envs, vectorization_mode="sync", wrappers=wrappers, **options)
    return World(MaskedFeatures(env, hidden) if hidden else env)


def make_scalar(name: str, *, mask_velocities: bool = False, **options: Any) -> gym.Env:
    """The scalar form of what `make_world` makes, with the same arguments."""
    hidden = velocities(name) if mask_velocities else ()
    env = gym.make(name, **options)
    if not _is_vector(env.observation_space):
        env = gym.wrappers.FlattenObservation(env)
    if not hidden:
        return env
    shown = np.ones(env.observation_space.shape, np.float32)
    shown[list(hidden)] = 0
    return gym.wrappers.TransformObservation(
        env, lambda x: np.where(shown, x, 0).astype(np.float32), env.observation_space
    )


def make_rendered(name: str, *, mask_velocities: bool = False) -> gym.Env:
    """What `make_scalar` makes, which gives images of itself (`rgb_array`) if it can."""
    env = make_scalar(name, mask_velocities=mask_velocities)
    if "rgb_array" not in env.metadata.get("render_modes", ()):
        return env
    try:
        rendered = make_scalar(name, mask_velocities=mask_velocities, render_mode="rgb_array")
    except TypeError:  # Some environments list the mode, and take no `render_mode`.
        return env
    env.close()
    return rendered


def _made(name, num_envs, **options):
    try:
        return gym.make_vec(name, num_envs, **options)
    except (gym.error.Error, ImportError, NotImplementedError, TypeError) as error:
        raise ValueError(
            f"`task` must be gym: and an environment that gymnasium.make_vec makes. Received: "
            f"{name!r} ({type(error).__name__}: {error}). If a package registers it, give "
            "gym:PACKAGE:ID."
        ) from error


def _is_vector(space):
    return isinstance(space, gym.spaces.Box) and len(space.shape) == 1
