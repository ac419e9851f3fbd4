"""The whole sequence on TensorFlow: loops compiled with XLA under a custom gradient.

XLA runs the small operations of a loop on one core. So a batch goes in two halves, each a compiled
program of its own, which TensorFlow runs side by side.
"""

import functools

import tensorflow as tf

from aru_keras.fused.plan import Block, blocks

HALVES_FROM = 8
"""Number of sequences from which a batch is halved."""


def sequence(step, u, state, weights, *, every=None, with_state=False):
    """Run a step object over a sequence; arguments and result are those of `fused.jax.sequence`."""
    count = len(state)

    @tf.custom_gradient
    def run(*outside):
        # Eagerly, a tape would else record the inside too, and keep what it thinks it needs.
        u, *given = (tf.stop_gradient(value) for value in outside)
        state, weights = given[:count], given[count:]
        h, last, saved = _forward(step, every, with_state)(u, state, weights)

        def gradient(*upstream):
            dh, *dlast = (tf.stop_gradient(value) for value in upstream)
            backward = _backward(step, every, with_state)
            cotangents = backward(u, state, weights, h, saved, dh, dlast)
            return _differentiated_once(len(cotangents))(*cotangents, *upstream, *outside)

        return (h, *last), gradient

    h, *last = run(u, *state, *weights)
    return h, last if with_state else [tf.stop_gradient(value) for value in last]


@functools.cache
def _forward(step, every, with_state):
    """The forward pass as a graph: h, the last state, and what the way back needs of each part."""

    @tf.function
    def forward(u, state, weights):
        plan, half = _plan(u, every, with_state), _half(u)
        given = zip(_parts(u, half, 1), _parts_of_all(state, half), strict=True)
        parts = [_forward_part(step, plan, *part, weights) for part in given]
        h, last, saved = zip(*parts, strict=True)
        joined = tuple(tf.concat(values, 0) for values in zip(*last, strict=True))
        return tf.concat(h, 1), joined, saved

    return forward


@functools.cache
def _backward(step, every, with_state):
    """The way back as a graph: the cotangents of u, the state and the weights, in a flat list."""

    @tf.function
    def backward(u, state, weights, h, saved, dh, dlast):
        plan, half = _plan(u, every, with_state), _half(u)
        dlasts = _parts_of_all(dlast, half) if with_state else [None] * len(saved)
        given = [_parts(u, half, 1), _parts_of_all(state, half), saved, _parts(dh, half, 1), dlasts]
        parts = [_backward_part(step, plan, weights, *part) for part in zip(*given, strict=True)]
        da, dstate, dweights = zip(*parts, strict=True)
        da = tf.concat(da, 1)
        before = tf.concat([state[0][None], h[:-1]], 0)
        width = h.shape[-1]
        dkernel = tf.matmul(
            tf.reshape(before, (-1, width)), tf.reshape(da, (-1, width)), transpose_a=True
        )
        dstate = [tf.concat(values, 0) for values in zip(*dstate, strict=True)]
        dweights = [tf.add_n(values) for values in zip(*dweights, strict=True)]
        return [da, *dstate, dkernel, *dweights]

    return backward


def _plan(u, every, with_state):
    """The blocks; a length that the graph does not know is one block."""
    if u.shape[0] is None:
        return [Block(0, 1, None, every is not None)]
    return blocks(u.shape[0], every, with_state=with_state)


def _half(u):
    """Where the batch is cut, for all that goes with u; None where it stays whole."""
    size = u.shape[1]
    return None if size is not None and size < HALVES_FROM else tf.shape(u)[1] // 2


def _parts(values, half, axis=0):
    """The batch, whole or in halves."""
    if half is None:
        return [values]
    return [values[:, :half], values[:, half:]] if axis else [values[:half], values[half:]]


def _parts_of_all(state, half):
    return list(zip(*(_parts(value, half) for value in state), strict=True))


def _forward_part(step, plan, u, state, weights):
    outputs, saved = [], []
    for segment, block in _segments(plan):
        before = state
        h, state, kept = _compiled_forward(step, block.redo)(weights, state, u[segment])
        outputs.append(h)
        saved.append(before if block.redo else kept)
    return tf.concat(outputs, 0), state, saved


def _backward_part(step, plan, weights, u, state, saved, dh, dlast):
    carry, das = step.begin_backward(weights, state, dlast), []
    segments = list(_segments(plan))
    for (segment, block), keep in zip(reversed(segments), reversed(saved), strict=True):
        backward = _compiled_backward(step, block.redo)
        carry, da = backward(weights, carry, u[segment], keep, dh[segment])
        das.insert(0, da)
    dstate, dweights = step.end_backward(weights, state, carry)
    return tf.concat(das, 0), dstate, dweights


def _segments(plan):
    for block in plan:
        for index in range(block.count):
            start = block.start + index * (block.length or 0)
            yield slice(start, block.length and start + block.length), block


@functools.cache
def _compiled_forward(step, redo):
    @tf.function(jit_compile=True)
    def forward(weights, state, u):
        h, last, kept = _steps(step, weights, state, u, keep=not redo)
        return h, last, kept

    return forward


@functools.cache
def _compiled_backward(step, redo):
    @tf.function(jit_compile=True)
    def backward(weights, carry, u, keep, dh):
        if redo:
            *_, keep = _steps(step, weights, keep, u, keep=True)
        return _steps_back(step, weights, carry, keep, dh)

    return backward


def _steps(step, weights, state, u, keep):
    carry = step.begin(weights, state)
    count = tf.shape(u)[0]
    likes = [carry[0], *(step.kept_like(carry) if keep else ())]
    arrays = [tf.TensorArray(like.dtype, count, element_shape=like.shape) for like in likes]

    def body(t, carry, arrays):
        carry, kept = step.forward(weights, carry, u[t])
        values = [carry[0], *(kept if keep else ())]
        return t + 1, carry, [a.write(t, v) for a, v in zip(arrays, values, strict=True)]

    _, carry, arrays = tf.while_loop(
        lambda t, *_: t < count, body, [0, carry, arrays], maximum_iterations=count
    )
    h, *kept = (array.stack() for array in arrays)
    return h, step.end(carry), kept


def _steps_back(step, weights, carry, keep, dh):
    count = tf.shape(dh)[0]
    das = tf.TensorArray(dh.dtype, count, element_shape=dh.shape[1:])

    def body(t, carry, das):
        carry, da = step.backward(weights, carry, dh[t], [value[t] for value in keep])
        return t - 1, carry, das.write(t, da)

    # The first step back may bring cotangents of the last state, of other shapes than later ones.
    carry = body(count - 1, carry, das)
    _, carry, das = tf.while_loop(
        lambda t, *_: t >= 0, body, list(carry), maximum_iterations=count - 1
    )
    return carry, das.stack()


def _differentiated_once(count):
    """The first `count` arguments, as if they could be differentiated by all others."""

    @tf.custom_gradient
    def once(*values):
        def refuse(*_):
            raise NotImplementedError(
                "The whole-sequence path of a recurrent layer can be differentiated once. Make the "
                "layer with fused=False for gradients of gradients."
            )

        return [tf.identity(value) for value in values[:count]], refuse

    return once
