"""Directional derivatives of any function, by central differences."""

from collections.abc import Callable

import numpy as np

from aru_keras._util.numerics import NetworkOverflowError

_AT_ONCE = 2**22  # Largest number of values in one call of the function; they take 32 MB.


def directional_differences(
    function: Callable, h: np.ndarray, directions: np.ndarray, step: float
) -> np.ndarray:
    """J(h)·v, (…, k, N), as (F(h + t·v) − F(h − t·v))/2t, in as few calls of F as memory allows.

    Args:
        function: F, from states (…, N), with any leading axes, to (…, N).
        h: States, (…, N).
        directions: Directions v, (…, k, N). The derivative in a direction v = 0 is 0.
        step: Largest displacement of a component, in units of max(1, |h_i|). It determines t.

    Raises:
        NetworkOverflowError: F is not finite at h ± t·v.
    """
    pushed = np.empty(directions.shape)
    count = max(1, _AT_ONCE // max(1, 2 * h.size))
    for first in range(0, directions.shape[-2], count):
        some = slice(first, first + count)
        moved = _along(function, h, np.moveaxis(directions[..., some, :], -2, 0), step)
        pushed[..., some, :] = np.moveaxis(moved, 0, -2)
    return pushed


def _along(function, h, directions, step):
    """The derivatives in directions (k, …, N)."""
    reach = (np.abs(directions) / np.maximum(np.abs(h), 1)).max(axis=-1, keepdims=True)
    reach = step / np.where(reach > 0, reach, 1)
    # The difference is taken in float64, so that it adds no rounding to that of F.
    values = function(np.stack([h + reach * directions, h - reach * directions])).astype("float64")
    if not np.isfinite(values).all():
        raise NetworkOverflowError(
            "`function` must be finite at a distance of the step from its states. Received: NaN or "
            f"infinity, of states as large as {np.abs(h).max():.3g}. A map that diverges has no "
            "derivative; next to the edge of its domain give `jacobian`."
        )
    return (values[0] - values[1]) / (2 * reach)
