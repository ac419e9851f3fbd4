"""The drives in force in the sub-environments of a sequence environment, and who hears them."""

from typing import Any

import gymnasium as gym
import numpy as np
from keras import ops

from aru_keras._util.arguments import shown
from aru_keras.perturbations import Perturbation


class DriveBuffer:
    """Drives of B sub-environments, stored inside their windows only.

    Args:
        perturbation: The perturbation whose drives these are.
        num_envs: The number of sub-environments B.
        timesteps: The number of steps T.
        units: The number of units N; None if it is not known yet.
    """

    def __init__(
        self, perturbation: Perturbation, num_envs: int, timesteps: int, units: int | None
    ):
        self._perturbation, self._timesteps, self._units = perturbation, timesteps, units
        self._shape, self._drives = (num_envs, 1), []
        if self._lacks_units:
            return
        # The drives of image 0 give the windows and widths; `begin` fills in those of others.
        self._drives = [
            (drive.first, np.repeat(drive.values, num_envs, axis=0))
            for drive in perturbation.drives(np.zeros(1, int), timesteps, units)
        ]
        width = max((values.shape[2] for _, values in self._drives), default=1)
        self._shape = num_envs, width

    @property
    def _lacks_units(self) -> bool:
        return self._perturbation.per_unit and self._units is None

    def check_units(self) -> None:
        """Check that an episode can begin.

        Raises:
            ValueError: If the number of units is needed and not known.
        """
        if self._lacks_units:
            raise ValueError(
                "`units` must be the number of units for which there is noise, or a waveform for "
                "each. Received: None. Give units=N or put a Probe around the environment."
            )

    def begin(self, mask: np.ndarray, indices: np.ndarray) -> None:
        """Set the drives of the sub-environments of a mask, which show the images `indices`."""
        drives = self._perturbation.drives(indices, self._timesteps, self._units)
        for (_, values), drive in zip(self._drives, drives, strict=True):
            values[mask] = drive.values

    def at(self, t: np.ndarray) -> np.ndarray:
        """The drive ξ_t of every sub-environment at its step, (B, 1) or (B, N); t is (B,)."""
        total = np.zeros(self._shape, np.float32)
        for first, values in self._drives:
            inside = np.flatnonzero((t >= first) & (t < first + values.shape[1]))
            total[inside] += values[inside, t[inside] - first]
        return total


class GivesDrive:
    """An environment whose info["drive"], if there is one, is a drive on the units of a network."""

    gives_drive = True
    """Whether probes and agents add info["drive"] to the pre-activations of the units."""


class DriveReader:
    """Reads the drive on the units of a network from the `info` of an environment.

    Other environments may have a "drive" in their `info` that has nothing to do with a network. So
    it is read only where the environment, or a wrapper around it, has a true `gives_drive`.

    Args:
        env: The environment, scalar or vector, with its wrappers.

    Attributes:
        reads: Whether the environment gives a drive.
    """

    def __init__(self, env: Any):
        self.reads = _gives_drive(env)

    def __call__(self, info: dict[str, Any]) -> Any:
        """The drive in force; None if there is none.

        Raises:
            ValueError: If it is neither a number nor several.
        """
        drive = info.get("drive") if self.reads else None
        if drive is None or ops.is_tensor(drive):
            return drive
        try:
            return np.asarray(drive, np.float32)
        except (TypeError, ValueError) as error:
            raise ValueError(
                '`info["drive"]` must be a number, or one for each unit, which is added to the '
                f"pre-activations. Received: {shown(drive)}. Give it another name in the "
                "environment or wrapper that sets it, if it is no drive on units."
            ) from error


def _gives_drive(env):
    layer = env
    while layer is not None:
        if getattr(layer, "gives_drive", False):
            return True
        layer = getattr(layer, "env", None)
    if isinstance(env.unwrapped, gym.vector.SyncVectorEnv | gym.vector.AsyncVectorEnv):
        return any(env.unwrapped.call("has_wrapper_attr", "gives_drive"))
    return False
