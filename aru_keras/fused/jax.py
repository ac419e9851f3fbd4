"""The whole sequence on JAX: scans under a custom gradient."""

import functools

import jax
import jax.numpy as jnp

from aru_keras._util.types import Tensor
from aru_keras.fused.plan import REVERSE_ALONE, blocks
from aru_keras.fused.step import State, Step, StepWeights


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
    """Run a step over a sequence.

    Args:
        step: The step.
        u: What the input and the drive add to the pre-activations, (T, B, N).
        state: State before the first step.
        weights: Weights of the step.
        mask: Mask, (T, B, 1), False at the steps that a sequence skips; None where none does. For a
            `restarts.Restarting` it has two columns.
        checkpoint_every: Number of steps between checkpoints; None to keep all residuals.
        with_state: Whether the last state may be differentiated.

    Returns:
        `(h, state)`: h after every step, (T, B, N), and the state after the last step. A sequence
        that skips a step keeps its state.

    Raises:
        TypeError: In forward mode. Under `jax.jit` and `jax.linearize` the error is JAX's own.
    """
    plan = tuple(blocks(u.shape[0], checkpoint_every, with_state=with_state))
    try:
        h, last = _run(step, plan, mask, u, tuple(state), weights)
    except TypeError as error:
        if "forward-mode" in str(error):
            raise TypeError(f"{REVERSE_ALONE}.") from error
        raise
    return h, last if with_state else jax.lax.stop_gradient(last)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _run(step, plan, mask, u, state, weights):
    return _forward(step, plan, mask, u, state, weights)[0]


def _forward(step, plan, mask, u, state, weights):
    outputs, saved, first = [], [], state
    for block in plan:
        state, (h, of_block) = jax.lax.scan(
            lambda state, values, block=block: _segment(step, weights, state, *values, block),
            state,
            (_segments(u, block), _segments(mask, block)),
        )
        outputs.append(_steps(h))
        saved.append(of_block)
    h = outputs[0] if len(outputs) == 1 else jnp.concatenate(outputs)
    return (h, state), (mask, first, weights, h, saved)


def _backward(step, plan, residuals, cotangents):
    mask, first, weights, h, saved = residuals
    dh, dstate = cotangents
    carry = step.begin_backward(weights, first, dstate if plan[-1].ends else None)
    das: list[Tensor] = []
    for block, of_block in zip(reversed(plan), reversed(saved), strict=True):
        segment = functools.partial(_segment_backward, step, weights, block)
        values = _segments(dh, block), of_block, _segments(mask, block)
        if block.ends:
            carry, da = segment(carry, jax.tree.map(lambda value: value[0], values))
        else:
            carry, da = jax.lax.scan(segment, carry, values, reverse=True)
        das.insert(0, da[None] if block.ends else _steps(da))
    da = das[0] if len(das) == 1 else jnp.concatenate(das)
    dstate, dactivation = step.end_backward(weights, first, carry)
    before = step.recurrent_inputs(first, jnp.concatenate([first[0][None], h[:-1]]), mask)
    dweights = StepWeights(jnp.einsum("tbi,tbj->ij", before, da), dactivation)
    return None, da, tuple(dstate), dweights


_run.defvjp(_forward, _backward)


def _segments(values, block):
    """The steps of a block, (count, length, …)."""
    if values is None:
        return None
    return values[block.start : block.end].reshape(block.count, block.length, *values.shape[1:])


def _steps(values):
    """The steps of segments, (count, length, …), one after the other."""
    return values.reshape(values.shape[0] * values.shape[1], *values.shape[2:])


def _segment(step, weights, state, u, mask, block):
    """The state after a segment, and its outputs with what is saved for the backward pass."""

    def forward(carry, u, mask):
        carry, residuals = step.forward(weights, carry, u, mask)
        return carry, (carry[0], residuals)

    def skip(carry, u, mask):
        _, (_, residuals) = _zeros_like_results(forward, carry, u, mask)
        return carry, (carry[0], residuals)

    carry, (h, residuals) = _scan(forward, skip, step.begin(weights, state), (u, mask))
    saved = (state, step.compact(residuals)) if block.recompute else residuals
    return step.end(carry), (h, saved)


def _segment_backward(step, weights, block, carry, values):
    dh, residuals, mask = values
    if block.recompute:
        residuals = _recomputed(step, weights, *residuals, mask)
    backward = functools.partial(step.backward, weights)
    if block.ends:
        return backward(carry, *jax.tree.map(lambda value: value[0], (dh, residuals, mask)))

    def skip(carry, dh, residuals, mask):
        return (carry[0] + dh, *carry[1:]), jnp.zeros_like(dh)

    return _scan(backward, skip, carry, (dh, residuals, mask), reverse=True)


def _recomputed(step, weights, state, compact, mask):
    recompute = functools.partial(step.recompute, weights)

    def skip(carry, compact, mask):
        return carry, _zeros_like_results(recompute, carry, compact, mask)[1]

    return _scan(recompute, skip, step.begin(weights, state), (compact, mask))[1]


def _scan(function, skip, carry, values, reverse=False):
    """`jax.lax.scan` over the values, of which the mask is the last.

    `skip` stands for the function at the steps that no sequence takes.
    """

    def of_step(carry, values):
        if values[-1] is None:
            return function(carry, *values)
        return jax.lax.cond(values[-1].any(), function, skip, carry, *values)

    return jax.lax.scan(of_step, carry, values, reverse=reverse)


def _zeros_like_results(function, *arguments):
    likes = jax.eval_shape(function, *arguments)
    return jax.tree.map(lambda like: jnp.zeros(like.shape, like.dtype), likes)
