"""What an agent sees of a vector environment: integers scaled, and features hidden."""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np

LARGEST_RANGE = 2**16 - 1
"""Of integers that are scaled: that of images with 16 bits. Wider ones are no bounds in earnest."""


class SeenObservations(gym.vector.VectorWrapper):
    """A wrapper that changes what is seen, in every autoreset mode.

    Gymnasium's own `VectorObservationWrapper` refuses the mode `SAME_STEP`, and passes on the last
    observations of episodes as they are.

    Args:
        env: Vector environment that shows vectors.
    """

    def observations(self, observations: np.ndarray) -> np.ndarray:
        """What is seen, (B, I), of what the environment shows, (B, I)."""
        raise NotImplementedError

    def reset(self, **options: Any) -> tuple:
        observations, info = self.env.reset(**options)
        return self.observations(observations), info

    def step(self, actions: Any) -> tuple:
        observations, *outcome, info = self.env.step(actions)
        if "final_obs" in info:
            final = np.empty(self.num_envs, object)
            for index, last in enumerate(info["final_obs"]):
                final[index] = None if last is None else self.observations(last[None])[0]
            info = {**info, "final_obs": final}
        return self.observations(observations), *outcome, info


class MaskedFeatures(SeenObservations):
    """Show 0 in place of some features, which the agent then has to work out.

    Args:
        env: Vector environment that shows vectors.
        features: Indices of the features.
    """

    def __init__(self, env: gym.vector.VectorEnv, features: Any):
        super().__init__(env)
        self.features = list(features)

    def observations(self, observations: Any) -> Any:
        return masked(observations, self.features)


class ScaledFeatures(SeenObservations):
    """Scale what is seen, as `ranges` gives it.

    Args:
        env: Vector environment that shows vectors.
        low: What becomes 0, (I,).
        width: How far above it is what becomes 1, (I,).
    """

    def __init__(self, env: gym.vector.VectorEnv, low: np.ndarray, width: np.ndarray):
        super().__init__(env)
        self.low, self.width = low, width

    def observations(self, observations: Any) -> Any:
        return scaled(observations, self.low, self.width)


def masked(observations: Any, features: Sequence[int]) -> np.ndarray:
    """Observations with 0 in place of some features, as float32.

    Args:
        observations: (…, I).
        features: Indices of the features.
    """
    seen = np.array(observations, np.float32)
    seen[..., list(features)] = 0
    return seen


def scaled(observations: Any, low: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Observations of which `low` becomes 0, and `low + width` 1, as float32.

    Args:
        observations: (…, I).
        low: (I,).
        width: (I,).
    """
    return ((np.asarray(observations, np.float32) - low) / width).astype(np.float32)


def ranges(space: gym.Space) -> tuple[np.ndarray, np.ndarray]:
    """The least value and the width of each number that a space shows, when it is flattened.

    They are 0 and 1, which changes nothing, except in boxes of integers with bounds at most
    `LARGEST_RANGE` apart, such as images.

    Args:
        space: Space of the observations of one sub-environment.

    Returns:
        `(low, width)`, (I,) float32 each.
    """
    if isinstance(space, gym.spaces.Dict | gym.spaces.Tuple):
        inner = space.values() if isinstance(space, gym.spaces.Dict) else space
        of_inner = [ranges(one) for one in inner]
        low, width = (np.concatenate(values) for values in zip(*of_inner, strict=True))
        return low, width
    count = gym.spaces.flatdim(space)
    low, width = np.zeros(count, np.float32), np.ones(count, np.float32)
    if isinstance(space, gym.spaces.Box) and np.issubdtype(space.dtype, np.integer):
        least, most = (np.ravel(bound).astype(float) for bound in (space.low, space.high))
        bounded = (most > least) & (most - least <= LARGEST_RANGE)
        low[bounded], width[bounded] = least[bounded], (most - least)[bounded]
    return low, width
