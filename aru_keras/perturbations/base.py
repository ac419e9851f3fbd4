"""The base class of all perturbations, and their composition.

The perturbations themselves are in `aru_keras.perturbations`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from aru_keras._util.arguments import LARGEST_SIZE, array, finite, shown, whole
from aru_keras._util.deprecated import warn
from aru_keras.perturbations._examples import checked_examples
from aru_keras.perturbations._fields import as_text


@dataclass(frozen=True, eq=False)
class Drive:
    """A drive ξ inside its window of steps. Outside the window ξ is 0.

    Attributes:
        first: The first step t of the window.
        values: The values of ξ from `first` on, (B or 1, τ′, 1 or N) float32, for a window of
            τ′ steps.
    """

    first: int
    values: np.ndarray


class Perturbation:
    """The base class of perturbations, single or composed.

    Attributes:
        kind: The name of the perturbation in configurations; a composition has none. In a
            dataclass it is a field, so that `dataclasses.asdict`, from which Gymnasium makes its
            specs, includes it.
        has_drive: Whether the perturbation adds a drive to the pre-activations.
        per_unit: Whether the drive differs between units, so that `units` must be given.
        bounded: Whether the changed inputs have bounds, which those with noise have not.
    """

    kind: str
    readers: ClassVar[Mapping[str, Callable[[str, str, str], Any]]] = {}
    """Functions (name, value, text) that read a value that is not a plain number from text."""
    writers: ClassVar[Mapping[str, Callable[[Any], str]]] = {}
    """Functions that write such a value as text."""
    has_drive: bool = False
    per_unit: bool = False
    bounded: bool = True

    @property
    def components(self) -> tuple["Perturbation", ...]:
        """The perturbations of a composition, in order; a single perturbation is its only one."""
        return (self,)

    @property
    def parts(self) -> tuple["Perturbation", ...]:
        """Deprecated name of `components`."""
        warn("Perturbation.parts", "Perturbation.components")
        return self.components

    def __deepcopy__(self, memo: dict) -> "Perturbation":
        """Return the perturbation itself, because it never changes and a waveform may be long."""
        return self

    def __add__(self, other: "Perturbation") -> "Perturbation":
        if not isinstance(other, Perturbation):
            return NotImplemented
        return Perturbations.of(self, other)

    def factors(self, timesteps: int) -> list[np.ndarray]:
        """Factors by which positive pixels are multiplied.

        Args:
            timesteps: The number of steps T; for whole images the number of pixels H·W.

        Returns:
            Arrays (T,) float32 that are applied one after another. The list is empty if the
            perturbation leaves the pixels as they are.
        """
        return []

    def drives(
        self, indices: Sequence[int], timesteps: int, units: int | None = None
    ) -> list[Drive]:
        """The drives whose sum is ξ, each given inside its window only.

        Args:
            indices: The indices of B images in their split.
            timesteps: The number of steps T.
            units: The number of units N, which is needed if `per_unit`.

        Raises:
            ValueError: If no step of a window lies in the sequence, or `units` is missing.
        """
        return []

    def drive(
        self, indices: Sequence[int], timesteps: int, units: int | None = None
    ) -> np.ndarray | None:
        """The whole drive ξ, (B or 1, T, 1 or N) float32; None if there is no drive.

        The arguments and errors are those of `drives`, whose results are added in order.
        """
        drives = self.drives(indices, timesteps, units)
        if not drives:
            return None
        images, _, width = np.broadcast_shapes(*(drive.values[:, :1].shape for drive in drives))
        total = np.zeros((images, timesteps, width), "float32")
        for drive in drives:
            total[:, drive.first : drive.first + drive.values.shape[1]] += drive.values
        return total

    def pixels(
        self,
        x: np.ndarray,
        indices: Sequence[int] | None = None,
        channels: Sequence[str] = (),
    ) -> np.ndarray:
        """Inputs after the change of contrast, and with input noise.

        Args:
            x: Sequences (B, T) or (B, T, I), or whole images (B, H, W, C).
            indices: The indices of the B examples in their split, on which input noise depends.
            channels: The names of the I channels, which a contrast of some of them may name.

        Returns:
            A float32 array of the shape of `x`. If `x` is float32 and nothing changes, it is `x`
            itself.

        Raises:
            ValueError: If `x` has another number of axes, there is input noise and no `indices`,
                or a channel is not there.
        """
        x = array("x", x, dtype="float32")
        return self.changed_pixels(x, *checked_examples(x, indices, channels))

    def changed_pixels(
        self,
        x: np.ndarray,
        indices: Sequence[int] | None = None,
        channels: Sequence[str] = (),
    ) -> np.ndarray:
        """`pixels` of a float32 array that is known to be finite, without checking it again.

        The arguments are those of `pixels`.
        """
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
        """The smallest and the largest value that perturbed pixels, of one channel, can have.

        `input_range` is for several channels.

        Args:
            low: The smallest value of a pixel before the perturbation.
            high: The largest value of a pixel before the perturbation.
            timesteps: The number of steps T; for whole images the number of pixels H·W.

        Raises:
            ValueError: If `low` is above `high`, or one of them is not finite.
        """
        if not finite("low", low) <= finite("high", high):
            raise ValueError(f"`low` must not be above `high`. Received: {low} and {high}.")
        timesteps = whole("timesteps", timesteps, 1, most=LARGEST_SIZE)
        least, most = self.input_range(np.array([low]), np.array([high]), timesteps)
        return float(least[0]), float(most[0])

    def input_range(
        self, low: np.ndarray, high: np.ndarray, timesteps: int, channels: Sequence[str] = ()
    ) -> tuple[np.ndarray, np.ndarray]:
        """The smallest and the largest value of each channel, (I,) each, after the perturbation.

        Args:
            low: The smallest values before it, (I,).
            high: The largest values before it, (I,).
            timesteps: The number of steps T.
            channels: The names of the I channels.
        """
        if not self.bounded:
            return np.full(low.shape, -np.inf, "float32"), np.full(low.shape, np.inf, "float32")
        # At each step the change is monotone on the positive values and keeps all others, so the
        # extremes are reached from `low`, 0 or `high`.
        ends = np.array([low, np.clip(0, low, high), high], "float32")[:, None]
        reached = self.changed_pixels(np.repeat(ends, timesteps, axis=1), channels=channels)
        return reached.min(axis=(0, 1)), reached.max(axis=(0, 1))

    def to_text(self) -> str:
        """Text from which `parse` makes this perturbation again, such as "step:5,start=16".

        Raises:
            ValueError: If a waveform has a column for each unit, which text cannot hold.
        """
        return "+".join(as_text(component) for component in self.components) or "none"

    def to_config(self) -> list[dict[str, Any]]:
        """A list that JSON can hold, from which `from_config` makes this perturbation again."""
        return [
            {"kind": component.kind, **asdict(component)}  # type: ignore[call-overload]
            for component in self.components
        ]


@dataclass(frozen=True, init=False)
class Perturbations(Perturbation):
    """A composition of perturbations, as `+` makes it.

    Factors of the pixels are applied in order, and drives are added. `Perturbations()` leaves
    everything as it is.

    Args:
        components: The perturbations in order. Compositions among them are flattened.
        **renamed: The deprecated name `parts` of `components`.

    Raises:
        ValueError: If a component is not a perturbation.
    """

    components: tuple[Perturbation, ...] = ()

    def __init__(self, components: Sequence[Perturbation] = (), **renamed: Any):
        if "parts" in renamed:
            warn("The argument `parts` of Perturbations", "`components`")
            components = renamed.pop("parts")
        if renamed:
            raise TypeError(f"Perturbations has no arguments {sorted(renamed)}: give `components`.")
        listed: Any = components if isinstance(components, tuple | list) else [components]
        for component in listed:
            if not isinstance(component, Perturbation):
                raise ValueError(
                    f"`components` must hold perturbations. Received: {shown(component)}. "
                    "`as_perturbation` makes perturbations from text and dicts."
                )
        flat = tuple(single for component in listed for single in component.components)
        object.__setattr__(self, "components", flat)

    @staticmethod
    def of(*components: Perturbation) -> Perturbation:
        """The components as one perturbation; a single component is returned as it is.

        Args:
            *components: Perturbations, among which there may be compositions.
        """
        composed = Perturbations(components)
        return composed.components[0] if len(composed.components) == 1 else composed

    @property
    def has_drive(self) -> bool:  # type: ignore[override]
        """Whether a component adds a drive."""
        return any(component.has_drive for component in self.components)

    @property
    def per_unit(self) -> bool:  # type: ignore[override]
        """Whether the drive of a component differs between units."""
        return any(component.per_unit for component in self.components)

    @property
    def bounded(self) -> bool:  # type: ignore[override]
        """Whether the inputs that all components have changed have bounds."""
        return all(component.bounded for component in self.components)

    def changed_pixels(
        self,
        x: np.ndarray,
        indices: Sequence[int] | None = None,
        channels: Sequence[str] = (),
    ) -> np.ndarray:
        """The changes of all components in order; see `Perturbation.changed_pixels`."""
        if not self.components:
            return super().changed_pixels(x)
        for component in self.components:
            x = component.changed_pixels(x, indices, channels)
        return x

    def factors(self, timesteps: int) -> list[np.ndarray]:
        """Factors of all components; see `Perturbation.factors`."""
        return [factor for component in self.components for factor in component.factors(timesteps)]

    def drives(
        self, indices: Sequence[int], timesteps: int, units: int | None = None
    ) -> list[Drive]:
        """Drives of all components; see `Perturbation.drives`."""
        return [
            drive
            for component in self.components
            for drive in component.drives(indices, timesteps, units)
        ]
