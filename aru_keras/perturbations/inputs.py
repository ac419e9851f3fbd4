"""Perturbations of the input of many channels: a contrast of some of them, and noise."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from aru_keras._util.arguments import checked_indices, finite, index, shown, whole
from aru_keras._util.conversions import listed
from aru_keras.perturbations._fields import kind_field, set_value
from aru_keras.perturbations.base import Perturbation
from aru_keras.perturbations.contrast import Contrast


def _read_channels(name: str, value: str, text: str) -> tuple[int | str, ...]:
    """Names and numbers of channels, with semicolons between them."""
    names = [name.strip() for name in value.split(";")]
    return tuple(int(name) if name.isdigit() else name for name in names)


def _write_channels(channels: tuple[int | str, ...]) -> str:
    """The text that `_read_channels` reads."""
    for name in channels:
        if isinstance(name, str) and (name.isdigit() or set(";,+=") & set(name)):
            raise ValueError(
                "`channels` must have names without ; , + and = that are not numbers, to be "
                f"written as text. Received: {name!r}. Use `to_config`."
            )
    return ";".join(map(str, channels))


@dataclass(frozen=True)
class ChannelContrast(Perturbation):
    """A contrast that varies in time, of some channels: x_t ← x_t·(1 + A sin(2πft/T + φ)).

    It acts where x_t > 0, as `Contrast` does, which changes all channels.

    Attributes:
        amplitude: The amplitude A.
        frequency: The frequency f in periods per sequence, of T steps with the padding.
        phase: The phase φ in radians.
        channels: The channels, by their names in the task or their numbers from 0.

    Raises:
        ValueError: If a value is not a finite number, or `channels` names none.

    Example:
        >>> ChannelContrast(0.5, channels=["left"])
    """

    amplitude: float = 0.5
    frequency: float = 1.0
    phase: float = 0.0
    channels: tuple[int | str, ...] = (0,)
    kind: str = kind_field("channels")
    readers: ClassVar = {"channels": _read_channels}
    writers: ClassVar = {"channels": _write_channels}

    def __post_init__(self) -> None:
        for name in ("amplitude", "frequency", "phase"):
            set_value(self, name, finite(name, getattr(self, name)))
        set_value(self, "channels", _checked_channels(self.channels))

    def changed_pixels(
        self,
        x: np.ndarray,
        indices: Sequence[int] | None = None,
        channels: Sequence[str] = (),
    ) -> np.ndarray:
        """The input after the change of the channels; see `Perturbation.changed_pixels`."""
        if x.ndim != 3:
            raise ValueError(
                "`x` must be sequences (B, T, I), for a contrast of some channels. Received: "
                f"x.shape={x.shape}. `Contrast` changes images as a whole."
            )
        numbers = [_channel_number(channel, x.shape[-1], channels) for channel in self.channels]
        contrast = Contrast(self.amplitude, self.frequency, self.phase)
        changed = x.copy()
        changed[..., numbers] = contrast.changed_pixels(x[..., numbers])
        return changed


@dataclass(frozen=True)
class InputNoise(Perturbation):
    """Gaussian noise on the input: x_t ← x_t + N(μ, σ²), independent for each step and channel.

    The draws of a sequence are a function of `seed` and of its index in the split, as those of
    `NoisyDrive`. Steps that are padding stay as they are.

    Attributes:
        variance: The variance σ², not the standard deviation.
        mean: The mean μ.
        seed: The seed of the noise, a whole number below 2⁶⁴.

    Raises:
        ValueError: If a value is out of its range.
    """

    variance: float = 1.0
    mean: float = 0.0
    seed: int = 0
    kind: str = kind_field("input-noise")
    bounded = False

    def __post_init__(self) -> None:
        set_value(self, "variance", finite("variance", self.variance, least=0))
        set_value(self, "mean", finite("mean", self.mean))
        set_value(self, "seed", whole("seed", self.seed, 0, most=2**64 - 1))

    def changed_pixels(
        self,
        x: np.ndarray,
        indices: Sequence[int] | None = None,
        channels: Sequence[str] = (),
    ) -> np.ndarray:
        """The input with noise; see `Perturbation.changed_pixels`.

        Raises:
            ValueError: If `indices` is missing.
        """
        if indices is None:
            raise ValueError(
                "`indices` must be those of the sequences in their split, on which input noise "
                "depends. Received: None. Use tasks.Task.perturbed."
            )
        noise = np.empty(x.shape, "float32")
        for sequence, number in zip(noise, checked_indices(indices), strict=True):
            # A key of its own beside that of `NoisyDrive`, whose draws have the same form.
            key = np.array([self.seed, number], "uint64")
            generator = np.random.Generator(np.random.Philox(key=key).jumped())
            generator.standard_normal(dtype="float32", out=sequence)
        noise *= np.float32(math.sqrt(self.variance))
        return x + noise + np.float32(self.mean)


def _checked_channels(channels):
    given = [channels] if isinstance(channels, str | int) else listed(channels)
    checked = tuple(channel if isinstance(channel, str) else index(channel) for channel in given)
    numbers = [channel for channel in checked if not isinstance(channel, str)]
    if not checked or any(number is None or number < 0 for number in numbers):
        raise ValueError(
            "`channels` must be names of channels, or their numbers from 0, one at the least. "
            f"Received: {shown(channels)}."
        )
    return checked


def _channel_number(channel, count, names):
    """The number of a channel."""
    number = names.index(channel) if channel in names else channel
    if isinstance(number, str) or number >= count:
        known = f"{', '.join(names)}, or " if names else ""
        raise ValueError(
            f"`channels` must be {known}numbers from 0 to {count - 1}. Received: {channel!r}."
        )
    return number
