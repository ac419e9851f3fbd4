"""Loops over a segment of a sequence on torch: their contract, and those for any step."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

import torch

from aru_keras.fused.step import Step, StepWeights

Tensors: TypeAlias = Sequence[torch.Tensor]


class SegmentLoops(Protocol):
    """A `fused.step.Step`, with its weights, for a whole segment of T steps at a time.

    torch runs operations one by one, so that what is fast there is a matter of the whole loop:
    buffers that are written in place, or one kernel for all steps. `StepLoops` makes such loops of
    any step; others may stand in for it. The carry of the backward pass is theirs alone.
    """

    def forward(
        self,
        state: Tensors,
        u: torch.Tensor,
        h: torch.Tensor,
        mask: torch.Tensor | None = None,
        *,
        keep: bool,
    ) -> tuple[Tensors, Tensors]:
        """Run the steps of a segment.

        Args:
            state: State before the segment.
            u: What the input and the drive add to the pre-activations, (T, B, N).
            h: Buffer for the outputs, (T, B, N), which is written.
            mask: Which sequences take each step, (T, B, 1); None where all take all.
            keep: Whether to keep the residuals of the segment.

        Returns:
            `(state, residuals)`: the state after the segment, which may be views, and the residuals
            that `backward` takes; without `keep` they mean nothing.
        """
        ...

    def begin_backward(self, state: Tensors, dlast: Tensors) -> Any:
        """The carry of the backward pass after the last segment.

        Args:
            state: State before the first segment.
            dlast: Cotangents of the state after the last segment.
        """
        ...

    def backward(
        self,
        carry: Any,
        dh: torch.Tensor,
        residuals: Tensors,
        da: torch.Tensor,
        mask: torch.Tensor | None = None,
    ) -> Any:
        """Run the backward pass of a segment.

        Args:
            carry: Carry after the segment.
            dh: Cotangents of the outputs from outside of the recurrence, (T, B, N).
            residuals: Residuals of the segment.
            da: Buffer for the cotangents of u, (T, B, N), which is written.
            mask: As in `forward`.

        Returns:
            The carry before the segment.
        """
        ...

    def end_backward(self, state: Tensors, carry: Any) -> tuple[Tensors, Tensors]:
        """The cotangents of the state before the first segment, and of the activation's weights."""
        ...


def masks_of_steps(mask: torch.Tensor | None, count: int) -> list[torch.Tensor | None]:
    """The mask of each step, (B, 1 or 2), or None where all sequences take the step, and go on."""
    if mask is None:
        return [None] * count
    plain = mask[..., 0].all(1) & ~mask[..., 1:].flatten(1).any(1)
    return [None if all_take else mask[t] for t, all_take in enumerate(plain.tolist())]


def taken_and_starts(
    mask: torch.Tensor | None, count: int, masked: bool
) -> list[tuple[torch.Tensor | None, torch.Tensor | None]]:
    """Which sequences take each step, and which start anew there, (B, 1).

    Args:
        mask: (T, B, 1), or with the starts in a second column; None for neither.
        count: Number of steps T.
        masked: Whether sequences may skip steps.

    Returns:
        T pairs; None stands for all that take the step, and for none that start.
    """
    if mask is None or mask.shape[-1] == 1:
        return [(taken, None) for taken in masks_of_steps(mask, count)]
    taken = masks_of_steps(mask[..., :1] if masked else None, count)
    some = mask[..., 1].any(1).tolist()
    starts = [mask[t, :, 1:] if some_start else None for t, some_start in enumerate(some)]
    return list(zip(taken, starts, strict=True))


class StepLoops:
    """`SegmentLoops` of any step.

    Args:
        step: The step.
        weights: Weights of the step.
    """

    def __init__(self, step: Step, weights: StepWeights):
        self.step, self.weights = step, weights

    def forward(
        self,
        state: Tensors,
        u: torch.Tensor,
        h: torch.Tensor,
        mask: torch.Tensor | None = None,
        *,
        keep: bool,
    ) -> tuple[Tensors, Tensors]:
        carry, steps = self.step.begin(self.weights, tuple(state)), []
        for u_t, h_t, mask_t in zip(u, h, masks_of_steps(mask, len(u)), strict=True):
            carry, residuals = self.step.forward(self.weights, carry, u_t, mask_t)
            h_t.copy_(carry[0])
            if keep:
                steps.append(residuals)
        return self.step.end(carry), [torch.stack(values) for values in zip(*steps, strict=True)]

    def begin_backward(self, state: Tensors, dlast: Tensors) -> Any:
        return self.step.begin_backward(self.weights, tuple(state), tuple(dlast))

    def backward(
        self,
        carry: Any,
        dh: torch.Tensor,
        residuals: Tensors,
        da: torch.Tensor,
        mask: torch.Tensor | None = None,
    ) -> Any:
        masks = masks_of_steps(mask, len(dh))
        for t in reversed(range(len(dh))):
            of_step = tuple(values[t] for values in residuals)
            carry, da_t = self.step.backward(self.weights, carry, dh[t], of_step, masks[t])
            da[t].copy_(da_t)
        return carry

    def end_backward(self, state: Tensors, carry: Any) -> tuple[Tensors, Tensors]:
        return self.step.end_backward(self.weights, tuple(state), carry)
