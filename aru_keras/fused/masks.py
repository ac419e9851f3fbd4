"""Masks of steps, which are None where all sequences take every step."""

from typing import Any

from keras import ops

from aru_keras._util.types import Tensor


def at(mask: Tensor | None, steps: Any) -> Tensor | None:
    """The mask at a step, or at a slice of steps."""
    return None if mask is None else mask[steps]


def where(mask: Tensor | None, value: Tensor, otherwise: Tensor | None = None) -> Tensor:
    """The value where the mask is True, elsewhere the other, or 0; without a mask the value."""
    if mask is None:
        return value
    return ops.where(mask, value, ops.zeros_like(value) if otherwise is None else otherwise)
