"""Minimisation of many functions of one variable at once."""

from collections.abc import Callable

import numpy as np

_RATIO = (np.sqrt(5) - 1) / 2


def golden_section(
    function: Callable, low: np.ndarray, high: np.ndarray, refinements: int
) -> np.ndarray:
    """The arguments between `low` and `high` that minimize a function, elementwise.

    Args:
        function: Elementwise function of an array of the shape of `low`, with a single minimum in
            each interval.
        low: Lower ends of the intervals.
        high: Upper ends of the intervals.
        refinements: Number of steps. Each shortens the intervals to 0.618 of their length.
    """
    for _ in range(refinements):
        length = _RATIO * (high - low)
        left, right = high - length, low + length
        falling = function(left) > function(right)
        low, high = np.where(falling, left, low), np.where(falling, high, right)
    return (low + high) / 2
