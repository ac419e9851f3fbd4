"""Descriptions of the arrays that an experiment saves."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Array:
    """A description of an array that an experiment saves.

    Attributes:
        axes: Names of the axes, separated by spaces. Axes of the same name have the same length in
            a file, and the length in `presets.Preset.sizes` if it is there.
        least: Smallest allowed value.
        most: Largest allowed value.
        optional: Whether the array may be missing for some networks.
    """

    axes: str = ""
    least: float = -np.inf
    most: float = np.inf
    optional: bool = False

    def check(self, name: str, value: np.ndarray | None, sizes: dict[str, int]) -> None:
        """Check an array of this name, and add the lengths of its axes to `sizes`.

        Raises:
            ValueError: It is missing, of another shape, or out of its range.
        """
        if value is None:
            if self.optional:
                return
            raise ValueError(f"no {name} in it")
        axes = self.axes.split()
        wanted = [int(axis) if axis.isdigit() else sizes.get(axis, axis) for axis in axes]
        fits = value.ndim == len(axes) and all(
            length == (int(axis) if axis.isdigit() else sizes.setdefault(axis, length))
            for axis, length in zip(axes, value.shape, strict=True)
        )
        if not fits:
            raise ValueError(f"{name} must be ({', '.join(map(str, wanted))}), not {value.shape}")
        bounded = self.least > -np.inf or self.most < np.inf
        if bounded and not ((self.least <= value) & (value <= self.most)).all():
            raise ValueError(f"{name} must be from {self.least:g} to {self.most:g}")


SHARE = Array(least=0, most=1)
"""A single accuracy."""
