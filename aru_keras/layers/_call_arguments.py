"""Checks of what a recurrent layer is called with."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from aru_keras._util.types import Tensor


def checked_mask(mask: Any, sequences: Tensor) -> Tensor | None:
    """The mask of sequences as booleans, (B, T), or None.

    Raises:
        ValueError: If the mask is not (B, T) or (B, T, 1).
    """
    if mask is None:
        return None
    mask = ops.cast(mask if hasattr(mask, "shape") else ops.convert_to_tensor(mask), "bool")
    wanted, shape = tuple(sequences.shape[:2]), tuple(mask.shape)
    if not (_agree(shape, wanted) or _agree(shape, (*wanted, 1))):
        raise ValueError(
            f"`mask` must be (batch, time) = {wanted}, False at the steps to skip. Received: "
            f"mask.shape={shape}."
        )
    return mask if len(shape) == 2 else mask[..., 0]


def checked_states(
    states: Any, sequences: Tensor, widths: Sequence[int], dtypes: Sequence[str]
) -> list[Tensor]:
    """The states before the first step as tensors.

    Args:
        states: The states as they were given: a list, or a single state.
        sequences: Input x, (B, T, I).
        widths: Width of each state.
        dtypes: Dtype of each state.

    Raises:
        ValueError: If they are not one state for each width, (B, width).
    """
    states = states if isinstance(states, list | tuple) else [states]
    wanted = [(sequences.shape[0], width) for width in widths]
    shapes = [tuple(np.shape(state)) for state in states]
    if len(states) != len(wanted) or not all(map(_agree, shapes, wanted)):
        raise ValueError(
            f"`initial_state` must be a list of tensors of shapes {wanted}. Received: {shapes}."
        )
    return [
        ops.convert_to_tensor(state, dtype=dtype)
        for state, dtype in zip(states, dtypes, strict=True)
    ]


def _agree(shape, wanted):
    """Whether two shapes are equal, as far as a graph knows them."""
    return len(shape) == len(wanted) and all(
        None in (size, other) or size == other for size, other in zip(shape, wanted, strict=True)
    )
