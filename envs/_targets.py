"""The targets of the sequences that an environment shows, and when it tells them."""

import numpy as np

from aru_keras.tasks import TaskSpec


class TargetBuffer:
    """The targets of B sub-environments: a class or D values, at the end or at every step.

    Args:
        spec: The specification of the task.
        num_envs: The number of sub-environments B.
        timesteps: The number of steps T.
    """

    def __init__(self, spec: TaskSpec, num_envs: int, timesteps: int):
        self._every_step = spec.every_step
        width = (spec.values,) if spec.values else ()
        steps = (timesteps,) if spec.every_step else ()
        kind = np.float32 if spec.values else np.int64
        self._hidden = kind(np.nan if spec.values else -1)
        self._targets = np.zeros((num_envs, *steps, *width), kind)
        self._answers = np.zeros((num_envs, *width), kind)
        self._answered = np.zeros(num_envs, bool)

    def begin(self, mask: np.ndarray, targets: np.ndarray) -> None:
        """Set the targets of the sub-environments of a mask, whose episodes begin."""
        self._targets[mask], self._answered[mask] = targets, False

    def shown(self, t: np.ndarray) -> np.ndarray:
        """The targets of the steps t, (B,), that are shown: (B,) or (B, D)."""
        return self._targets[np.arange(len(t)), t] if self._every_step else self._targets

    def answer(self, mask: np.ndarray, t: np.ndarray) -> np.ndarray:
        """The targets of the steps t, to which the actions of a mask are the answers."""
        shown = self.shown(t)
        self._answers[mask], self._answered[mask] = shown[mask], True
        return shown

    def info(self, mask: np.ndarray, ended: np.ndarray) -> dict[str, np.ndarray]:
        """The labels that are told: at the end, or of every step those of the last actions."""
        if self._every_step:
            return self._entries(mask & self._answered, self._answers)
        return self._entries(mask & ended, self._targets)

    def revealed(self, mask: np.ndarray, t: np.ndarray) -> dict[str, np.ndarray]:
        """The labels of the steps t that are shown, told at once."""
        return self._entries(mask.copy(), self.shown(t))

    def _entries(self, mask, labels):
        if not mask.any():
            return {}
        seen = mask.reshape(-1, *[1] * (labels.ndim - 1))
        return {"label": np.where(seen, labels, self._hidden), "_label": mask}
