"""What an agent can do: its actions in the spaces of Gymnasium, and their probabilities.

`params` are the outputs of the network but for the value, (…, size). Actions are (…, count)
float32, as the loss takes them; `for_env` makes those that the environment takes.
"""

import math
from typing import Any

import gymnasium as gym
import numpy as np
from keras import ops

from aru_keras._util.types import Tensor

LARGEST_BOUND = 1e30
"""Of actions that are scaled: larger ones stand for no bound."""


class Categorical:
    """One choice, or several independent ones: `Discrete` and `MultiDiscrete`.

    Args:
        space: The space of the actions of one sub-environment.
    """

    log_std_size = 0

    def __init__(self, space: gym.spaces.Discrete | gym.spaces.MultiDiscrete):
        self.single = isinstance(space, gym.spaces.Discrete)
        self.sizes = [int(n) for n in np.ravel(space.n if self.single else space.nvec)]
        self.start, self.shape = space.start, space.shape
        self.policy_size, self.count = sum(self.sizes), len(self.sizes)

    def sample(self, params: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Sampled actions: the largest of logits plus Gumbel noise is a sample."""
        return self.best(params + rng.gumbel(size=params.shape))

    def best(self, params: np.ndarray) -> np.ndarray:
        """The most likely actions."""
        best = [logits.argmax(-1) for logits in self._split(params)]
        return np.stack(best, axis=-1).astype("float32")

    def log_probability(self, params: Tensor, actions: Tensor) -> Tensor:
        """Log π of actions, (…)."""
        logs = map(ops.log_softmax, self._split(params))
        actions = ops.cast(actions, "int32")
        return sum(
            ops.sum(log * ops.one_hot(actions[..., i], size, dtype=log.dtype), axis=-1)
            for i, (log, size) in enumerate(zip(logs, self.sizes, strict=True))
        )

    def entropy(self, params: Tensor) -> Tensor:
        """Entropy of the policy in nats, (…)."""
        logs = map(ops.log_softmax, self._split(params))
        return -sum(ops.sum(ops.exp(log) * log, axis=-1) for log in logs)

    def for_env(self, actions: np.ndarray) -> np.ndarray:
        """The actions as the environment takes them."""
        whole = actions.astype(np.int64)
        if self.single:
            return whole[:, 0] + self.start
        return whole.reshape(len(whole), *self.shape) + self.start

    def _split(self, params):
        ends = np.cumsum(self.sizes).tolist()
        return [params[..., end - n : end] for end, n in zip(ends, self.sizes, strict=True)]


class Gaussian:
    """Numbers in a `Box`, whose means depend on the state, and whose deviations do not.

    As in CleanRL, actions beyond the bounds of the box are clipped on their way to the environment.

    Args:
        space: The space of the actions of one sub-environment.
        scaled: Whether −1 and 1 stand for the bounds, where there are two finite ones.
    """

    def __init__(self, space: gym.spaces.Box, scaled: bool = False):
        self.space = space
        self._middle, self._half = np.zeros(space.shape), np.ones(space.shape)
        low, high = space.low.astype(float), space.high.astype(float)
        bounded = (np.abs(low) < LARGEST_BOUND) & (np.abs(high) < LARGEST_BOUND) & scaled
        self._middle[bounded] = (low[bounded] + high[bounded]) / 2
        self._half[bounded] = (high[bounded] - low[bounded]) / 2
        self.count = self.policy_size = self.log_std_size = math.prod(space.shape)

    def sample(self, params: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Sampled actions."""
        mean, log_std = self._split(params)
        noise = np.exp(log_std) * rng.normal(size=mean.shape)
        return (mean + noise).astype("float32")

    def best(self, params: np.ndarray) -> np.ndarray:
        """The most likely actions."""
        return self._split(params)[0].astype("float32")

    def log_probability(self, params: Tensor, actions: Tensor) -> Tensor:
        """Log π of actions, (…)."""
        mean, log_std = self._split(params)
        z = (actions - mean) / ops.exp(log_std)
        return ops.sum(-0.5 * z * z - log_std - 0.5 * math.log(2 * math.pi), axis=-1)

    def entropy(self, params: Tensor) -> Tensor:
        """Entropy of the policy in nats, (…)."""
        _, log_std = self._split(params)
        return ops.sum(log_std + 0.5 * math.log(2 * math.pi * math.e), axis=-1)

    def for_env(self, actions: np.ndarray) -> np.ndarray:
        """The actions as the environment takes them."""
        actions = actions.reshape(len(actions), *self.space.shape)
        actions = (self._middle + self._half * actions).astype(self.space.dtype)
        return np.clip(actions, self.space.low, self.space.high)

    def _split(self, params):
        return params[..., : self.count], params[..., self.count :]


Actions = Categorical | Gaussian


def actions_of(space: Any, *, scaled: bool = False) -> Actions:
    """The actions of a space.

    Args:
        space: The action space of one sub-environment.
        scaled: As in `Gaussian`.

    Raises:
        ValueError: If an agent cannot act in it.
    """
    if isinstance(space, gym.spaces.Discrete | gym.spaces.MultiDiscrete):
        return Categorical(space)
    if isinstance(space, gym.spaces.Box) and np.issubdtype(space.dtype, np.floating):
        return Gaussian(space, scaled)
    raise ValueError(
        "The actions of the environment must be Discrete, MultiDiscrete or a Box of real numbers. "
        f"Received: {space}. Wrap the environment so that it takes one of these."
    )
