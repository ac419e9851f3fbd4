"""Specs of environments that can be written as JSON, and read again in another process.

Gymnasium writes a spec by `dataclasses.asdict` and `json.dumps`, and records no wrappers around
vector environments. Here arrays, paths and modes are written too, what cannot be written is named,
and a wrapper around a vector environment is part of its spec.
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
"""What to do about an argument that cannot be written."""


class Shared(dict):
    """Arguments that are shared, not copied, by the copies of what holds them."""

    def __deepcopy__(self, memo) -> "Shared":
        return Shared(self)


class WritableSpec(EnvSpec):
    """A spec whose JSON makes an environment with the same stream, or that says what cannot be.

    Copies share the values of arguments: a network or task in memory stays one.
    """

    def to_json(self) -> str:
        """The spec as JSON, for `EnvSpec.from_json`.

        Raises:
            ValueError: If an argument cannot be written: a network or a task in memory.
        """
        spec = EnvSpec(**_values_of(self))
        spec.kwargs = _written_all(self.id, self.kwargs)
        spec.additional_wrappers = tuple(
            dataclasses.replace(wrapper, kwargs=_written_all(wrapper.name, wrapper.kwargs))
            for wrapper in self.additional_wrappers
        )
        return spec.to_json()


def writable(spec: EnvSpec | None) -> EnvSpec | None:
    """`spec` as a `WritableSpec`; None where there is none."""
    if spec is None:
        return None
    return WritableSpec(**{**_values_of(spec), "kwargs": Shared(spec.kwargs)})


def wrapped(env: gym.vector.VectorEnv, wrapper: type, arguments: dict) -> EnvSpec | None:
    """The spec of a vector environment with a wrapper around it; None where it has none itself.

    Args:
        env: The environment inside.
        wrapper: The wrapper's class.
        arguments: Of the wrapper, beside the environment.
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


def make_wrapped(num_envs: int, inner, wrapper: str, arguments: dict) -> gym.vector.VectorEnv:
    """A vector environment and a wrapper around it, from what `wrapped` noted."""
    spec = EnvSpec.from_json(json.dumps(inner)) if isinstance(inner, dict) else inner
    spec = writable(spec)
    spec.kwargs["num_envs"] = num_envs
    return load_env_creator(wrapper)(gym.make_vec(spec), **arguments)


class HasWritableSpec:
    """An environment whose spec, which `gymnasium.make` gives it, can be written."""

    _spec: EnvSpec | None = None

    @property
    def spec(self) -> EnvSpec | None:
        """How the environment was made; None if not by Gymnasium."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        self._spec = writable(spec)


def _values_of(spec):
    return {item.name: getattr(spec, item.name) for item in dataclasses.fields(spec) if item.init}


def _written_all(owner, arguments):
    if arguments is None:  # A wrapper that records none: Gymnasium's make says so.
        return None
    return {name: _written(owner, name, value) for name, value in arguments.items()}


def _written(owner, name, value):
    """A value as JSON has it."""
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
        return {str(key): _written(owner, str(key), one) for key, one in value.items()}
    if isinstance(value, list | tuple | range | set):
        return [_written(owner, name, one) for one in value]
    raise ValueError(
        f"`{name}` of {owner} must be something that JSON can hold, for the spec to be written. "
        f"Received: {value!r}. {_hint(name, value)}"
    )


def _hint(name, value):
    name = "task" if isinstance(value, Task) else name
    return HINTS.get(name, "Give text, numbers, lists or dictionaries.")
