"""The base classes of the wrappers: refusal of the other form, specs, copies and pickles."""

from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils import RecordConstructorArgs

from aru_keras.envs.specs import Shared, wrapped, writable


class ScalarWrapper(gym.Wrapper, RecordConstructorArgs):
    """A wrapper around a scalar environment.

    Args:
        env: The environment.
        **arguments: All other arguments of the wrapper, for its spec.

    Raises:
        TypeError: If `env` is a vector environment.
    """

    def __init__(self, env: gym.Env, **arguments: Any):
        if isinstance(env, gym.vector.VectorEnv):
            name = type(self).__name__
            raise TypeError(
                f"`env` of {name} must be a scalar environment, a `gymnasium.Env`. Received: the "
                f"vector environment {env}. Put Vector{name} around it."
            )
        self._saved_kwargs = Shared(arguments)
        gym.Wrapper.__init__(self, env)

    @property
    def spec(self) -> EnvSpec | None:
        """The spec from which the environment and its wrappers can be made again."""
        return writable(super().spec)


class VectorWrapper(gym.vector.VectorWrapper):
    """A wrapper around a vector environment, which is part of its spec.

    Args:
        env: The vector environment.
        **arguments: All other arguments of the wrapper, for its spec.

    Raises:
        TypeError: If `env` is not a vector environment.
    """

    def __init__(self, env: gym.vector.VectorEnv, **arguments: Any):
        if not isinstance(env, gym.vector.VectorEnv):
            name = type(self).__name__
            raise TypeError(
                f"`env` of {name} must be a vector environment, a `gymnasium.vector.VectorEnv`. "
                f"Received: {env}. Put {name.removeprefix('Vector')} around a scalar environment."
            )
        self._spec = wrapped(env, type(self), arguments)
        super().__init__(env)

    @property
    def spec(self) -> EnvSpec | None:  # type: ignore[override]
        """The spec from which the environment and this wrapper can be made again."""
        return self._spec
