"""Drives on the pre-activations that are on within a window of steps: a step, and noise."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from aru_keras._util.arguments import LARGEST_SIZE, checked_indices, finite, whole
from aru_keras.perturbations._fields import kind_field, set_value
from aru_keras.perturbations.base import Drive, Perturbation

PAPER_WINDOW, PAPER_TIMESTEPS = 200, 784
"""Start and duration of the paper's drives, and the length of its sequences, in steps."""


class _Windowed(Perturbation):
    """A drive between `start` and `start + duration`."""

    start: int | None
    duration: int | None
    has_drive = True
    _skipped: ClassVar[int] = 0
    """The number of steps from `start` on that are not inside the window."""

    def _check_window(self) -> None:
        for name, least in (("start", 0), ("duration", 1 + self._skipped)):
            if getattr(self, name) is not None:
                hint = "Leave it out for the paper's value, scaled to the sequence."
                set_value(self, name, whole(name, getattr(self, name), least, hint=hint))

    def window(self, timesteps: int) -> range:
        """The steps t inside the window, which ends with the sequence at the latest.

        Args:
            timesteps: The number of steps T.

        Raises:
            ValueError: If no step of the sequence lies inside.
        """
        timesteps = whole("timesteps", timesteps, 1, most=LARGEST_SIZE)
        scaled = round(PAPER_WINDOW * timesteps / PAPER_TIMESTEPS)
        start = scaled if self.start is None else self.start
        duration = scaled if self.duration is None else self.duration
        inside = range(start + self._skipped, min(start + duration, timesteps))
        if not inside:
            raise ValueError(
                f"{type(self).__name__} needs a step t with {start + self._skipped} ≤ t < "
                f"{start + duration} (start={start}, duration={duration}) in the sequence. "
                f"Received: T = {timesteps}. Choose another `start` or `duration`."
            )
        return inside


@dataclass(frozen=True)
class StepDrive(_Windowed):
    """A constant ξ, added to the pre-activation of every unit where t0 < t < t0 + τ.

    Geadah et al. 2024, Fig 2.

    Attributes:
        amplitude: The value of ξ.
        start: The step t0; None stands for the paper's 200 of 784 steps, scaled to T.
        duration: The number of steps τ, at least 2; None stands for the paper's value likewise.

    Raises:
        ValueError: If a value is out of its range.
    """

    amplitude: float = 5.0
    start: int | None = None
    duration: int | None = None
    kind: str = kind_field("step")
    _skipped: ClassVar[int] = 1

    def __post_init__(self) -> None:
        set_value(self, "amplitude", finite("amplitude", self.amplitude))
        self._check_window()

    def drives(
        self, indices: Sequence[int], timesteps: int, units: int | None = None
    ) -> list[Drive]:
        """The drive inside its window, the same for all images and units."""
        window = self.window(timesteps)
        return [Drive(window.start, np.full((1, len(window), 1), self.amplitude, "float32"))]


@dataclass(frozen=True)
class NoisyDrive(_Windowed):
    """Gaussian noise, added to the pre-activations where t0 ≤ t < t0 + τ.

    Geadah et al. 2024, Table 1. The noise is independent for each image, unit and step. The draws
    of an image are a function of `seed` and of its index: two noisy drives in a composition are
    independent only if their seeds differ.

    Attributes:
        mean: The mean μ.
        variance: The variance σ², not the standard deviation.
        seed: The seed of the noise, a whole number below 2⁶⁴.
        start: The step t0; None stands for the paper's 200 of 784 steps, scaled to T.
        duration: The number of steps τ; None stands for the paper's value likewise.

    Raises:
        ValueError: If a value is out of its range.
    """

    mean: float = 5.0
    variance: float = 2.0
    seed: int = 0
    start: int | None = None
    duration: int | None = None
    kind: str = kind_field("noise")
    per_unit = True

    def __post_init__(self) -> None:
        set_value(self, "mean", finite("mean", self.mean))
        set_value(self, "variance", finite("variance", self.variance, least=0))
        set_value(self, "seed", whole("seed", self.seed, 0, most=2**64 - 1))
        self._check_window()

    def drives(
        self, indices: Sequence[int], timesteps: int, units: int | None = None
    ) -> list[Drive]:
        """The noise inside its window, (B, τ, N).

        Raises:
            ValueError: If `units` is missing, or no step of the window lies in the sequence.
        """
        window = self.window(timesteps)
        if units is None:
            raise ValueError(
                "`units` must be a whole number, as NoisyDrive draws a value for each unit. "
                "Received: None. Give units=N."
            )
        indices, units = checked_indices(indices), whole("units", units, 1, most=LARGEST_SIZE)
        values = np.empty((len(indices), len(window), units), "float32")
        for image, index in zip(values, indices, strict=True):
            # Draws fill an array from its beginning, so a sequence that ends inside the window
            # has the same values as a longer one.
            key = np.array([self.seed, index], "uint64")
            generator = np.random.Generator(np.random.Philox(key=key))
            generator.standard_normal(dtype="float32", out=image)
        values *= np.float32(math.sqrt(self.variance))
        values += np.float32(self.mean)
        return [Drive(window.start, values)]
