"""The examples that a perturbation is given: their indices, and the names of their channels."""

from collections.abc import Sequence

import numpy as np

from aru_keras._util.arguments import checked_indices, shown
from aru_keras._util.conversions import listed


def checked_examples(
    x: np.ndarray, indices: Sequence[int] | None, channels: Sequence[str]
) -> tuple[np.ndarray | None, list[str]]:
    """The indices of the examples of `x`, if there are any, and the names of the channels.

    Raises:
        ValueError: If the indices are not as many, or a name is no text.
    """
    names = listed(channels)
    if not all(isinstance(name, str) for name in names):
        raise ValueError(
            f"`channels` must be the names of the channels. Received: {shown(channels)}."
        )
    if indices is None:
        return None, names
    checked = checked_indices(indices)
    if x.ndim and len(checked) != len(x):
        raise ValueError(
            f"`indices` must be those of the {len(x)} examples of `x`. Received: {len(checked)}."
        )
    return checked, names
