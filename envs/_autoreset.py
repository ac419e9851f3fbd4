"""When episodes begin in the sub-environments of a vector environment, seen from outside."""

import copy
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode


class EpisodeStarts:
    """Follows the calls of a vector environment, in whatever autoreset mode it is.

    Args:
        env: The vector environment.
    """

    def __init__(self, env: gym.vector.VectorEnv):
        self._mode = AutoresetMode(env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP))
        self._waiting = np.zeros(env.num_envs, bool)

    def requested(self, options: Any) -> Any:
        """The mask in options of `reset`, or None.

        It is read before the call and copied, because Gymnasium's own vector environments take it
        out of the options.
        """
        return copy.copy(options.get("reset_mask")) if isinstance(options, Mapping) else None

    def reset(self, requested: Any) -> np.ndarray:
        """The sub-environments that a call of `reset` with this mask has started, (B,) bool."""
        mask = np.ones_like(self._waiting) if requested is None else np.asarray(requested)
        self._waiting = self._waiting & ~mask
        return mask

    def step(self, terminated: np.ndarray, truncated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """After a step: `(starts, shown)`, where an episode began and where a step is shown."""
        ended = terminated | truncated
        if self._mode is AutoresetMode.SAME_STEP:
            return ended, np.ones_like(ended)
        starts = self._waiting
        # Without autoreset the mask of `reset` selects the sub-environments that restart.
        self._waiting = ended & (self._mode is AutoresetMode.NEXT_STEP)
        return starts, ~terminated
