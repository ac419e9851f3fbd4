"""Steps that a recording skips."""

import numpy as np
from keras import ops

from aru_keras.arguments import shown


def counted(x, mask):
    """Sequences with 0 at the steps that a mask skips, which may hold anything."""
    arrays = isinstance(x, np.ndarray) and isinstance(mask, np.ndarray)
    if not arrays or x.ndim != 3 or mask.shape != x.shape[:2]:
        return x
    return np.where(mask.astype(bool)[..., None], x, 0)


def checked_mask(mask, batch, steps=None):
    """The mask as an array, (B, T) bool.

    Raises:
        ValueError: It is of another shape, or holds something else.
    """
    try:
        found = ops.convert_to_numpy(mask)
    except (TypeError, ValueError, OverflowError):
        found = np.empty(0)
    wrong = found.ndim != 2 or len(found) != batch or steps not in (None, found.shape[1])
    if wrong or found.dtype.kind not in "biuf":
        came = f"mask.shape={found.shape}" if isinstance(mask, np.ndarray) else shown(mask)
        raise ValueError(
            f"`mask` must be (batch, time) = ({batch}, {'T' if steps is None else steps}), False "
            f"at the steps to skip. Received: {came}."
        )
    return found.astype(bool)
