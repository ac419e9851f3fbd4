"""Specs of environments that can be written as JSON and read in another process.

Gymnasium writes a spec with `dataclasses.asdict` and `json.dumps`, and does not record wrappers
around vector environments. Here arrays, paths and modes are written too, an error names what
cannot be written, and a wrapper around a vector environment is part of its spec.
"""

import dataclasses
import enum
import json
import os

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec, load_env_creator

from aru_keras.perturbations import Perturbation
from aru_keras.tasks import Task

HINTS = {
    "network": "Save it, and give its path or the folder of its run.",
    "task": "Give the task's name, with its permutation_seed, downsample, data_dir and source.",
}
"""Advice for arguments that cannot be written."""


class Shared(dict):
    """Arguments whose values are shared, and not copied, when their owner is copied."""

    def __deepcopy__(self, memo: dict) -> "Shared":
        return Shared(self)


class WritableSpec(EnvSpec):
    """A spec whose JSON makes an environment that behaves alike.

    Copies share the values of the arguments, so that a network or task in memory is not copied.
    """

    def to_json(self) -> str:
        """The spec as JSON, for `EnvSpec.from_json`.

        Raises:
            ValueError: If an argument cannot be written, for example a network in memory.
        """
        spec = EnvSpec(**_values_of(self))
        spec.kwargs = _written_all(self.id, self.kwargs)
        spec.additional_wrappers = tuple(
            dataclasses.replace(wrapper, kwargs=_written_all(wrapper.name, wrapper.kwargs))
            for wrapper in self.additional_wrappers
        )
        return spec.to_json()


def writable(spec: EnvSpec | None) -> EnvSpec | None:
    """A spec as a `WritableSpec`; None for None."""
    if spec is None:
        return None
    return WritableSpec(**{**_values_of(spec), "kwargs": Shared(spec.kwargs)})


def wrapped(env: gym.vector.VectorEnv, wrapper: type, arguments: dict) -> EnvSpec | None:
    """The spec of a wrapped vector environment; None if the environment has no spec.

    Args:
        env: The vector environment.
        wrapper: The class of the wrapper.
        arguments: The arguments of the wrapper without the environment.
    """
    if env.spec is None:
        return None
    kwargs = Shared(
        num_envs=env.num_envs,
        inner=writable(env.spec),
        wrapper=f"{wrapper.__module__}:{wrapper.__name__}",
        arguments=Shared(arguments),
    )
    entry_point = f"{__name__}:make_wrapped"
    return WritableSpec(env.spec.id, vector_entry_point=entry_point, kwargs=kwargs)


def make_wrapped(
    num_envs: int, inner: EnvSpec | dict, wrapper: str, arguments: dict
) -> gym.vector.VectorEnv:
    """A vector environment with a wrapper around it, from the spec that `wrapped` made.

    Args:
        num_envs: The number of sub-environments.
        inner: The spec of the vector environment, or its JSON as a dictionary.
        wrapper: The module and class of the wrapper.
        arguments: The arguments of the wrapper without the environment.
    """
    spec = EnvSpec.from_json(json.dumps(inner)) if isinstance(inner, dict) else inner
    spec = writable(spec) or spec
    spec.kwargs["num_envs"] = num_envs
    return load_env_creator(wrapper)(gym.make_vec(spec), **arguments)


class HasWritableSpec:
    """An environment whose spec, set by `gymnasium.make`, can be written."""

    _spec: EnvSpec | None = None

    @property
    def spec(self) -> EnvSpec | None:
        """The spec of the environment; None if Gymnasium did not make it."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        self._spec = writable(spec)


def _values_of(spec):
    return {item.name: getattr(spec, item.name) for item in dataclasses.fields(spec) if item.init}


def _written_all(owner, arguments):
    if arguments is None:  # Gymnasium's `make` refuses a wrapper that records no arguments.
        return None
    return {name: _written(owner, name, value) for name, value in arguments.items()}


def _written(owner, name, value):
    """A value in a form that JSON can hold."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Perturbation):
        return value.to_config()
    if isinstance(value, np.ndarray | np.generic):
        return _written(owner, name, value.tolist())
    if isinstance(value, enum.Enum):
        return _written(owner, name, value.value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, EnvSpec):
        return json.loads(writable(value).to_json())
    if isinstance(value, dict):
        return {str(key): _written(owner, str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | range | set):
        return [_written(owner, name, item) for item in value]
    raise ValueError(
        f"`{name}` of {owner} must be something that JSON can hold, for the spec to be written. "
        f"Received: {value!r}. {_hint(name, value)}"
    )


def _hint(name, value):
    name = "task" if isinstance(value, Task) else name
    return HINTS.get(name, "Give text, numbers, lists or dictionaries.")
