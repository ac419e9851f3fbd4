"""The loops over a sequence on TensorFlow, forwards and backwards, in plain operations."""

from typing import Any

import tensorflow as tf

from aru_keras.fused.masks import at


def steps_forward(
    step: Any, block: Any, weights: Any, state: Any, u: Any, mask: Any, timesteps: Any
) -> tuple:
    """The forward pass through a block.

    Args:
        step: The `fused.step.Step`.
        block: The `plan.Block`.
        weights: Weights of the step.
        state: State before the block.
        u: What the input and the drive add to the pre-activations, (T, B, N), T at least the steps
            of the block.
        mask: Which sequences take each step, (T, B, 1); None where all take all.
        timesteps: Number of steps to run, where the block does not know its length, and where there
            is a mask.

    Returns:
        `(h, state, saved)`: h at every step, the last state, and what `steps_backward` needs: all
        residuals or, with `block.recompute`, the compact ones with the carries at the checkpoints.
    """
    chosen = step.compact if block.recompute else tuple
    count, length = _extent(block, mask, timesteps)
    most = block.length or tf.shape(u)[0]

    def forward(t, carry):
        carry, residuals = step.forward(weights, carry, u[t], at(mask, t))
        return carry, (carry[0], *chosen(residuals))

    def segment(i, carry, checkpoints, steps):
        if block.recompute:
            checkpoints = _written(checkpoints, i, carry)
        carry, steps = _scan(forward, carry, steps, i * length, length, most)
        return i + 1, carry, checkpoints, steps

    carry = step.begin(weights, state)
    steps = _arrays((carry[0], *chosen(step.residuals_like(carry))), block.count * most)
    checkpoints = _arrays(carry, block.count + 1) if block.recompute else []
    start = [0, carry, checkpoints, steps]
    _, carry, checkpoints, steps = _repeated(segment, start, count, block.count)
    h, *saved = [array.stack() for array in steps]
    if mask is not None:  # Nobody takes the steps that are not run: all keep their h.
        h = tf.where(_is_run(h, count * length), h, carry[0])
    if block.recompute:
        checkpoints = _written(checkpoints, count, carry)
        return h, step.end(carry), (tuple(array.stack() for array in checkpoints), tuple(saved))
    return h, step.end(carry), tuple(saved)


def _arrays(likes, count):
    """A buffer for `count` tensors of the shape of each of `likes`."""
    return [tf.TensorArray(like.dtype, count, element_shape=like.shape) for like in likes]


def _written(arrays, t, values):
    return [array.write(t, value) for array, value in zip(arrays, values, strict=True)]


