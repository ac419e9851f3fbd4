"""The steps over which a response is compared with its drive."""

import numpy as np
from numpy.typing import ArrayLike

from aru_keras._util.arguments import array

_LEAD, _TAIL, _REST = 22, 18, 77
"""How many steps the comparison begins before the drive, how many it ends after it, and how many
before the drive the response is at rest. The paper's step drive, 102 ≤ t < 202, is then compared in
80 ≤ t < 220, and at rest at t = 25."""


def compared_steps(drive: ArrayLike) -> tuple[tuple[int, int], int]:
    """The window around a drive in which its order is fitted, and the step of rest before it.

    Args:
        drive: The drive ξ, (T,).

    Returns:
        The first step of the window and the step after its last one; and the step of rest. Both are
        cut off at the ends of the recording. For a constant drive the window is the recording.

    Raises:
        ValueError: The drive is not (T,), or not finite.
    """
    drive = array("drive", drive, ("T",))
    changed = np.flatnonzero(drive != drive[0])
    if not changed.size:
        return (0, len(drive)), 0
    onset, end = int(changed[0]), int(changed[-1]) + 1
    return (max(onset - _LEAD, 0), min(end + _TAIL, len(drive))), max(onset - _REST, 0)
