"""Drives on the pre-activations: a step and noise inside a window, and a waveform of one's own."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from aru_keras.arguments import LARGEST_SIZE, checked_indices, finite, whole
from aru_keras.composition import Drive, Perturbation, kind_field, set_value

PAPER_WINDOW, PAPER_TIMESTEPS = 200, 784
"""Start and duration of the paper's drives, and the length of its sequences."""


class _Windowed(Perturbation):
    """A drive between `start` and `start + duration`."""

    has_drive = True
    _skipped: ClassVar[int] = 0
    """Steps from `start` on that are not inside."""

    def _check_window(self):
        for name, least in (("start", 0), ("duration", 1 + self._skipped)):
            if getattr(self, name) is not None:
                hint = "Leave it out for the paper's, scaled to the sequence."
                set_value(self, name, whole(name, getattr(self, name), least, hint=hint))

    def window(self, timesteps: int) -> range:
        """The steps t inside the window, cut at the end of the sequence.

        Args:
            timesteps: T.

        Raises:
            ValueError: there are none.
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
    """A constant ξ, added to every unit's pre-activation where t0 < t < t0 + τ (Fig 2).

    Attributes:
        amplitude: ξ.
        start: t0 in steps; None: the paper's 200 of 784, scaled to T.
        duration: τ in steps, at least 2; None: likewise.

    Raises:
        ValueError: a value is out of its range.
    """

    amplitude: float = 5.0
    start: int | None = None
    duration: int | None = None
    kind: str = kind_field("step")
    _skipped: ClassVar[int] = 1

    def __post_init__(self):
        set_value(self, "amplitude", finite("amplitude", self.amplitude))
        self._check_window()

    def drives(self, indices, timesteps, units=None):
        window = self.window(timesteps)
        return [Drive(window.start, np.full((1, len(window), 1), self.amplitude, "float32"))]


@dataclass(frozen=True)
class NoisyDrive(_Windowed):
    """Gaussian noise, added to the pre-activations where t0 ≤ t < t0 + τ (Table 1).

    Independent for each image, unit and step. The draws of an image are a function of `seed` and
    its index: two noisy drives in a composition need different seeds to be independent.

    Attributes:
        mean: μ.
        variance: σ², not the standard deviation.
        seed: of the noise, below 2⁶⁴.
        start: t0 in steps; None: the paper's 200 of 784, scaled to T.
        duration: τ in steps; None: likewise.

    Raises:
        ValueError: a value is out of its range.
    """

    mean: float = 5.0
    variance: float = 2.0
    seed: int = 0
    start: int | None = None
    duration: int | None = None
    kind: str = kind_field("noise")
    per_unit = True

    def __post_init__(self):
        set_value(self, "mean", finite("mean", self.mean))
        set_value(self, "variance", finite("variance", self.variance, least=0))
        set_value(self, "seed", whole("seed", self.seed, 0, most=2**64 - 1))
        self._check_window()

    def drives(self, indices, timesteps, units=None):
        window = self.window(timesteps)
        if units is None:
            raise ValueError(
                "`units` must be a whole number, as NoisyDrive draws a value for each unit: "
                "give units=N. Received: None."
            )
        indices, units = checked_indices(indices), whole("units", units, 1, most=LARGEST_SIZE)
        values = np.empty((len(indices), len(window), units), "float32")
        for image, index in zip(values, indices, strict=True):
            # Draws fill an array from its beginning: those that the end of the sequence cuts off
            # would come last.
            key = np.array([self.seed, index], "uint64")
            generator = np.random.Generator(np.random.Philox(key=key))
            generator.standard_normal(dtype="float32", out=image)
        values *= np.float32(math.sqrt(self.variance))
        values += np.float32(self.mean)
        return [Drive(window.start, values)]
