"""Checks of the arguments of a view."""

from collections.abc import Sequence

import numpy as np

from aru_keras._util.arguments import whole


def checked_shape(image_shape: Sequence[int]) -> tuple[int, ...]:
    """The height and the width of an image.

    Raises:
        ValueError: If they are not two whole numbers of at least 1.
    """
    if len(image_shape) != 2:
        raise ValueError(f"`image_shape` must be (H, W). Received: {image_shape!r}.")
    return tuple(whole("image_shape", side, 1) for side in image_shape)


def checked_indices(
    pixel_indices: Sequence[int] | np.ndarray, timesteps: int, image_shape: Sequence[int]
) -> np.ndarray:
    """The row-major indices of the pixels shown at each step, (T,).

    Raises:
        ValueError: If an index is not in the image, or there is another number of them.
    """
    indices = np.array(pixel_indices)
    if indices.shape != (timesteps,) or not np.issubdtype(indices.dtype, np.integer):
        raise ValueError(
            f"`pixel_indices` must be T = {timesteps} whole numbers, one for each step. "
            f"Received: shape {indices.shape}, {indices.dtype}. Use np.arange(T) for row by row."
        )
    size = image_shape[0] * image_shape[1]
    if indices.min() < 0 or indices.max() >= size:
        raise ValueError(
            f"`pixel_indices` must lie in 0…{size - 1}, the image being {image_shape}. "
            f"Received: {indices.min()}…{indices.max()}."
        )
    return indices


def checked_range(pixel_range: tuple[float, float]) -> tuple[float, float]:
    """The pixel values that are drawn black and white.

    Raises:
        ValueError: If the second is not above the first.
    """
    low, high = map(float, pixel_range)
    if not -np.inf < low < high < np.inf:
        raise ValueError(f"`pixel_range` must be (black, white), rising. Received: {pixel_range}.")
    return low, high


def checked_signal(name: str, values: np.ndarray | None, units: Sequence[int]) -> np.ndarray:
    """The values of a signal, one for each of the units drawn; NaN if there are none.

    Raises:
        ValueError: If there is another number of them.
    """
    if values is None:
        return np.full(len(units), np.nan)
    values = np.asarray(values, "float64")
    if values.shape != (len(units),):
        raise ValueError(
            f"`signals[{name!r}]` must have a value for each of the {len(units)} units drawn, "
            f"{units}. Received: shape {values.shape}."
        )
    return values
