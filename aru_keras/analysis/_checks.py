"""Checks that several analyses share."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from aru_keras._util.arguments import array, shown, wholes

ROUNDING = 1e-12
"""Range of numbers, relative to their size, up to which they count as constant."""


def is_constant(values: np.ndarray, axis: int | None = None) -> bool:
    """Whether numbers are all the same, or along an axis, but for rounding."""
    return bool(np.ptp(values, axis=axis).max() <= ROUNDING * np.abs(values).max())


def checked_kernel(recurrent_kernel: Any) -> np.ndarray:
    """W_hh as a float64 array.

    Raises:
        ValueError: The matrix is not square, or not finite.
    """
    expected = "a finite square matrix (N, N)"
    return array("recurrent_kernel", recurrent_kernel, ("N", "N"), what=expected)


def checked_function(argument: str, value: Any) -> Callable:
    """Return `value`, which must be a function.

    Raises:
        ValueError: `value` is not callable.
    """
    if not callable(value):
        raise ValueError(f"`{argument}` must be a function. Received: {shown(value)}.")
    return value


def checked_window(window: Any, steps: int) -> slice:
    """The window (first, last) as a slice of a recording of this number of steps.

    Raises:
        ValueError: `window` is not a pair of steps of the recording in ascending order.
    """
    try:
        first, last = wholes("window", window, 0)
        fits = first < last <= steps
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"`window` must be (first, last), 0 ≤ first < last ≤ T = {steps}. Received: "
            f"{shown(window)}."
        )
    return slice(first, last)


def unmasked(argument: str, recording: Any) -> Any:
    """Return a recording, which must have no masked steps, because an analysis averages over all.

    Args:
        argument: Name of the sequences, or of the recording.
        recording: Signals by name, with "mask", (B, T), if the network masks.

    Raises:
        ValueError: A step is masked.
    """
    mask = recording.get("mask") if isinstance(recording, Mapping) else None
    if mask is not None and not np.all(mask):
        short = np.count_nonzero(~np.all(mask, axis=1))
        raise ValueError(
            f"`{argument}` must have no masked steps, because means are over steps that all "
            f"sequences take. Received: {short} of {len(mask)} sequences with masked steps. Give "
            "sequences of one length."
        )
    return recording
