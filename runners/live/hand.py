"""What a person turns while a network reads, and the perturbation that it amounts to."""

import itertools
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np

from aru_keras._util.arguments import finite
from aru_keras.perturbations import (
    Contrast,
    NoisyDrive,
    Perturbation,
    Perturbations,
    StepDrive,
    Waveform,
)


@dataclass(frozen=True)
class Hand:
    """The positions of the controls at one step.

    Attributes:
        drive: The drive ξ into all units.
        noise: The standard deviation of the noise that is added to the drive of each unit.
        contrast: The amplitude A of the contrast, x ← x·(1 + A sin(2πt/T + φ)).
        phase: The phase φ of the contrast in radians.

    Raises:
        ValueError: If a value is not finite, or the noise is below 0.
    """

    drive: float = 0.0
    noise: float = 0.0
    contrast: float = 0.0
    phase: float = 0.0

    def __post_init__(self):
        for field in fields(self):
            least = 0 if field.name == "noise" else -np.inf
            value = finite(field.name, getattr(self, field.name), least)
            object.__setattr__(self, field.name, value)


class _Stretch(NamedTuple):
    """Consecutive steps with one value."""

    value: Any
    start: int
    duration: int


class History:
    """The positions of the controls at each step of an episode.

    Args:
        timesteps: The number of steps T of the episode.
        index: The index of the image in its split, on which the noise depends.
        base: The perturbation that was chosen for the whole episode.

    Attributes:
        base: The perturbation of the whole episode.
        steps: The positions of the controls at the steps so far.
    """

    def __init__(self, timesteps: int, index: int, base: Perturbation):
        self.base = base
        self.steps: list[Hand] = []
        self._timesteps, self._index = timesteps, index
        self._base_drive: dict[int, np.ndarray | None] = {}
        self._noise: dict[int, tuple[int, np.ndarray]] = {}
        noisy = [component for component in base.components if isinstance(component, NoisyDrive)]
        self._first_seed = 1 + max((drive.seed for drive in noisy), default=0)

    def add(self, hand: Hand) -> None:
        """The controls at the next step."""
        if hand.noise and hand.noise != (self.steps[-1].noise if self.steps else 0):
            self._noise.clear()
        self.steps.append(hand)

    def factor_by_hand(self) -> np.float32:
        """The factor of the controls on a positive pixel at the last step."""
        t, hand = len(self.steps) - 1, self.steps[-1]
        if not hand.contrast:
            return np.float32(1)
        return _contrast(hand, t).factors(self._timesteps)[0][t]

    def drive(self, units: int) -> np.ndarray:
        """The drive at the last step, (N,) float32."""
        t, hand = len(self.steps) - 1, self.steps[-1]
        total = np.full(units, self._of_base(units)[t] + np.float32(hand.drive), "float32")
        if hand.noise:
            start, values = self._noise_of(units)
            total += values[t - start]
        return total

    def perturbation(self) -> Perturbation:
        """The perturbation that does again what was turned so far."""
        return Perturbations.of(
            self.base,
            *_drives(_stretches([hand.drive for hand in self.steps])),
            *self._noisy_drives(),
            *(
                Contrast(turned.value[0], 1.0, turned.value[1], turned.start, turned.duration)
                for turned in _stretches(
                    [hand.contrast and (hand.contrast, hand.phase) for hand in self.steps]
                )
            ),
        )

    def _noisy_drives(self):
        stretches = _stretches([hand.noise for hand in self.steps])
        return [
            NoisyDrive(
                0.0, turned.value**2, seed=seed, start=turned.start, duration=turned.duration
            )
            for seed, turned in enumerate(stretches, self._first_seed)
        ]

    def _noise_of(self, units):
        """The first step of the present noise and its values up to the end, (T′, N)."""
        if units not in self._noise:
            noise = self._noisy_drives()[-1]
            whole = NoisyDrive(0.0, noise.variance, noise.seed, noise.start, self._timesteps)
            (drive,) = whole.drives([self._index], self._timesteps, units)
            self._noise[units] = (noise.start, drive.values[0])
        return self._noise[units]

    def _of_base(self, units):
        if units not in self._base_drive:
            drive = self.base.drive([self._index], self._timesteps, units)
            self._base_drive[units] = np.zeros((self._timesteps, 1)) if drive is None else drive[0]
        return self._base_drive[units]


def _contrast(hand, t):
    return Contrast(hand.contrast, phase=hand.phase, start=t, duration=1)


def _stretches(values):
    """The stretches of equal values that are not 0."""
    stretches, start = [], 0
    for value, group in itertools.groupby(values):
        duration = len(list(group))
        if value:
            stretches.append(_Stretch(value, start, duration))
        start += duration
    return stretches


def _drives(stretches):
    """A step if the drive had one value, from a step after the first on, and else a waveform."""
    if not stretches:
        return []
    first, last = stretches[0], stretches[-1]
    if first is last and first.start:  # A step drive acts from the step after its start on.
        return [StepDrive(first.value, first.start - 1, first.duration + 1)]
    values = np.zeros(last.start + last.duration - first.start)
    for stretch in stretches:
        begin = stretch.start - first.start
        values[begin : begin + stretch.duration] = stretch.value
    return [Waveform(values, first.start)]
