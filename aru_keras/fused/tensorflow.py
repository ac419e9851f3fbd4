"""The whole sequence on TensorFlow: loops compiled with XLA under a custom gradient.

XLA runs the small operations of a loop on one core. So a batch goes in parts, each a compiled
program of its own, as many of which as there are cores TensorFlow runs side by side. The state of a
part fits a core's cache.
"""

import functools
import os

import tensorflow as tf

from aru_keras.fused.plan import Block, blocks

LEAST_PART = 4
"""Sequences in the smallest part of a batch."""

PART_BYTES = 2**20
"""Bytes of state in the largest part: about a core's second-level cache."""


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
        plan, cuts = _plan(u, every, with_state), _cuts(u, state)
        given = zip(_parts(u, cuts, 1), _parts_of_all(state, cuts), strict=True)
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
        plan, cuts = _plan(u, every, with_state), _cuts(u, state)
        dlasts = _parts_of_all(dlast, cuts) if with_state else [None] * len(saved)
        given = [_parts_of_all(state, cuts), saved, _parts(dh, cuts, 1), dlasts]
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


def _cuts(u, state):
    """Slices of the batch; of a size that the graph does not know, two halves."""
    size = u.shape[1]
    if size is None:
        half = tf.shape(u)[1] // 2
        return [slice(half), slice(half, None)]
    count = _part_count(size, u.dtype.size * sum(value.shape[-1] for value in state))
    return [slice(size * i // count, size * (i + 1) // count) for i in range(count)]


def _part_count(size, sequence_bytes):
    """How many parts a batch goes in: the same for every core, and equal ones if it divides so."""
    cores = 1 if tf.config.list_physical_devices("GPU") else len(_cores())
    most = max(size // LEAST_PART, 1)
    least = cores * max(-(-size * sequence_bytes // (cores * PART_BYTES)), 1)
    equal = (count for count in range(least, min(2 * least, most) + 1, cores) if size % count == 0)
    return min(next(equal, least), most)


def _cores():
    available = getattr(os, "sched_getaffinity", None)  # Not everywhere.
    return available(0) if available else range(os.cpu_count() or 1)


def _parts(values, cuts, axis=0):
    """The parts of the batch."""
    return [values[:, cut] if axis else values[cut] for cut in cuts]


def _parts_of_all(state, cuts):
    return list(zip(*(_parts(value, cuts) for value in state), strict=True))


def _forward_part(step, plan, u, state, weights):
    outputs, saved = [], []
    for segment, block in _segments(plan):
        before = state
        h, state, kept = _compiled_forward(step, block.redo)(weights, state, u[segment])
        outputs.append(h)
        saved.append((before, kept) if block.redo else kept)
    return tf.concat(outputs, 0), state, saved


def _backward_part(step, plan, weights, state, saved, dh, dlast):
    carry, das = step.begin_backward(weights, state, dlast), []
    segments = list(_segments(plan))
    for (segment, block), keep in zip(reversed(segments), reversed(saved), strict=True):
        backward = _compiled_backward(step, block.redo)
        carry, da = backward(weights, carry, keep, dh[segment])
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
        return _steps(step, weights, state, u, step.lean if redo else tuple)

    return forward


@functools.cache
def _compiled_backward(step, redo):
    @tf.function(jit_compile=True)
    def backward(weights, carry, keep, dh):
        if redo:
            keep = _redone(step, weights, *keep)
        return _steps_back(step, weights, carry, keep, dh)

    return backward


def _steps(step, weights, state, u, chosen):
    """h at every step, the last state, and what is `chosen` of what the way back needs."""

    def forward(carry, t):
        carry, kept = step.forward(weights, carry, u[t])
        return carry, (carry[0], *chosen(kept))

    carry = step.begin(weights, state)
    likes = (carry[0], *chosen(step.kept_like(carry)))
    carry, (h, *kept) = _scan(forward, carry, tf.shape(u)[0], likes)
    return h, step.end(carry), kept


def _redone(step, weights, state, lean):
    """All that the way back needs, from what was chosen of it."""
    carry = step.begin(weights, state)
    return _scan(
        lambda carry, t: step.redo(weights, carry, [value[t] for value in lean]),
        carry,
        tf.shape(lean[0])[0],
        step.kept_like(carry),
    )[1]


def _scan(function, carry, count, likes):
    """The carry after `count` steps, and what each gives, of the shapes of `likes`, stacked."""
    arrays = [tf.TensorArray(like.dtype, count, element_shape=like.shape) for like in likes]

    def body(t, carry, arrays):
        carry, values = function(carry, t)
        return t + 1, carry, [a.write(t, v) for a, v in zip(arrays, values, strict=True)]

    _, carry, arrays = tf.while_loop(
        lambda t, *_: t < count, body, [0, carry, arrays], maximum_iterations=count
    )
    return carry, [array.stack() for array in arrays]


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
