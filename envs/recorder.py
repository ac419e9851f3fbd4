"""Wrappers that record what a probe shows, episode after episode."""

from typing import Any

import gymnasium as gym
import keras
import numpy as np

from aru_keras._util.extras import import_xarray
from aru_keras.envs._autoreset import EpisodeStarts
from aru_keras.envs._drives import DriveReader
from aru_keras.envs._episodes import BESIDE, Episodes
from aru_keras.envs._wrappers import ScalarWrapper, VectorWrapper
from aru_keras.envs.probe import Probe, VectorProbe


class _Keeper:
    """The common part of both forms."""

    env: Any

    def _attach(self, num_envs):
        import_xarray()
        self._probe = _probe_in(self.env, type(self).__name__)
        self._episodes, self._seed = Episodes(num_envs), None
        self._beside = BESIDE if DriveReader(self._probe.env).reads else ()

    def to_dataset(self) -> Any:
        """All episodes so far as an `xarray.Dataset`, as `probing.record_task` gives them.

        A sequence is an episode, in the order in which they began. The attribute `env_seed` is the
        seed with which the environment was reset last.

        Raises:
            ValueError: If there was no episode yet.
        """
        seed = {} if self._seed is None else {"env_seed": self._seed}
        return self._episodes.dataset(self.env.unwrapped, self._probe, seed)

    def clear(self) -> None:
        """Forget what was recorded. An episode that goes on is not recorded further."""
        self._episodes.clear()

    def _keep(self, mask, x, info, batched):
        names = (*self._probe.online.signals, *(name for name in self._beside if name in info))
        values = {name: keras.ops.convert_to_numpy(info[name]) for name in names}
        values["x"] = np.asarray(x)
        if not batched:
            values = {name: value[None] for name, value in values.items()}
        if "drive" in values:
            drive = values["drive"].reshape(-1, 1) if values["drive"].ndim < 2 else values["drive"]
            values["drive"] = np.broadcast_to(drive, (len(mask), drive.shape[1]))
        self._episodes.add(mask, values)


class Recorder(_Keeper, ScalarWrapper):
    """Record the signals of a probe in a loop of steps, as an `xarray.Dataset`.

    It holds what `probing.record_task` gives for the same sequences: the signals of the probe, the
    observations x, the drive and the contrast in force, and the index and label of each sequence.
    The values are the same to rounding, a relative 1e-5, unless the network amplifies differences.
    It needs xarray.

    Args:
        env: An environment with a `Probe` around it. Wrappers may stand between.

    Raises:
        TypeError: If `env` is a vector environment, whose wrapper is `VectorRecorder`.
        ValueError: If there is no probe.
        ImportError: If xarray is not installed.

    Example:
        >>> env = Recorder(Probe(gym.make("aru/Digits-v0"), "pretrained:arun-digits"))
        >>> seen, info = env.reset(seed=0)
        >>> over = False
        >>> while not over:
        ...     seen, reward, over, _, info = env.step(int(np.argmax(info["y"])))
        >>> env.to_dataset().to_netcdf("episode.nc")
    """

    _over = False

    def __init__(self, env: gym.Env):
        super().__init__(env)
        self._attach(1)

    def reset(
        self, *, seed: int | None = None, options: dict | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode, and record its first step."""
        x, info = self.env.reset(seed=seed, options=options)
        self._seed, self._over = self._seed if seed is None else seed, False
        self._episodes.begin(np.ones(1, bool))
        self._keep(np.ones(1, bool), x, info, batched=False)
        return x, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take a step, and record what it shows."""
        x, reward, terminated, truncated, info = self.env.step(action)
        if self._over:  # The environment began an episode by itself.
            self._episodes.begin(np.ones(1, bool))
        self._over = terminated or truncated
        if not terminated:
            self._keep(np.ones(1, bool), x, info, batched=False)
        return x, reward, terminated, truncated, info


class VectorRecorder(_Keeper, VectorWrapper):
    """Record the signals of a `VectorProbe`: every episode of every sub-environment.

    Arguments and errors are those of `Recorder`, except that `env` must be a vector environment.
    """

    def __init__(self, env: gym.vector.VectorEnv):
        super().__init__(env)
        self._attach(env.num_envs)
        self._starts = EpisodeStarts(env)

    def reset(self, *, seed: Any = None, options: dict | None = None) -> tuple[Any, dict[str, Any]]:
        """Start episodes, and record their first steps."""
        requested = self._starts.requested(options)
        x, info = self.env.reset(seed=seed, options=options)
        self._seed = self._seed if seed is None else seed
        mask = self._starts.reset(requested)
        self._episodes.begin(mask)
        self._keep(mask, x, info, batched=True)
        return x, info

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Take a step everywhere, and record what it shows."""
        x, rewards, terminated, truncated, info = self.env.step(actions)
        begins, shown = self._starts.step(terminated, truncated)
        self._episodes.begin(begins)
        if shown.any():
            self._keep(shown, x, info, batched=True)
        return x, rewards, terminated, truncated, info


def _probe_in(env, name):
    """The probe among the wrappers of an environment."""
    wrapper = env
    while not isinstance(wrapper, Probe | VectorProbe):
        wrapper = getattr(wrapper, "env", None)
        if wrapper is None:
            probe = "VectorProbe" if name.startswith("Vector") else "Probe"
            raise ValueError(
                f"`env` of {name} must have a {probe} around it, whose signals are recorded. "
                f"Received: {env}. Make it with {probe}(env, network)."
            )
    return wrapper
