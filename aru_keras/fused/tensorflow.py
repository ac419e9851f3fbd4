"""The whole sequence on TensorFlow: loops compiled with XLA under a custom gradient.

XLA runs the small operations of a loop on one core. So a batch goes in parts, each a compiled
program of its own, as many of which as there are cores TensorFlow runs side by side. The state of a
part fits a core's cache.

XLA compiles a program for every shape. Where a graph does not know the length of its sequences, a
shape runs in plain operations until it has come back often enough to pay for its compilation, and
lengths that are nearly alike share a program.
"""

import functools
import os

import tensorflow as tf

from aru_keras.fused.plan import Block, blocks
from aru_keras.fused.tensorflow_loops import steps_backward, steps_forward
from aru_keras.fused.tensorflow_shapes import Visits, padded

LEAST_PART = 4
"""Sequences in the smallest part of a batch."""

PART_BYTES = 2**20
"""Bytes of state in the largest part: about a core's second-level cache."""


def sequence(step, u, state, weights, *, every=None, with_state=False):
    """Run a step object over a sequence; arguments and result are those of `fused.jax.sequence`."""
    count, programs = len(state), _programs_of(step)

    @tf.custom_gradient
    def run(*outside):
        # Eagerly, a tape would else record the inside too, and keep what it thinks it needs.
        u, *given = (tf.stop_gradient(value) for value in outside)
        state, weights = given[:count], given[count:]
        h, last, saved = programs.forward(every, with_state)(u, state, weights)

        def gradient(*upstream):
            dh, *dlast = (tf.stop_gradient(value) for value in upstream)
            backward = programs.backward(every, with_state)
            cotangents = backward(u, state, weights, h, saved, dh, dlast)
            return _differentiated_once(len(cotangents))(*cotangents, *upstream, *outside)

        return (h, *last), gradient

    h, *last = run(u, *state, *weights)
    return h, last if with_state else [tf.stop_gradient(value) for value in last]


class _Programs:
    """The graphs of a kind of step: forwards and back, and the loops in them that XLA compiles.

    All layers share them, so that a network of the same sizes is not compiled again.
    """

    def __init__(self, step):
        self._step = step
        self._visits = Visits()
        self.forward = functools.cache(self._make_forward)
        self.backward = functools.cache(self._make_backward)
        self._loop = functools.cache(self._make_loop)

    def _make_forward(self, every, with_state):
        """The forward pass as a graph: h, the last state, and what the way back needs."""

        @tf.function(autograph=False)
        def forward(u, state, weights):
            plan, cuts = _plan(u, every, with_state), _cuts(u, state)
            given = list(zip(_parts(u, cuts, 1), _parts_of_all(state, cuts), strict=True))

            def run(compiled):
                parts = [self._forward_part(plan, *part, weights, compiled) for part in given]
                h, last, saved = zip(*parts, strict=True)
                joined = tuple(tf.concat(values, 0) for values in zip(*last, strict=True))
                return tf.concat(h, 1), joined, saved

            pays = self._visits.pays(u, state)
            h, last, saved = _either(pays, run)
            return h, last, (saved, pays)

        return forward

    def _make_backward(self, every, with_state):
        """The way back as a graph: the cotangents of u, the state and the weights."""

        @tf.function(autograph=False)
        def backward(u, state, weights, h, saved, dh, dlast):
            plan, cuts = _plan(u, every, with_state), _cuts(u, state)
            saved, pays = saved
            dlasts = _parts_of_all(dlast, cuts) if with_state else [None] * len(saved)
            given = [_parts_of_all(state, cuts), saved, _parts(dh, cuts, 1), dlasts]
            given = list(zip(*given, strict=True))

            def run(compiled):
                parts = [self._backward_part(plan, weights, *part, compiled) for part in given]
                da, dstate, dweights = zip(*parts, strict=True)
                dstate = [tf.concat(values, 0) for values in zip(*dstate, strict=True)]
                dweights = [tf.add_n(values) for values in zip(*dweights, strict=True)]
                return tf.concat(da, 1), dstate, dweights

            da, dstate, dweights = _either(pays, run)
            before = tf.concat([state[0][None], h[:-1]], 0)
            width = h.shape[-1]
            dkernel = tf.matmul(
                tf.reshape(before, (-1, width)), tf.reshape(da, (-1, width)), transpose_a=True
            )
            return [da, *dstate, dkernel, *dweights]

        return backward

    def _forward_part(self, plan, u, state, weights, compiled):
        outputs, saved = [], []
        for block in plan:
            steps = u[block.steps]
            timesteps = tf.shape(steps)[0]
            if compiled and block.length is None:
                steps = padded(steps)
            loop = self._loop(steps_forward, block, compiled)
            h, state, kept = loop(weights, state, steps, timesteps)
            outputs.append(h if block.length else h[:timesteps])
            saved.append(kept)
        return tf.concat(outputs, 0), state, saved

    def _backward_part(self, plan, weights, state, saved, dh, dlast, compiled):
        carry, das = self._step.begin_backward(weights, state, dlast), []
        for block, kept in zip(reversed(plan), reversed(saved), strict=True):
            steps = dh[block.steps]
            timesteps = tf.shape(steps)[0]
            if compiled and block.length is None:
                steps = padded(steps)
            loop = self._loop(steps_backward, block, compiled)
            carry, da = loop(weights, carry, kept, steps, timesteps)
            das.insert(0, da if block.length else da[:timesteps])
        dstate, dweights = self._step.end_backward(weights, state, carry)
        return tf.concat(das, 0), dstate, dweights

    def _make_loop(self, function, block, compiled):
        loop = functools.partial(function, self._step, block)
        return tf.function(loop, jit_compile=compiled, autograph=False)


_programs_of = functools.cache(_Programs)


def _either(pays, run):
    """`run(True)`, compiled, where that pays or is not asked, else `run(False)`, plain."""
    if pays is None:
        return run(True)
    return tf.cond(pays, lambda: run(True), lambda: run(False))


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
