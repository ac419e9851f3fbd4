"""What perturbations have in common, and perturbations one after another.

The perturbations themselves are in `aru_keras.perturbations`.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import ClassVar

import numpy as np

from aru_keras.arguments import LARGEST_SIZE, array, finite, shown, whole


@dataclass(frozen=True, eq=False)
class Drive:
    """A drive ξ inside its window of steps; outside it is 0.

    Attributes:
        first: the first step inside.
        values: ξ from there on, (B or 1, τ′, 1 or N) float32, for τ′ steps.
    """

    first: int
    values: np.ndarray


class Perturbation:
    """What every perturbation, and every composition of them, can say.

    Attributes:
        kind: its name in configurations; compositions have none. In a dataclass it is a field, so
            that `dataclasses.asdict`, of which Gymnasium makes its specs, keeps it.
        has_drive: whether a drive is added to the pre-activations.
        per_unit: whether the drive differs between units, so that `units` must be given.
    """

    kind: str
    readers: ClassVar[dict] = {}
    """How values that are no plain numbers are read from text: functions of name, value, text."""
    has_drive: bool = False
    per_unit: bool = False

    @property
    def parts(self) -> tuple["Perturbation", ...]:
        """The perturbations that this one is composed of, in order; of a single one, itself."""
        return (self,)

    def __deepcopy__(self, memo) -> "Perturbation":
        """Itself: a perturbation never changes, and a waveform may be long."""
        return self

    def __add__(self, other: "Perturbation") -> "Perturbation":
        if not isinstance(other, Perturbation):
            return NotImplemented
        return composed((*self.parts, *other.parts))

    def factors(self, timesteps: int) -> list[np.ndarray]:
        """Tables (T,) float32 that positive pixels are multiplied by, one table after another.

        Args:
            timesteps: T; for whole images the number of pixels H·W.

        Returns:
            The tables in order. Empty where the pixels stay as they are.
        """
        return []

    def drives(
        self, indices: Sequence[int], timesteps: int, units: int | None = None
    ) -> list[Drive]:
        """The drives that add up to ξ, each only inside its window.

        Args:
            indices: B indices of images in their split.
            timesteps: T.
            units: N, needed where `per_unit`.

        Raises:
            ValueError: no step of a window lies in the sequence, or `units` is missing.
        """
        return []

    def drive(
        self, indices: Sequence[int], timesteps: int, units: int | None = None
    ) -> np.ndarray | None:
        """The whole drive ξ, (B or 1, T, 1 or N) float32: the windows added in order.

        Arguments and errors are those of `drives`.

        Returns:
            ξ, or None where there is no drive.
        """
        drives = self.drives(indices, timesteps, units)
        if not drives:
            return None
        images, _, width = np.broadcast_shapes(*(d.values[:, :1].shape for d in drives))
        total = np.zeros((images, timesteps, width), "float32")
        for one in drives:
            total[:, one.first : one.first + one.values.shape[1]] += one.values
        return total

    def pixels(self, x: np.ndarray) -> np.ndarray:
        """Pixels after the change of contrast.

        Args:
            x: sequences (B, T) or (B, T, I), or whole images (B, H, W, C).

        Returns:
            An array like `x`, float32; `x` itself where it is float32 and nothing changes.

        Raises:
            ValueError: `x` has another number of axes.
        """
        x = array("x", x, dtype="float32")
        return self.changed_pixels(x)

    def changed_pixels(self, x: np.ndarray) -> np.ndarray:
        """`pixels`, of float32 pixels that are known to be finite."""
        if x.ndim not in (2, 3, 4):
            raise ValueError(
                "`x` must be sequences (B, T) or (B, T, I), or images (B, H, W, C). "
                f"Received: x.shape={x.shape}. A single example needs a batch axis: x[None]."
            )
        grid = x.shape[1:2] if x.ndim < 4 else x.shape[1:3]
        for factor in self.factors(math.prod(grid)):
            factor = factor.reshape(*grid, *[1] * (x.ndim - 1 - len(grid)))
            x = np.where(x > 0, x * factor, x)
        return x

    def pixel_range(self, low: float, high: float, timesteps: int) -> tuple[float, float]:
        """The least and the greatest value that pixels in [low, high] can take afterwards.

        Args:
            low: the least value before.
            high: the greatest value before.
            timesteps: T; for whole images the number of pixels H·W.

        Raises:
            ValueError: `low` is above `high`, or one of them is not finite.
        """
        if not finite("low", low) <= finite("high", high):
            raise ValueError(f"`low` must not be above `high`. Received: {low} and {high}.")
        # All positive values go one monotone way at a step, and no value crosses 0 to meet them.
        ends = np.array([low, np.clip(0, low, high), high], "float32")
        timesteps = whole("timesteps", timesteps, 1, most=LARGEST_SIZE)
        reached = self.pixels(np.repeat(ends[:, None], timesteps, 1))
        return float(reached.min()), float(reached.max())

    def to_config(self) -> list[dict]:
        """A JSON-able list: `from_config` makes this perturbation again."""
        return [{"kind": part.kind, **asdict(part)} for part in self.parts]


@dataclass(frozen=True)
class Perturbations(Perturbation):
    """Perturbations one after another. Made by `+`; `Perturbations()` leaves all as it is.

    Tables of factors are applied in order, drives are added. Compositions among `parts` are
    flattened.

    Raises:
        ValueError: a part is no perturbation.
    """

    parts: tuple[Perturbation, ...] = ()

    def __post_init__(self):
        parts = self.parts if isinstance(self.parts, tuple | list) else [self.parts]
        for part in parts:
            if not isinstance(part, Perturbation):
                raise ValueError(
                    f"`parts` must hold perturbations. Received: {shown(part)}. "
                    "`as_perturbation` makes them from text and dicts."
                )
        object.__setattr__(self, "parts", tuple(one for part in parts for one in part.parts))

    @property
    def has_drive(self) -> bool:
        return any(part.has_drive for part in self.parts)

    @property
    def per_unit(self) -> bool:
        return any(part.per_unit for part in self.parts)

    def factors(self, timesteps):
        return [factor for part in self.parts for factor in part.factors(timesteps)]

    def drives(self, indices, timesteps, units=None):
        return [one for part in self.parts for one in part.drives(indices, timesteps, units)]


def composed(parts: Sequence[Perturbation]) -> Perturbation:
    """The parts as one perturbation: a single one is itself."""
    return parts[0] if len(parts) == 1 else Perturbations(tuple(parts))


def kind_field(kind: str):
    """The field `kind` of a perturbation's dataclass: nobody sets it, and it compares nothing."""
    return field(default=kind, init=False, repr=False, compare=False)


def set_value(perturbation: Perturbation, name: str, value: object) -> None:
    """Set a checked value of a perturbation, whose values are frozen for everyone else."""
    object.__setattr__(perturbation, name, value)
