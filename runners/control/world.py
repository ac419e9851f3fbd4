"""A vector environment as an agent meets it: vectors of numbers, and episodes that begin and end.

Gymnasium has three autoreset modes. Here all are alike: a step says what the agent sees next, and
whether an episode begins with it.
"""

from dataclasses import dataclass

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from aru_keras.envs._drives import DriveReader
from aru_keras.runners.control.actions import actions_of
from aru_keras.runners.run_folder import WorldError


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a step brought, for B sub-environments.

    Attributes:
        observations: What the agent sees next, (B, I) float32.
        rewards: (B,) float32.
        terminated: Whether the episode has ended, and nothing can follow, (B,).
        truncated: Whether it was only broken off, (B,).
        starts: Whether what the agent sees next begins an episode, (B,).
        ignored: Whether the action was ignored, as the step only began an episode, (B,).
        final: The last observations of the episodes that ended, (B, I); None where the agent sees
            them next.
    """

    observations: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    starts: np.ndarray
    ignored: np.ndarray
    final: np.ndarray | None

    @property
    def ended(self) -> np.ndarray:
        """Whether an episode ended, (B,)."""
        return self.terminated | self.truncated


class World:
    """A vector environment as an agent meets it.

    Args:
        env: Vector environment, whose observations are vectors of numbers.
        scale_actions: Whether −1 and 1 stand for the bounds of actions in a `Box`.

    Attributes:
        env: The environment.
        features: Number of features I.
        actions: What the agent can do.
        returns: Sum of the rewards of every episode that has ended since the last reset.
        running: Sum of the rewards of every episode that runs, (B,).
        gives_drive: Whether it gives drives, as the environments of this package do.
        drive: Drive ξ that acts with what the agent sees now, (B, 1) or (B, N); None for none.

    Raises:
        ValueError: If the agent cannot see or act in it.
        WorldError: In `reset` and `step`, for an `OSError` of the environment.
    """

    def __init__(self, env: gym.vector.VectorEnv, *, scale_actions: bool = False):
        if not isinstance(env, gym.vector.VectorEnv):
            raise ValueError(
                f"`env` must be a vector environment. Received: {env}. Make it with gym.make_vec."
            )
        space = env.single_observation_space
        if not isinstance(space, gym.spaces.Box) or len(space.shape) != 1:
            raise ValueError(
                "`env` must show vectors of numbers, Box(I,). Received: observations in "
                f"{space}. Wrap it in gymnasium.wrappers.vector.FlattenObservation."
            )
        self.env, self.features = env, space.shape[0]
        self.actions = actions_of(env.single_action_space, scaled=scale_actions)
        self.mode = AutoresetMode(env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP))
        self._read_drive = DriveReader(env)
        self.gives_drive = self._read_drive.reads
        self.drive: np.ndarray | None = None

    @property
    def num_envs(self) -> int:
        """Number of sub-environments B."""
        return self.env.num_envs

    def reset(self, seed: int) -> np.ndarray:
        """Begin an episode everywhere; the observations, (B, I)."""
        observations, info = _called(self.env.reset, seed=seed)
        self.drive = None
        self._hear(info)
        self.returns: list[float] = []
        self.running = np.zeros(self.num_envs)
        self._over = np.zeros(self.num_envs, bool)
        self._steps = 0
        return self._seen(observations)

    def step(self, actions: np.ndarray) -> Outcome:
        """Act everywhere.

        Args:
            actions: (B, count), as `Actions.sample` gives them.

        Raises:
            ValueError: If an observation or a reward is not a finite number.
        """
        self._steps += 1
        observations, rewards, terminated, truncated, info = _called(
            self.env.step, self.actions.for_env(actions)
        )
        self._hear(info)
        rewards = self._finite("reward", np.array(rewards, np.float32)[:, None])[:, 0]
        terminated, truncated = np.array(terminated, bool), np.array(truncated, bool)
        ended, ignored = terminated | truncated, np.zeros_like(terminated)
        starts, final = ended, None
        if self.mode is AutoresetMode.NEXT_STEP:
            starts = ignored = self._over
            self._over = ended
        elif ended.any():
            observations, final = self._restarted(observations, ended, info)
        self._count(rewards, ended)
        return Outcome(
            self._seen(observations), rewards, terminated, truncated, starts, ignored, final
        )

    def _restarted(self, observations, ended, info):
        """What the agent sees next, and the last observations of the episodes that ended."""
        if self.mode is AutoresetMode.DISABLED:
            final = self._seen(observations).copy()
            observations, info = _called(self.env.reset, options={"reset_mask": ended})
            self._hear(info)
            return observations, final
        final = np.array(observations, np.float32)
        for index in np.flatnonzero(ended):
            final[index] = info["final_obs"][index]
        return observations, self._seen(final)

    def _hear(self, info):
        """Take the drive from the info of those sub-environments for which it is there."""
        drive = self._read_drive(info)
        if drive is None:
            return
        drive = np.array(drive, np.float32)
        drive = drive if drive.ndim > 1 else drive.reshape(-1, 1)
        mask = np.asarray(info.get("_drive", np.ones(self.num_envs, bool)))[:, None]
        before = np.float32(0) if self.drive is None else self.drive
        self.drive = np.where(mask, drive, before)

    def _count(self, rewards, ended):
        self.running += rewards
        self.returns.extend(self.running[ended].tolist())
        self.running[ended] = 0

    def _seen(self, observations):
        return self._finite("observation", np.array(observations, np.float32))

    def _finite(self, what, values):
        if np.isfinite(values).all():
            return values
        index, feature = np.argwhere(~np.isfinite(values))[0]
        raise ValueError(
            f"The environment must give finite numbers. Received: {what} {values[index, feature]} "
            f"(feature {feature}) in sub-environment {index}, {self._steps} steps after the last "
            "reset of all. Repair the environment, or wrap it so that it gives numbers that a "
            "network can read."
        )


def _called(method, *arguments, **options):
    """What a method of an environment gives. Its errors are no trouble with files of ours."""
    try:
        return method(*arguments, **options)
    except OSError as error:
        raise WorldError(
            f"The environment must not fail in `{method.__name__}`. Received: "
            f"{type(error).__name__}: {error}. See whether what it needs is there, such as a "
            "simulator, a connection or its files."
        ) from error
