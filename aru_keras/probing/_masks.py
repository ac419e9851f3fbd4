"""Masks of the steps that a recording skips."""

from typing import Any

import keras
import numpy as np
from keras import ops

from aru_keras._util.arguments import shown
from aru_keras._util.conversions import numbers_in


def zeroed(x: Any, mask: Any) -> Any:
    """Sequences with 0 at the steps that a mask skips, whose values may even be NaN."""
    values = _array(mask)
    numbers = numbers_in(x) if values.size else None
    if numbers is None or numbers.ndim != 3 or values.shape != numbers.shape[:2]:
        return x  # An encoder may shorten the sequences, and the mask is of what it gives.
    return np.where(values.astype(bool)[..., None], numbers, 0)


def checked_mask(mask: Any, batch: int, steps: int | None = None) -> np.ndarray:
    """The mask as an array, (B, T) bool.

    Raises:
        ValueError: If it has another shape, or values that are neither numbers nor booleans.
    """
    values = _array(mask)
    if values.ndim != 2 or len(values) != batch or steps not in (None, values.shape[1]):
        received = f"mask.shape={values.shape}" if isinstance(mask, np.ndarray) else shown(mask)
        raise ValueError(
            f"`mask` must be (batch, time) = ({batch}, {'T' if steps is None else steps}), False "
            f"at the steps to skip. Received: {received}."
        )
    return values.astype(bool)


def _array(mask):
    """A mask as an array of numbers; one without an element where it is none."""
    try:
        values = np.empty(0) if mask is None else ops.convert_to_numpy(mask)
    except (TypeError, ValueError, OverflowError):
        return np.empty(0)
    return values if values.dtype.kind in "biuf" else np.empty(0)


def filled(values: np.ndarray, mask: np.ndarray, how: str) -> np.ndarray:
    """Values (B, T, …) with NaN, or with the last values before, at the skipped steps."""
    if how == "nan":
        return np.where(mask[..., None], values, np.asarray(np.nan, values.dtype))
    last = np.maximum.accumulate(np.where(mask, np.arange(mask.shape[1]), -1), axis=1)
    held = np.take_along_axis(values, np.maximum(last, 0)[..., None], axis=1)
    return np.where(last[..., None] < 0, np.asarray(0, values.dtype), held)


def mask_of_states(mask, state):
    """A mask (B,) bool of the states of B sequences; only its shape and dtype are looked at."""
    mask, batch = mask if hasattr(mask, "dtype") else np.asarray(mask), state[0].shape[0]
    numpy = isinstance(mask, np.ndarray)
    dtype = mask.dtype if numpy else keras.backend.standardize_dtype(mask.dtype)
    if tuple(mask.shape) != (batch,) or dtype != "bool":
        raise ValueError(
            f"`mask` must be (B,) bool, with B = {batch} sequences of the states. Received: "
            f"{dtype} of shape {tuple(mask.shape)}."
        )
    return mask
