"""A contrast on the pixels that varies in time."""

from dataclasses import dataclass

import numpy as np

from aru_keras.arguments import LARGEST_SIZE, finite, whole
from aru_keras.composition import Perturbation, kind_field, set_value


@dataclass(frozen=True)
class Contrast(Perturbation):
    """A contrast that varies in time: x_t ← x_t·(1 + A sin(2πft/T + φ)) where x_t > 0 (Fig 2).

    Attributes:
        amplitude: A. Above 1 pixels become negative for a while.
        frequency: f in periods a sequence.
        phase: φ in radians.

    Raises:
        ValueError: a value is not a finite number.
    """

    amplitude: float = 0.5
    frequency: float = 1.0
    phase: float = 0.0
    kind: str = kind_field("contrast")

    def __post_init__(self):
        for name in ("amplitude", "frequency", "phase"):
            set_value(self, name, finite(name, getattr(self, name)))

    def factors(self, timesteps):
        t = np.arange(whole("timesteps", timesteps, 1, most=LARGEST_SIZE))
        angle = 2 * np.pi * self.frequency * t / timesteps + self.phase
        return [(1 + self.amplitude * np.sin(angle)).astype("float32")]
