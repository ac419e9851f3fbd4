"""The whole sequence on JAX: scans under a custom gradient."""

import functools

import jax
import jax.numpy as jnp

from aru_keras.fused.plan import REVERSE_ALONE, blocks


def sequence(step, u, state, weights, *, every=None, with_state=False):
    """Run a step object (`derivation`) over a sequence.

    Args:
        step: The step object.
        u: What the input adds to the pre-activations, (T, B, N).
        state: Before the first step.
        weights: Of the step, W_hh first.
        every: As in `plan.blocks`.
        with_state: Whether the last state may be differentiated.

    Returns:
        `(h, state)`: (T, B, N), and the state after the last step.

    Raises:
        TypeError: In forward mode. Under `jax.jit` and `jax.linearize` it is JAX's own.
    """
    plan = tuple(blocks(u.shape[0], every, with_state=with_state))
    try:
        h, last = _run(step, plan, u, tuple(state), tuple(weights))
    except TypeError as error:
        if "forward-mode" in str(error):
            raise TypeError(f"{REVERSE_ALONE}.") from error
        raise
    return h, last if with_state else jax.lax.stop_gradient(last)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _run(step, plan, u, state, weights):
    return _forward(step, plan, u, state, weights)[0]


def _forward(step, plan, u, state, weights):
    outputs, saved, first = [], [], state
    for block in plan:
        state, (h, keep) = jax.lax.scan(
            lambda state, u, block=block: _segment(step, weights, state, u, block.redo),
            state,
            _segments(u, block),
        )
        outputs.append(h.reshape(-1, *h.shape[2:]))
        saved.append(keep)
    h = outputs[0] if len(outputs) == 1 else jnp.concatenate(outputs)
    return (h, state), (first, weights, h, saved)


def _backward(step, plan, residuals, cotangents):
    first, weights, h, saved = residuals
    dh, dstate = cotangents
    carry = step.begin_backward(weights, first, dstate if plan[-1].ends else None)
    das = []
    for block, keep in zip(reversed(plan), reversed(saved), strict=True):
        back = functools.partial(_segment_back, step, weights, block)
        given = _segments(dh, block), keep
        if block.ends:
            carry, da = back(carry, jax.tree.map(lambda value: value[0], given))
        else:
            carry, da = jax.lax.scan(back, carry, given, reverse=True)
        das.insert(0, da.reshape(-1, *h.shape[1:]))
    da = das[0] if len(das) == 1 else jnp.concatenate(das)
    dstate, dweights = step.end_backward(weights, first, carry)
    before = jnp.concatenate([first[0][None], h[:-1]])
    return da, tuple(dstate), (jnp.einsum("tbi,tbj->ij", before, da), *dweights)


_run.defvjp(_forward, _backward)


def _segments(values, block):
    """Steps of a block, (count, length, …)."""
    return values[block.start : block.end].reshape(block.count, block.length, *values.shape[1:])


def _segment(step, weights, state, u, redo):
    carry, (h, kept) = _steps(step, weights, state, u)
    return step.end(carry), (h, (state, step.lean(kept)) if redo else kept)


def _steps(step, weights, state, u):
    def forward(carry, u):
        carry, kept = step.forward(weights, carry, u)
        return carry, (carry[0], kept)

    return jax.lax.scan(forward, step.begin(weights, state), u)


def _segment_back(step, weights, block, carry, given):
    dh, keep = given
    if block.redo:
        state, lean = keep
        redo = functools.partial(step.redo, weights)
        _, keep = jax.lax.scan(redo, step.begin(weights, state), lean)
    if block.ends:
        return step.backward(weights, carry, dh[0], jax.tree.map(lambda value: value[0], keep))
    return jax.lax.scan(
        lambda carry, one: step.backward(weights, carry, *one), carry, (dh, keep), reverse=True
    )
