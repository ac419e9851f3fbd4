"""Environments of Gymnasium by name, as an agent can see them."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import numpy as np

from aru_keras._util.arguments import whole
from aru_keras._util.imports import find_in_working_folder
from aru_keras.runners.control.observations import (
    MaskedFeatures,
    ScaledFeatures,
    masked,
    ranges,
    scaled,
)
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


def make_world(
    name: str,
    num_envs: int,
    *,
    mask_velocities: bool = False,
    scale_observations: bool = False,
    scale_actions: bool = False,
    wrapper: Callable[[gym.vector.VectorEnv], gym.vector.VectorEnv] | None = None,
    **options: Any,
) -> World:
    """Make a vector environment for an agent.

    An environment has its own vector form if it has one. Observations other than vectors are
    flattened, those of dictionaries and tuples too.

    Args:
        name: Name of the environment, as `gymnasium.make_vec` takes it.
        num_envs: Number of sub-environments.
        mask_velocities: Whether to show 0 in place of velocities.
        scale_observations: Whether to scale integers with bounds, such as images, to [0, 1].
        scale_actions: Whether −1 and 1 stand for the bounds of actions in a `Box`.
        wrapper: Changes what is seen before the velocities are hidden.
        **options: Arguments of the environment.

    Raises:
        ValueError: If there is no such environment, or an agent cannot see or act in it.
    """
    num_envs = whole("num_envs", num_envs, 1)
    hidden = velocities(name) if mask_velocities else ()
    env, space = _vectors(name, num_envs, options)
    if scale_observations and _has_ranges(space):
        env = ScaledFeatures(env, *ranges(space))
    env = env if wrapper is None else wrapper(env)
    env = MaskedFeatures(env, hidden) if hidden else env
    with closed_on_failure(env):
        return World(env, scale_actions=scale_actions)


def make_scalar(
    name: str, *, mask_velocities: bool = False, scale_observations: bool = False, **options: Any
) -> gym.Env:
    """The scalar form of what `make_world` makes, with the same arguments."""
    hidden = velocities(name) if mask_velocities else ()
    env = _made(gym.make, name, **options)
    space = env.observation_space
    with closed_on_failure(env):
        if not _is_vector(space):
            _check_flattens(name, space)
            env = gym.wrappers.FlattenObservation(env)
        if scale_observations and _has_ranges(space):
            low, width = ranges(space)
            env = _transformed(env, lambda x: scaled(x, low, width))
        return _transformed(env, lambda x: masked(x, hidden)) if hidden else env


def make_rendered(name: str, **options: Any) -> gym.Env:
    """What `make_scalar` makes, which gives images of itself (`rgb_array`) if it can."""
    env = make_scalar(name, **options)
    if "rgb_array" not in env.metadata.get("render_modes", ()):
        return env
    with closed_on_failure(env):
        try:
            rendered = make_scalar(name, **{**options, "render_mode": "rgb_array"})
        except ValueError as error:
            if isinstance(error.__cause__, TypeError):
                return env  # Some environments list the mode, and take no `render_mode`.
            raise
    env.close()
    return rendered


@contextlib.contextmanager
def closed_on_failure(env: gym.Env | gym.vector.VectorEnv) -> Iterator[None]:
    """Close an environment if what is done with it fails."""
    try:
        yield
    except BaseException:
        env.close()
        raise


def _vectors(name, num_envs, options):
    """A vector environment that shows vectors, and the space of what it shows by itself."""
    env = _made(gym.make_vec, name, num_envs, **options)
    space = env.single_observation_space
    if _is_vector(space):
        return env, space
    env.close()
    _check_flattens(name, space)
    options = {**options, "vectorization_mode": "sync"}
    wrappers = [gym.wrappers.FlattenObservation]
    return _made(gym.make_vec, name, num_envs, wrappers=wrappers, **options), space


def _made(make, name, *arguments, **options):
    find_in_working_folder()
    try:
        return make(name, *arguments, **options)
    except (gym.error.Error, ImportError, NotImplementedError, TypeError) as error:
        raise ValueError(
            f"`task` must be gym: and an environment that gymnasium.{make.__name__} makes. "
            f"Received: {name!r} ({type(error).__name__}: {error}). If a package, or a module in "
            "the working folder, registers it, give gym:MODULE:ID. Its arguments are given by "
            "env_options (--env-option NAME=VALUE)."
        ) from error


def _check_flattens(name, space):
    if not space.is_np_flattenable:
        raise ValueError(
            f"`task` must be an environment whose observations can be flattened to vectors of one "
            f"length. Received: {name!r}, which shows {space}. Register it with a wrapper that "
            "makes such vectors, a gymnasium.ObservationWrapper."
        )


def _has_ranges(space):
    low, width = ranges(space)
    return bool(low.any() or (width != 1).any())


def _transformed(env, function):
    space = env.observation_space
    shown = gym.spaces.Box(-np.inf, np.inf, space.shape, np.float32)
    return gym.wrappers.TransformObservation(env, function, shown)


def _is_vector(space):
    return isinstance(space, gym.spaces.Box) and len(space.shape) == 1
