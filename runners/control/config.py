"""What the training of an agent is made of: one dataclass that is the command line and the file."""

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aru_keras import models
from aru_keras._util.arguments import one_of
from aru_keras.runners.options import LARGEST_SEED, checked, count, option, switch
from aru_keras.tasks.origins import GYM, is_environment

PREFIX = GYM
"""What the name of a task begins with if it is an environment of Gymnasium."""

BEFORE = {"scale_observations": False, "scale_actions": False}
"""How runs are that do not have these options in their config.json, because there were none."""

RESERVED = {
    *("mask_velocities", "scale_observations", "scale_actions", "wrapper"),
    *("id", "name", "num_envs", "render_mode", "vectorization_mode", "wrappers"),
}
"""Arguments with which a training makes environments, and which are therefore not theirs."""


@dataclass(frozen=True)
class ControlConfig:
    """Everything that decides the training of an agent.

    Names and defaults are those of CleanRL's PPO, with `discount` for γ, the `num_envs` of its PPO
    with an LSTM, a higher learning rate, and rewards that are normalized.

    Raises:
        ValueError: For a value out of range, naming the field.
    """

    task: str = option("environment: gym:ID, or gym:MODULE:ID, which is registered by MODULE")
    model: str = option("network: one of " + ", ".join(models.NETWORKS), "arun")
    env_options: Mapping[str, Any] = option(
        "an argument of the environment; VALUE is JSON or text", type=dict
    )
    units: int = count("recurrent units N", 64)
    controller_units: int = count("controller units G of an ARUN", 8)
    mask_velocities: bool = switch("show the agent no velocities, where it is known which they are")
    scale_observations: bool = option(
        "scale integers with bounds, such as images, to 0 to 1", True, type=bool
    )
    scale_actions: bool = option(
        "let −1 and 1 stand for the bounds of actions that are numbers", True, type=bool
    )
    num_envs: int = count("sub-environments that run side by side", 8)
    num_steps: int = count("steps of a segment, through which gradients go", 128)
    total_timesteps: int = count("environment steps in all", 500_000)
    learning_rate: float = option("learning rate at the start", 1e-3, type=float)
    anneal_lr: bool = option("let the learning rate go to 0 linearly", True, type=bool)
    discount: float = option("discount of the rewards", 0.99, type=float, least=0)
    gae_lambda: float = option("λ of the advantage estimation", 0.95, type=float, least=0)
    num_minibatches: int = count("minibatches of whole sub-environments", 4)
    update_epochs: int = count("passes over a segment", 4)
    norm_reward: bool = option(
        "divide the rewards by the deviation of the discounted returns so far", True, type=bool
    )
    norm_adv: bool = option("normalize the advantages of a minibatch", True, type=bool)
    clip_coef: float = option("range of the probability ratio around 1", 0.2, type=float)
    clip_vloss: bool = option("clip the change of the value, too", True, type=bool)
    ent_coef: float = option("weight of the entropy", 0.01, type=float, least=0)
    vf_coef: float = option("weight of the value loss", 0.5, type=float, least=0)
    detach_value: bool = switch(
        "let the recurrent layer learn from the policy alone, and not from the value"
    )
    max_grad_norm: float = option("largest global norm of the gradient", 0.5, type=float)
    save_every: int = count("updates between checkpoints; new episodes begin after each", 25)
    evaluation_episodes: int = count("episodes of the evaluation in the end", 20)
    seed: int = count("seed of weights, episodes and actions", 0, least=0, most=LARGEST_SEED)

    def __post_init__(self):
        for item in dataclasses.fields(self):
            object.__setattr__(self, item.name, checked(item, getattr(self, item.name)))
        one_of("model", self.model, models.NETWORKS)
        if not is_environment(self.task):
            raise ValueError(
                "`task` must be an environment, gym:ID. "
                f"Received: {self.task!r}. An example is gym:CartPole-v1."
            )
        for name in RESERVED & self.env_options.keys():
            raise ValueError(
                "`env_options` must be arguments of the environment itself. Received: "
                f"{name}={self.env_options[name]!r}. Leave it out: the training decides it."
            )
        for name in ("discount", "gae_lambda"):
            if getattr(self, name) > 1:
                raise ValueError(f"`{name}` must be from 0 to 1. Received: {getattr(self, name)}.")
        if self.num_envs % self.num_minibatches:
            raise ValueError(
                "`num_minibatches` must divide `num_envs`, as a minibatch consists of whole "
                f"sub-environments. Received: {self.num_minibatches} and {self.num_envs}."
            )
        if self.total_timesteps < self.batch_size:
            raise ValueError(
                f"`total_timesteps` must be at least num_envs · num_steps = {self.batch_size}, "
                f"one update. Received: {self.total_timesteps}."
            )

    @property
    def environment(self) -> str:
        """Name of the environment, as `gymnasium.make` takes it."""
        return self.task.removeprefix(PREFIX)

    @property
    def scalar_options(self) -> dict[str, Any]:
        """The options of `make_scalar` and `make_rendered`."""
        names = "mask_velocities", "scale_observations"
        return {**{name: getattr(self, name) for name in names}, **self.env_options}

    @property
    def world_options(self) -> dict[str, Any]:
        """The options of `make_world`."""
        return {**self.scalar_options, "scale_actions": self.scale_actions}

    @property
    def batch_size(self) -> int:
        """Environment steps of an update."""
        return self.num_envs * self.num_steps

    @property
    def updates(self) -> int:
        """Number of updates."""
        return self.total_timesteps // self.batch_size

    @property
    def stretches(self) -> list[range]:
        """The updates between checkpoints."""
        return [
            range(first, min(first + self.save_every, self.updates))
            for first in range(0, self.updates, self.save_every)
        ]

    def learning_rate_at(self, update: int) -> float:
        """The learning rate of an update, counted from 0."""
        left = 1 - update / self.updates if self.anneal_lr else 1.0
        return self.learning_rate * left

    def to_dict(self) -> dict:
        """The fields as JSON-able values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_file(cls, path: str | os.PathLike, **changes: Any) -> "ControlConfig":
        """The configuration in a `config.json`, with some fields changed.

        Raises:
            ValueError: If there is no such file, or it holds no such configuration.
        """
        values = _values(path)
        if values is None:
            raise ValueError(
                f"`config` must be the config.json of an agent's run. Received: {path}."
            )
        return cls.of_options({**BEFORE, **values, **changes})

    @classmethod
    def of_options(cls, values: dict) -> "ControlConfig":
        """The configuration of options by name.

        Raises:
            ValueError: If an option is for sequences, and not for environments.
        """
        names = [item.name for item in dataclasses.fields(cls)]
        for name in values:
            if name not in names:
                raise ValueError(
                    f"`{name}` is no option of an agent in an environment (gym:…). "
                    f"Received: {name}={values[name]!r}. Its options are {', '.join(names)}. "
                    "Arguments of the environment are given in env_options."
                )
        return cls(**values)


def describes_agent(path: str | os.PathLike) -> bool:
    """Whether a `config.json` is that of an agent in an environment."""
    return _values(path) is not None


def _values(path):
    """The options in a `config.json` of an agent; None where it is another file, or none."""
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    known = isinstance(values, dict) and is_environment(values.get("task"))
    return values if known else None
