"""A contrast of the pixels that varies in time."""

from dataclasses import dataclass

import numpy as np

from aru_keras._util.arguments import LARGEST_SIZE, finite, whole
from aru_keras.perturbations._fields import kind_field, set_value
from aru_keras.perturbations.base import Perturbation


@dataclass(frozen=True)
class Contrast(Perturbation):
    """A contrast that varies in time: x_t ← x_t·(1 + A sin(2πft/T + φ)) where x_t > 0.

    Geadah et al. 2024, Fig 2. By default it acts on all steps, as in the paper.

    Attributes:
        amplitude: The amplitude A. Above 1 some pixels become negative.
        frequency: The frequency f in periods per sequence.
        phase: The phase φ in radians.
        start: The first step t0 on which it acts.
        duration: The number of steps on which it acts, from t0 on; None for all to the end.

    Raises:
        ValueError: If a value is not a finite number, or a step is not a whole number.

    Example:
        >>> Contrast(0.5).pixel_range(0.0, 1.0, timesteps=64)
        (0.0, 1.5)
    """

    amplitude: float = 0.5
    frequency: float = 1.0
    phase: float = 0.0
    start: int = 0
    duration: int | None = None
    kind: str = kind_field("contrast")

    def __post_init__(self) -> None:
        for name in ("amplitude", "frequency", "phase"):
            set_value(self, name, finite(name, getattr(self, name)))
        set_value(self, "start", whole("start", self.start, 0))
        if self.duration is not None:
            hint = "None stands for all steps to the end."
            set_value(self, "duration", whole("duration", self.duration, 1, hint=hint))

    def factors(self, timesteps: int) -> list[np.ndarray]:
        """The factor 1 + A sin(2πft/T + φ), (T,) float32, in a list; 1 outside of the window.

        Raises:
            ValueError: If no step of the sequence lies in the window.
        """
        t = np.arange(whole("timesteps", timesteps, 1, most=LARGEST_SIZE))
        if self.start >= timesteps:
            raise ValueError(
                f"Contrast needs a step t ≥ {self.start} in the sequence. Received: "
                f"T = {timesteps}. Choose another `start`."
            )
        angle = 2 * np.pi * self.frequency * t / timesteps + self.phase
        end = timesteps if self.duration is None else self.start + self.duration
        inside = (t >= self.start) & (t < end)
        return [np.where(inside, 1 + self.amplitude * np.sin(angle), 1.0).astype("float32")]
