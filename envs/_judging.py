"""The actions that a sequence environment takes, and what it pays for them."""

import gymnasium as gym
import numpy as np

from aru_keras._util.arguments import one_of
from aru_keras.tasks import TaskSpec

REWARDS = ("final", "every_step", "log_probability")
"""The names of the rewards."""


class Judge:
    """The action space and the rewards of a task: of classes, or of values.

    Args:
        spec: The specification of the task.
        reward: The name of the reward; None for "every_step" where every step has a target, and
            "final" where the sequence has.

    Attributes:
        reward: The name of the reward.
        every_step: Whether all actions are paid, and not the last alone.
        action_space: The action space of a sub-environment.

    Raises:
        ValueError: If there is no such reward, or it needs classes.
    """

    def __init__(self, spec: TaskSpec, reward: str | None):
        usual = "every_step" if spec.every_step else "final"
        self.reward = usual if reward is None else one_of("reward", reward, REWARDS)
        self._named = spec.target == "class" and self.reward != "log_probability"
        self._values = spec.target == "value"
        if self._values and self.reward == "log_probability":
            raise ValueError(
                '`reward` must be "final" or "every_step" for a task of values. Received: '
                '"log_probability", which needs classes.'
            )
        paid = self.reward == "log_probability" and spec.every_step
        self.every_step = self.reward == "every_step" or paid
        self.action_space: gym.Space = gym.spaces.Discrete(max(spec.classes, 1))
        if not self._named:
            self.action_space = gym.spaces.Box(-np.inf, np.inf, (spec.outputs,), np.float32)

    def rewards(self, actions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """What each action is worth, (B,), for the targets (B,) or (B, D) of the steps shown."""
        if self._named:
            return (actions == targets).astype(float)
        if self._values:
            return -np.mean((actions.astype(float) - targets) ** 2, axis=1)
        logits = actions.astype(float)
        logits = logits - logits.max(axis=1, keepdims=True)
        logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return np.take_along_axis(logits, targets[:, None], axis=1)[:, 0]
