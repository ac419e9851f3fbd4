"""The loops over a sequence on TensorFlow, forwards and back, in plain operations."""

import tensorflow as tf


def steps_forward(step, block, weights, state, u, timesteps):
    """h at every step, the last state, and what `steps_backward` needs of the steps.

    That is all that each step keeps or, on `block.redo`, what is lean of it and the carries at
    the borders of the segments.

    Args:
        step: The step object.
        block: The `plan.Block`.
        weights: Of the step.
        state: Before the block.
        u: What the input adds to the pre-activations, (block or more, B, N).
        timesteps: How many of these steps there are, where the block does not know its length.
    """
    chosen = step.lean if block.redo else tuple
    count, length = block.count, block.length or timesteps
    most = block.length or tf.shape(u)[0]

    def forward(t, carry):
        carry, kept = step.forward(weights, carry, u[t])
        return carry, (carry[0], *chosen(kept))

    def segment(i, carry, borders, steps):
        if block.redo:
            borders = _written(borders, i, carry)
        carry, steps = _scan(forward, carry, steps, i * length, length, most)
        return i + 1, carry, borders, steps

    carry = step.begin(weights, state)
    steps = _arrays((carry[0], *chosen(step.kept_like(carry))), count * most)
    borders = _arrays(carry, count + 1) if block.redo else []
    _, carry, borders, steps = tf.while_loop(
        lambda i, *_: i < count, segment, [0, carry, borders, steps], maximum_iterations=count
    )
    if block.redo:
        borders = _written(borders, count, carry)
    h, *kept = [array.stack() for array in steps]
    return h, step.end(carry), ([array.stack() for array in borders], kept) if block.redo else kept


def _arrays(likes, count):
    """Room for `count` tensors of the shape of each of `likes`."""
    return [tf.TensorArray(like.dtype, count, element_shape=like.shape) for like in likes]


def _written(arrays, t, values):
    return [array.write(t, value) for array, value in zip(arrays, values, strict=True)]


def _scan(function, carry, arrays, start, count, most):
    """The carry after `count` steps from `start` on, and the arrays with what each step gives.

    XLA has to know at least `most`, which `count` does not exceed.
    """

    def body(t, carry, arrays):
        carry, values = function(t, carry)
        return t + 1, carry, _written(arrays, t, values)

    _, carry, arrays = tf.while_loop(
        lambda t, *_: t < start + count, body, [start, carry, arrays], maximum_iterations=most
    )
    return carry, arrays


def steps_backward(step, block, weights, carry, kept, dh, timesteps):
    """The carry before a block, and da, 0 at the steps after the last.

    Args:
        step: The step object.
        block: The `plan.Block`.
        weights: Of the step.
        carry: Of the way back, after the block.
        kept: What `steps_forward` gave for it.
        dh: Cotangents of h, (block or more, B, N).
        timesteps: As there.
    """
    back = _segments_back if block.redo else _steps_back
    return back(step, block, weights, carry, kept, dh, timesteps)


def _segments_back(step, block, weights, carry, kept, dh, timesteps):
    """The carry before a block, and da, with its steps redone, a segment at a time.

    All segments write what is redone to the same room. The last step of each is not redone: the
    border after it is its carry.
    """
    borders, lean = kept
    length, most = block.length or timesteps, block.length or tf.shape(dh)[0]

    def redo(k, carry, start):
        return step.redo(weights, carry, [value[start + k] for value in lean])

    def segment(i, carry, redone, das):
        start, last = i * length, (i + 1) * length - 1
        before, after = ([value[i + side] for value in borders] for side in (0, 1))
        keep = step.kept_at(weights, after, [value[last] for value in lean])
        carry, da = step.backward(weights, carry, dh[last], keep)
        das = das.write(last, da)
        _, redone = _scan(
            lambda k, carry: redo(k, carry, start), before, redone, 0, length - 1, most
        )

        def back(k, carry):
            return step.backward(weights, carry, dh[start + k], [array.read(k) for array in redone])

        carry, das = _scan_back(back, carry, das, start, length - 1, most)
        return i - 1, carry, redone, das

    das = tf.TensorArray(dh.dtype, tf.shape(dh)[0], element_shape=dh.shape[1:])
    redone = _arrays(step.kept_like([value[0] for value in borders]), most)
    given = [block.count - 1, carry, redone, das]
    if block.count == 1:
        _, carry, _, das = segment(*given)
    else:
        _, carry, _, das = tf.while_loop(
            lambda i, *_: i >= 0, segment, given, maximum_iterations=block.count
        )
    return carry, das.stack()


def _steps_back(step, block, weights, carry, keep, dh, timesteps):
    most = tf.shape(dh)[0]
    count = block.count * block.length if block.length else timesteps
    das = tf.TensorArray(dh.dtype, most, element_shape=dh.shape[1:])

    def back(t, carry):
        return step.backward(weights, carry, dh[t], [value[t] for value in keep])

    # The first step back may bring cotangents of the last state, of other shapes than later ones.
    carry, da = back(count - 1, carry)
    carry, das = _scan_back(back, carry, das.write(count - 1, da), 0, count - 1, most)
    return carry, das.stack()


def _scan_back(function, carry, das, start, count, most):
    """The carry before `count` steps from `start` on, taken last first, and das with theirs."""

    def body(k, carry, das):
        carry, da = function(k, carry)
        return k - 1, carry, das.write(start + k, da)

    _, carry, das = tf.while_loop(
        lambda k, *_: k >= 0, body, [count - 1, carry, das], maximum_iterations=most
    )
    return carry, das
