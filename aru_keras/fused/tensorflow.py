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
    for block in plan:
        h, state, kept = _compiled_forward(step, block)(weights, state, u[block.steps])
        outputs.append(h)
        saved.append(kept)
    return tf.concat(outputs, 0), state, saved


def _backward_part(step, plan, weights, state, saved, dh, dlast):
    carry, das = step.begin_backward(weights, state, dlast), []
    for block, kept in zip(reversed(plan), reversed(saved), strict=True):
        carry, da = _compiled_backward(step, block)(weights, carry, kept, dh[block.steps])
        das.insert(0, da)
    dstate, dweights = step.end_backward(weights, state, carry)
    return tf.concat(das, 0), dstate, dweights


@functools.cache
def _compiled_forward(step, block):
    @tf.function(jit_compile=True)
    def forward(weights, state, u):
        return _steps(step, weights, state, u, block)

    return forward


@functools.cache
def _compiled_backward(step, block):
    @tf.function(jit_compile=True)
    def backward(weights, carry, kept, dh):
        if block.redo:
            return _segments_back(step, weights, carry, kept, dh, block)
        return _steps_back(step, weights, carry, kept, dh)

    return backward


def _steps(step, weights, state, u, block):
    """h at every step, the last state, and what `_compiled_backward` needs of the steps.

    That is all that each step keeps or, on `block.redo`, what is lean of it and the carries at
    the borders of the segments.
    """
    chosen = step.lean if block.redo else tuple
    count, length = block.count, block.length or tf.shape(u)[0]

    def forward(t, carry):
        carry, kept = step.forward(weights, carry, u[t])
        return carry, (carry[0], *chosen(kept))

    def segment(i, carry, borders, steps):
        if block.redo:
            borders = _written(borders, i, carry)
        carry, steps = _scan(forward, carry, steps, i * length, length)
        return i + 1, carry, borders, steps

    carry = step.begin(weights, state)
    steps = _arrays((carry[0], *chosen(step.kept_like(carry))), count * length)
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


def _scan(function, carry, arrays, start, count):
    """The carry after `count` steps from `start` on, and the arrays with what each step gives."""

    def body(t, carry, arrays):
        carry, values = function(t, carry)
        return t + 1, carry, _written(arrays, t, values)

    _, carry, arrays = tf.while_loop(
        lambda t, *_: t < start + count, body, [start, carry, arrays], maximum_iterations=count
    )
    return carry, arrays


def _segments_back(step, weights, carry, kept, dh, block):
    """The carry before a block, and da, with its steps redone, a segment at a time.

    All segments write what is redone to the same room. The last step of each is not redone: the
    border after it is its carry.
    """
    borders, lean = kept
    length = block.length or tf.shape(dh)[0]

    def redo(k, carry, start):
        return step.redo(weights, carry, [value[start + k] for value in lean])

    def segment(i, carry, redone, das):
        start, last = i * length, (i + 1) * length - 1
        before, after = ([value[i + side] for value in borders] for side in (0, 1))
        keep = step.kept_at(weights, after, [value[last] for value in lean])
        carry, da = step.backward(weights, carry, dh[last], keep)
        das = das.write(last, da)
        _, redone = _scan(lambda k, carry: redo(k, carry, start), before, redone, 0, length - 1)

        def back(k, carry):
            return step.backward(weights, carry, dh[start + k], [array.read(k) for array in redone])

        carry, das = _scan_back(back, carry, das, start, length - 1)
        return i - 1, carry, redone, das

    das = tf.TensorArray(dh.dtype, tf.shape(dh)[0], element_shape=dh.shape[1:])
    redone = _arrays(step.kept_like([value[0] for value in borders]), length)
    given = [block.count - 1, carry, redone, das]
    if block.count == 1:
        _, carry, _, das = segment(*given)
    else:
        _, carry, _, das = tf.while_loop(
            lambda i, *_: i >= 0, segment, given, maximum_iterations=block.count
        )
    return carry, das.stack()


def _steps_back(step, weights, carry, keep, dh):
    count = tf.shape(dh)[0]
    das = tf.TensorArray(dh.dtype, count, element_shape=dh.shape[1:])

    def back(t, carry):
        return step.backward(weights, carry, dh[t], [value[t] for value in keep])

    # The first step back may bring cotangents of the last state, of other shapes than later ones.
    carry, da = back(count - 1, carry)
    carry, das = _scan_back(back, carry, das.write(count - 1, da), 0, count - 1)
    return carry, das.stack()


def _scan_back(function, carry, das, start, count):
    """The carry before `count` steps from `start` on, taken last first, and das with theirs."""

    def body(k, carry, das):
        carry, da = function(k, carry)
        return k - 1, carry, das.write(start + k, da)

    _, carry, das = tf.while_loop(
        lambda k, *_: k >= 0, body, [count - 1, carry, das], maximum_iterations=count
    )
    return carry, das


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
