"""Minima of many functions of one number at once."""

from collections.abc import Callable

import numpy as np

_RATIO = (np.sqrt(5) - 1) / 2


def golden_section(function: Callable, low, high, refinements: int) -> np.ndarray:
    """The place of a minimum between `low` and `high`, elementwise, by golden section.

    Args:
        function: From places to values, of the shape of `low`; one valley between the two.
        low: Lower ends.
        high: Upper ends.
        refinements: Each shortens the intervals to 0.618 of their length.
    """
    for _ in range(refinements):
        length = _RATIO * (high - low)
        left, right = high - length, low + length
        falling = function(left) > function(right)
        low, high = np.where(falling, left, low), np.where(falling, high, right)
    return (low + high) / 2
