"""What the wrappers of this package have in common: specs, copies and pickles."""

import warnings
from typing import ClassVar

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from aru_keras.envs.specs import Shared, wrapped, writable


class ScalarWrapper(gym.Wrapper, RecordConstructorArgs):
    """A wrapper around a scalar environment.

    Args:
        env: The environment.
        **arguments: All other arguments of the wrapper, for its spec.
    """

    vector_form: ClassVar[type[gym.vector.VectorWrapper]]
    """The wrapper of the same name around vector environments."""

    # No environment comes where a copy or a pickle makes the object.
    def __new__(cls, env=None, *args, **kwargs):
        if not isinstance(env, gym.vector.VectorEnv):
            return super().__new__(cls)
        warnings.warn(
            f"{cls.__name__} is for scalar environments: around a vector environment put "
            f"{cls.vector_form.__name__}. {cls.__name__} will refuse it in a later release.",
            DeprecationWarning,
            stacklevel=2,
        )
        return cls.vector_form(env, *args, **kwargs)

    def __init__(self, env, **arguments):
        self._saved_kwargs = Shared(arguments)
        gym.Wrapper.__init__(self, env)

    @property
    def spec(self):
        """How the environment and its wrappers were made."""
        return writable(super().spec)


class VectorWrapper(gym.vector.VectorWrapper):
    """A wrapper around a vector environment, which is part of its spec.

    Args:
        env: The vector environment.
        **arguments: All other arguments of the wrapper, for its spec.
    """

    def __init__(self, env, **arguments):
        if isinstance(env, gym.vector.VectorEnv):
            self._spec = wrapped(env, type(self), arguments)
        super().__init__(env)

    @property
    def spec(self):
        """How the environment and this wrapper were made."""
        return self._spec
