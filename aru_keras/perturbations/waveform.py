"""A drive that is given as an array over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from aru_keras._util.arguments import LARGEST_SIZE, array, whole
from aru_keras.perturbations._fields import kind_field, set_value
from aru_keras.perturbations.base import Drive, Perturbation


def _read_values(name: str, value: str, text: str) -> Any:
    """Numbers separated by spaces, or the array in a .npy file."""
    try:
        if value.endswith(".npy"):
            return np.load(value, allow_pickle=False)
        return [float(number) for number in value.split()]
    except (OSError, ValueError, EOFError, MemoryError) as error:
        raise ValueError(
            f"`{name}` must be numbers with spaces between them, or the path of a .npy file that "
            f"holds an array (T′,) or (T′, N). Received: {value!r} in {text!r} ({error})."
        ) from error


@dataclass(frozen=True, repr=False)
class Waveform(Perturbation):
    """A drive given as an array: ξ_t = values[t − t0] where t0 ≤ t < t0 + T′, and 0 elsewhere.

    Values beyond the end of a sequence are ignored.

    Attributes:
        values: The drive ξ, (T′,) for all units alike, or (T′, N) with a column for each unit. It
            is stored as a tuple of numbers, or as a tuple of one tuple for each step.
        start: The step t0.

    Raises:
        ValueError: If `values` is not such an array of finite numbers, or `start` is not a step.

    Example:
        >>> Waveform(2 * np.sin(2 * np.pi * np.arange(64) / 16))
        Waveform(values=<array (64,)>, start=0)
    """

    values: Any
    start: int = 0
    kind: str = kind_field("waveform")
    has_drive = True
    readers: ClassVar = {"values": _read_values}

    def __post_init__(self) -> None:
        set_value(self, "values", _tuples(_checked_values(self.values)))
        set_value(self, "start", whole("start", self.start, 0))

    def __repr__(self) -> str:
        return f"Waveform(values=<array {self._array.shape}>, start={self.start})"

    @property
    def per_unit(self) -> bool:  # type: ignore[override]
        """Whether there is a column for each unit."""
        return self._array.ndim == 2

    def drives(
        self, indices: Sequence[int], timesteps: int, units: int | None = None
    ) -> list[Drive]:
        """The values from `start` to the end of the sequence, the same for all images.

        Raises:
            ValueError: If no value lies in the sequence, or the columns do not match `units`.
        """
        steps = whole("timesteps", timesteps, 1, most=LARGEST_SIZE) - self.start
        values = self._array
        if steps < 1:
            raise ValueError(
                f"Waveform needs a step t ≥ {self.start} in the sequence. Received: "
                f"T = {timesteps}. Choose another `start`."
            )
        if self.per_unit and units not in (None, values.shape[1]):
            raise ValueError(
                "`values` of a Waveform must have a column for each of the network's units. "
                f"Received: {values.shape[1]} columns for N = {units}. Values of shape (T′,) "
                "drive all units alike."
            )
        return [Drive(self.start, values[:steps].reshape(1, min(len(values), steps), -1))]

    @cached_property
    def _array(self) -> np.ndarray:
        values = np.array(self.values, "float32")
        values.setflags(write=False)
        return values


def _checked_values(values: Any) -> np.ndarray:
    expected = (
        "an array of finite numbers, (T′,) for all units or (T′, N) with a column for each unit, "
        "in the range of float32"
    )
    checked = array("values", values, ("T′",), ("T′", "N"), what=expected)
    return checked[:, 0] if checked.ndim == 2 and checked.shape[1] == 1 else checked


def _tuples(values: np.ndarray) -> tuple:
    return tuple(map(tuple, values.tolist())) if values.ndim == 2 else tuple(values.tolist())
