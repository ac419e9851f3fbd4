"""The drives in force in the sub-environments of a sequence environment."""

import numpy as np

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
