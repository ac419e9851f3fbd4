"""A current of one's own into the units."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from aru_keras.arguments import LARGEST_SIZE, array, whole
from aru_keras.composition import Drive, Perturbation, kind_field, set_value


def _read_values(name, value, text):
    """Numbers with spaces between, or what a .npy file holds."""
    try:
        if value.endswith(".npy"):
            return np.load(value, allow_pickle=False)
        return [float(number) for number in value.split()]
    except (OSError, ValueError, EOFError, MemoryError) as error:
        raise ValueError(
            f"`{name}` must be numbers with spaces between, or the path of a .npy file with an "
            f"array (T′,) or (T′, N). Received: {value!r} in {text!r} ({error})."
        ) from error


@dataclass(frozen=True, repr=False)
class Waveform(Perturbation):
    """A drive given as an array: ξ_t = values[t − t0] where t0 ≤ t < t0 + T′, elsewhere 0.

    What stands beyond the end of a sequence is cut off.

    Attributes:
        values: ξ, (T′,) for all units alike, or (T′, N) with a column for each unit. Kept as a
            tuple of numbers, or of a tuple a step.
        start: t0 in steps.

    Raises:
        ValueError: `values` is no such array of finite numbers, or `start` is no step.

    Example:
        >>> Waveform(2 * np.sin(2 * np.pi * np.arange(64) / 16))
    """

    values: tuple
    start: int = 0
    kind: str = kind_field("waveform")
    has_drive = True
    readers: ClassVar[dict] = {"values": _read_values}

    def __post_init__(self):
        values = _checked_values(self.values)
        set_value(self, "values", _tuples(values))
        set_value(self, "start", whole("start", self.start, 0))

    def __repr__(self) -> str:
        return f"Waveform(values=<array {self._array.shape}>, start={self.start})"

    @property
    def per_unit(self) -> bool:
        return self._array.ndim == 2

    def drives(self, indices, timesteps, units=None):
        steps, own = whole("timesteps", timesteps, 1, most=LARGEST_SIZE) - self.start, self._array
        if steps < 1:
            raise ValueError(
                f"Waveform needs a step t ≥ {self.start} in the sequence. Received: "
                f"T = {timesteps}. Choose another `start`."
            )
        if self.per_unit and units not in (None, own.shape[1]):
            raise ValueError(
                "`values` of a Waveform must have a column for each of the network's units. "
                f"Received: {own.shape[1]} columns for N = {units}. One column, (T′,), drives "
                "all units alike."
            )
        return [Drive(self.start, own[:steps].reshape(1, min(len(own), steps), -1))]

    @cached_property
    def _array(self):
        values = np.array(self.values, "float32")
        values.setflags(write=False)
        return values


def _checked_values(values):
    what = (
        "an array of finite numbers, (T′,) for all units or (T′, N) with one for each, in the "
        "range of float32"
    )
    found = array("values", values, ("T′",), ("T′", "N"), what=what)
    return found[:, 0] if found.ndim == 2 and found.shape[1] == 1 else found


def _tuples(values):
    return tuple(map(tuple, values.tolist())) if values.ndim == 2 else tuple(values.tolist())
