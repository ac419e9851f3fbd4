"""The whole sequence on torch: eager loops in one autograd function."""

from typing import Any

import torch

from aru_keras._util.types import Tensor
from aru_keras.fused.derivation import ARUStep
from aru_keras.fused.experimental.triton_loops import TritonLoops, kernel_applies
from aru_keras.fused.masks import at
from aru_keras.fused.plan import REVERSE_ALONE, blocks
from aru_keras.fused.recorded import Recorded
from aru_keras.fused.recurrent_dropout import RecurrentDropout
from aru_keras.fused.restarts import Restarting
from aru_keras.fused.step import State, Step, StepWeights
from aru_keras.fused.torch_aru import ARULoops
from aru_keras.fused.torch_loops import SegmentLoops, StepLoops


def sequence(
    step: Step,
    u: Tensor,
    state: State,
    weights: StepWeights,
    *,
    mask: Tensor | None = None,
    checkpoint_every: int | None = None,
    with_state: bool = False,
) -> tuple[Tensor, State]:
    """Run a step over a sequence; arguments and result are those of `fused.jax.sequence`.

    Raises:
        NotImplementedError: In forward mode, and under transforms of `torch.func`.
    """
    timesteps = len(u)
    if mask is not None:  # Nobody takes the last steps: all keep their h.
        numbers = torch.arange(1, timesteps + 1, device=mask.device)
        taken = max(1, int((mask[..., 0].any(1) * numbers).max()))
        u, mask = u[:taken], mask[:taken]
    try:
        h, last = _sequence(step, u, state, weights, mask, checkpoint_every, with_state)
    except RuntimeError as error:
        if any(
            sign in str(error)
            for sign in ("functorch", "forward AD", "forward mode", "Batching rule")
        ):
            raise NotImplementedError(f"{REVERSE_ALONE} and for torch.func.") from error
        raise
    if len(h) < timesteps:
        h = torch.cat([h, h[-1:].expand(timesteps - len(h), -1, -1)])
    return h, tuple(last if with_state else (value.detach() for value in last))


def _sequence(step, u, state, weights, mask, checkpoint_every, with_state):
    inputs = (u, *state, weights.recurrent_kernel, *weights.activation)
    segments = _segments(u, checkpoint_every)
    if torch.is_grad_enabled() and any(value.requires_grad for value in inputs):
        arguments = step, segments, mask, len(state), type(weights.activation), with_state
        h, *last = _Sequence.apply(*arguments, *inputs)
    else:
        loops = _loops(step, weights, mask)
        width = step.width if isinstance(step, Recorded) else None
        h, last, _ = _forward(loops, segments, u, state, mask, keep=False, width=width)
    return h, last


class _Sequence(torch.autograd.Function):
    """The sequence as one function of u, the state, W_hh and the activation's weights."""

    @staticmethod
    def forward(ctx, step, segments, mask, count, kind, with_state, u, *inputs):
        ctx.step, ctx.segments, ctx.count, ctx.kind, ctx.mask = step, segments, count, kind, mask
        state, weights = _unpacked(inputs, count, kind)
        h, last, saved = _forward(_loops(step, weights, mask), segments, u, state, mask, keep=True)
        if not with_state:
            ctx.mark_non_differentiable(*last)
        ctx.set_materialize_grads(False)
        ctx.inputs = len(inputs)
        ctx.save_for_backward(u, *inputs, h, *(value for values in saved for value in values))
        return h, *last

    @staticmethod
    def backward(ctx, dh, *dlast):
        u, *saved = ctx.saved_tensors
        inputs, h, residuals = saved[: ctx.inputs], saved[ctx.inputs], saved[ctx.inputs + 1 :]
        state, weights = _unpacked(inputs, ctx.count, ctx.kind)
        with torch.no_grad():
            dh = torch.zeros_like(h) if dh is None else dh
            dlast = [
                torch.zeros_like(value) if cotangent is None else cotangent
                for value, cotangent in zip(state, dlast, strict=True)
            ]
            loops = _loops(ctx.step, weights, ctx.mask)
            das, dstate, dactivation = _backward(
                loops, ctx.segments, u, state, ctx.mask, residuals, dh, dlast
            )
            before = torch.cat([state[0][None], h[:-1]])
            before = ctx.step.recurrent_inputs(state, before, ctx.mask)
            dkernel = before.flatten(0, 1).T @ das.flatten(0, 1)
            cotangents = das, *dstate, dkernel, *dactivation
        if torch.is_grad_enabled():
            cotangents = _DifferentiatedOnce.apply(len(cotangents), *cotangents, u, *inputs)
        return *[None] * 6, *cotangents


class _DifferentiatedOnce(torch.autograd.Function):
    """Gives its first `count` arguments back, and refuses to be differentiated."""

    @staticmethod
    def forward(ctx, count, *values):
        return tuple(value.clone() for value in values[:count])

    @staticmethod
    def backward(ctx, *_):
        raise NotImplementedError(
            "The whole-sequence path of a recurrent layer can be differentiated once. Make the "
            "layer with fused=False for gradients of gradients."
        )


def _unpacked(inputs, count, kind):
    """The state, of `count` tensors, and the weights, whose activation is a NamedTuple `kind`."""
    state, (recurrent_kernel, *activation) = inputs[:count], inputs[count:]
    return state, StepWeights(recurrent_kernel, kind(*activation))


def _segments(u, checkpoint_every):
    """Slices of steps, and whether the residuals of each are recomputed in the backward pass."""
    return [
        (slice(start, start + block.length), block.recompute)
        for block in blocks(len(u), checkpoint_every)
        for start in range(block.start, block.end, block.length)
    ]


def _forward(loops, segments, u, state, mask, *, keep, width=None):
    """h, the last state and, with `keep`, the tensors that each segment saves.

    That is its first state where its residuals are recomputed, else the residuals.
    """
    h, saved = u.new_empty(*u.shape[:2], width or u.shape[2]), []
    for segment, recompute in segments:
        before = state
        steps = u[segment], h[segment], at(mask, segment)
        last, residuals = loops.forward(state, *steps, keep=keep and not recompute)
        # They may be views of h, or of a buffer that the next segment overwrites.
        state = tuple(value.clone() for value in last)
        if keep:
            saved.append(before if recompute else residuals)
    return h, state, saved


def _backward(loops, segments, u, state, mask, saved, dh, dlast):
    das = u.new_empty(u.shape)
    carry = loops.begin_backward(state, dlast)
    size = len(saved) // len(segments)
    for index, (segment, recompute) in reversed(list(enumerate(segments))):
        of_segment = saved[index * size : (index + 1) * size]
        # No name is bound to recomputed residuals, which would keep those of one segment in memory
        # while the next are computed.
        carry = loops.backward(
            carry,
            dh[segment],
            _recomputed(loops, u[segment], of_segment, at(mask, segment))
            if recompute
            else of_segment,
            das[segment],
            at(mask, segment),
        )
    return das, *loops.end_backward(state, carry)


def _recomputed(loops, u, state, mask):
    _, residuals = loops.forward(state, u, u.new_empty(u.shape), mask, keep=True)
    return residuals


def _loops(step: Any, weights: Any, mask: Any) -> SegmentLoops:
    """The fastest loops for a step: kernels where they apply, else torch's own operations."""
    if isinstance(step, ARUStep) and mask is None and kernel_applies(weights):
        return TritonLoops(weights)
    inner, masked = (step.step, step.masked) if isinstance(step, Restarting) else (step, True)
    if isinstance(inner, ARUStep) or inner == RecurrentDropout(ARUStep()):
        return ARULoops(weights, masked)
    return StepLoops(step, weights)