def _extent(block, mask, timesteps):
    """The number of segments of a block that are run, and the number of steps in each."""
    if block.count > 1:
        return block.count if mask is None else -(-timesteps // block.length), block.length
    return 1, timesteps if mask is not None else block.length or timesteps


def _is_run(values, timesteps):
    """Whether a step of the values, (T, …), is among the first `timesteps`, (T, 1, 1)."""
    return (tf.range(tf.shape(values)[0]) < timesteps)[:, None, None]


def _repeated(function, values, count, most):
    """The values after a function has been applied to them `count` times, and at most `most`."""
    if most == 1:
        return function(*values)
    numbered = [0, *values]
    _, *values = tf.while_loop(
        lambda k, *_: k < count,
        lambda k, *values: (k + 1, *function(*values)),
        numbered,
        maximum_iterations=most,
    )
    return values


def _scan(function, carry, arrays, start, count, most):
    """The carry after `count` steps from `start` on, and the arrays with the values of each step.

    XLA must know a bound on `count` beforehand: `most`.
    """

    def body(t, carry, arrays):
        carry, values = function(t, carry)
        return t + 1, carry, _written(arrays, t, values)

    _, carry, arrays = tf.while_loop(
        lambda t, *_: t < start + count, body, [start, carry, arrays], maximum_iterations=most
    )
    return carry, arrays


def steps_backward(
    step: Any, block: Any, weights: Any, carry: Any, saved: Any, dh: Any, mask: Any, timesteps: Any
) -> tuple:
    """The backward pass through a block.

    Args:
        step: The `fused.step.Step`.
        block: The `plan.Block`.
        weights: Weights of the step.
        carry: Carry of the backward pass after the block.
        saved: What `steps_forward` saved for it.
        dh: Cotangents of h, (T, B, N), T at least the steps of the block.
        mask: As in `steps_forward`.
        timesteps: As in `steps_forward`.

    Returns:
        `(carry, da)`: the carry before the block, and the cotangents of u, (T, B, N), 0 behind the
        steps that are run.
    """
    count, length = _extent(block, mask, timesteps)
    if mask is not None:
        of_steps_left_out = tf.where(_is_run(dh, count * length), tf.zeros_like(dh), dh)
        carry = carry[0] + tf.reduce_sum(of_steps_left_out, 0), *carry[1:]
    if block.recompute:
        return _segments_backward(step, block, weights, carry, saved, dh, mask, count, length)
    return _all_steps_backward(step, weights, carry, saved, dh, mask, length)


def _segments_backward(step, block, weights, carry, saved, dh, mask, count, length):
    """`steps_backward` with recomputed residuals, a segment at a time.

    All segments write their residuals to the same buffer. The last step of a segment is not
    recomputed, as the checkpoint after it is its carry.
    """
    checkpoints, compact = saved
    most = block.length or tf.shape(dh)[0]

    def recompute(k, carry, start):
        of_step = [value[start + k] for value in compact]
        return step.recompute(weights, carry, of_step, at(mask, start + k))

    def segment(i, carry, buffer, das):
        start, last = i * length, (i + 1) * length - 1
        before, after = ([value[i + side] for value in checkpoints] for side in (0, 1))
        compact_last, mask_last = [value[last] for value in compact], at(mask, last)
        residuals = step.residuals_at(weights, after, compact_last, mask_last)
        carry, da = step.backward(weights, carry, dh[last], residuals, mask_last)
        das = das.write(last, da)
        _, buffer = _scan(
            lambda k, carry: recompute(k, carry, start), before, buffer, 0, length - 1, most
        )

        def backward(k, carry):
            residuals = [array.read(k) for array in buffer]
            t = start + k
            return step.backward(weights, carry, dh[t], residuals, at(mask, t))

        carry, das = _scan_backward(backward, carry, das, start, length - 1, most)
        return i - 1, carry, buffer, das

    das = tf.TensorArray(dh.dtype, tf.shape(dh)[0], element_shape=dh.shape[1:])
    buffer = _arrays(step.residuals_like([value[0] for value in checkpoints]), most)
    start = [count - 1, carry, buffer, das]
    _, carry, _, das = _repeated(segment, start, count, block.count)
    return carry, das.stack()


def _all_steps_backward(step, weights, carry, residuals, dh, mask, count):
    """`steps_backward` of `count` steps where the forward pass has kept all residuals."""
    most = tf.shape(dh)[0]
    das = tf.TensorArray(dh.dtype, most, element_shape=dh.shape[1:])

    def backward(t, carry):
        of_step = [value[t] for value in residuals]
        return step.backward(weights, carry, dh[t], of_step, at(mask, t))

    # The last step stands outside of the loop: the cotangents of the last state, in the carry
    # before it, have other shapes than those in later carries.
    carry, da = backward(count - 1, carry)
    carry, das = _scan_backward(backward, carry, das.write(count - 1, da), 0, count - 1, most)
    return carry, das.stack()


def _scan_backward(function, carry, das, start, count, most):
    """The carry before `count` steps from `start` on, taken from the last, and das with theirs."""

    def body(k, carry, das):
        carry, da = function(k, carry)
        return k - 1, carry, das.write(start + k, da)

    _, carry, das = tf.while_loop(
        lambda k, *_: k >= 0, body, [count - 1, carry, das], maximum_iterations=most
    )
    return carry, das
