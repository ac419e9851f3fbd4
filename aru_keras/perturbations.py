"""Perturbations that a network did not see in training (Geadah et al. 2024, Fig 2).

- `StepDrive`: ξ is added to every unit's pre-activation where t0 < t < t0 + τ; ξ = 5 by default.
- `NoisyDrive`: the same with noise N(μ, σ²), where t0 ≤ t < t0 + τ; μ = 5, σ² = 2.
- `Contrast`: x_t ← x_t·(1 + A sin(2πft/T + φ)) where x_t > 0; A = 0.5, f = 1, φ = 0.

Steps t count from 0. By default t0 = τ = 200 of the paper's 784 steps, round(200·T/784) of T
steps. The noise is independent for each sequence, unit and step. Contrast acts on pixels; on
whole images, before a convolutional encoder, the step of a pixel is its row-major position and T
is H·W (our choice; the paper does not say).

Perturbations are values: they compare, hash, add up (`StepDrive(5) + Contrast(0.5)`) and go
through JSON. All numbers come from numpy, and are functions of the perturbation, T, N and the
image's index in its split. So environments, pipelines and recordings agree to the last bit.

Example::

    perturbation = parse("noise:mean=5,seed=3")
    x, y = task.examples("test", range(100))
    x, drive = task.perturbed(x, range(100), perturbation, units=400)
    signals = record(model, x, drive=drive)
"""

import contextlib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from aru_keras.arguments import LARGEST_SIZE, checked_indices, finite, one_of, shown, whole
from aru_keras.composition import (
    Drive,
    Perturbation,
    Perturbations,
    composed,
)

__all__ = [
    "Contrast",
    "Drive",
    "NoisyDrive",
    "Perturbation",
    "Perturbations",
    "StepDrive",
    "as_perturbation",
    "from_config",
    "parse",
]

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
                _set(self, name, whole(name, getattr(self, name), least, hint=hint))

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
    kind: ClassVar[str] = "step"
    _skipped: ClassVar[int] = 1

    def __post_init__(self):
        _set(self, "amplitude", finite("amplitude", self.amplitude))
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
    kind: ClassVar[str] = "noise"
    per_unit = True

    def __post_init__(self):
        _set(self, "mean", finite("mean", self.mean))
        _set(self, "variance", finite("variance", self.variance, least=0))
        _set(self, "seed", whole("seed", self.seed, 0, most=2**64 - 1))
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
    kind: ClassVar[str] = "contrast"

    def __post_init__(self):
        for item in fields(self):
            _set(self, item.name, finite(item.name, getattr(self, item.name)))

    def factors(self, timesteps):
        t = np.arange(whole("timesteps", timesteps, 1, most=LARGEST_SIZE))
        angle = 2 * np.pi * self.frequency * t / timesteps + self.phase
        return [(1 + self.amplitude * np.sin(angle)).astype("float32")]


KINDS = {one.kind: one for one in (StepDrive, NoisyDrive, Contrast)}
"""The perturbations by the names of `parse` and `from_config`."""


def as_perturbation(value) -> Perturbation:
    """A perturbation from whatever stands for one.

    Args:
        value: None for no perturbation; a `Perturbation`; text for `parse`; a list of
            perturbations and of the dicts of `to_config`.

    Raises:
        ValueError: `value` is something else, or it holds a wrong name or number.
    """
    if value is None:
        return Perturbations()
    if isinstance(value, Perturbation):
        return value
    if isinstance(value, str):
        return parse(value)
    if isinstance(value, list | tuple):
        return _from_list(value, "perturbation")
    raise ValueError(
        "`perturbation` must be a perturbation, a list of them or of their configurations, text "
        f'such as "step:5+contrast:0.5", or None. Received: {shown(value)}.'
    )


def from_config(config: Iterable[Mapping | Perturbation]) -> Perturbation:
    """The perturbation that `to_config` described; perturbations in the list stay as they are.

    Raises:
        ValueError: `config` is no such list, or a name or number in it is wrong.
    """
    if not isinstance(config, list | tuple):
        raise ValueError(
            f"`config` must be a list, as `to_config` gives. Received: {shown(config)}."
        )
    return _from_list(config, "config")


def _from_list(items, argument):
    return composed([part for one in items for part in _part_from_config(one, argument).parts])


def parse(text: str) -> Perturbation:
    """A perturbation as it is written on a command line.

    A kind (`step`, `noise`, `contrast`), and after a colon its values, in order or by name;
    several are joined by "+". "none" is no perturbation. Examples: "step:5",
    "noise:mean=5,variance=2,seed=3", "step:5,start=20+contrast:0.5,phase=1.57".

    Raises:
        ValueError: an unknown kind or name, or a value that is no number or out of its range.
    """
    if not isinstance(text, str):
        raise ValueError(f"`text` must be text such as 'step:5'. Received: {shown(text)}.")
    # The plus of a number, as in 1e+5, has a digit behind it.
    parts = [part.strip() for part in re.split(r"\+(?![\d.])", text)]
    return composed([_parse_one(part) for part in parts if part != "none"])


def _parse_one(text):
    kind, colon, listed = text.partition(":")
    kind = one_of("perturbation", kind.strip(), KINDS)
    items, names = listed.split(",") if colon else [], _names(kind)
    plain = [item for item in items if "=" not in item]
    if items[: len(plain)] != plain or len(plain) > len(names):
        raise ValueError(
            f"`{kind}` takes {', '.join(names)}, in this order or by name; values without a name "
            f"come first. Received: {text!r}. For example {kind}:{names[0]}=1."
        )
    named = [item.split("=", 1) for item in items[len(plain) :]]
    values = {}
    for name, number in [*zip(names, plain, strict=False), *named]:
        name = one_of(f"value of {kind}", name.strip(), names)
        if name in values:
            raise ValueError(f"`{name}` must be given once. Received: {text!r}.")
        values[name] = _read_number(name, number.strip(), text)
    return KINDS[kind](**values)


def _read_number(name, number, text):
    for read in (int, float):
        with contextlib.suppress(ValueError):
            return read(number)
    raise ValueError(f"`{name}` must be a number. Received: {number!r} in {text!r}.")


def _part_from_config(config, argument):
    if isinstance(config, Perturbation):
        return config
    if not isinstance(config, Mapping) or "kind" not in config:
        raise ValueError(
            f"Each item of `{argument}` must be a perturbation or a dict such as "
            f'{{"kind": "step", "amplitude": 5}}. Received: {shown(config)}.'
        )
    values = {name: value for name, value in config.items() if name != "kind"}
    kind = one_of("kind", config["kind"], KINDS)
    for name in values:
        one_of(f"value of {kind}", name, _names(kind))
    return KINDS[kind](**values)


def _names(kind):
    return [item.name for item in fields(KINDS[kind])]


def _set(perturbation, name, value):
    object.__setattr__(perturbation, name, value)  # The values are frozen for everyone else.
