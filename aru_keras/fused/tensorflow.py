"""The whole sequence on TensorFlow: loops compiled with XLA under a custom gradient.

XLA runs the small operations of a loop on one core. So a batch is cut into chunks, each of which is
a compiled program of its own, and TensorFlow runs as many of them side by side as there are cores.
The state of a chunk fits a core's cache.

XLA compiles a program for every shape. Where a graph does not know the length of its sequences, a
shape runs in plain operations until it has come back often enough to pay for its compilation, and
lengths that are nearly alike share a program.
"""

import concurrent.futures
import dataclasses
import functools
import itertools

import tensorflow as tf

from aru_keras._util.machine import cores
from aru_keras._util.types import Tensor
from aru_keras.fused.plan import Block, blocks
from aru_keras.fused.step import State, Step, StepWeights
from aru_keras.fused.tensorflow_loops import steps_backward, steps_forward
from aru_keras.fused.tensorflow_shapes import Visits, padded

LEAST_CHUNK = 4
"""Sequences in the smallest chunk of a batch."""

CHUNK_BYTES = 2**20
"""Bytes of state in the largest chunk: about a core's second-level cache."""

PROGRAMS = 8
"""Number of programs that are kept after the last graph that runs them is gone."""


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
    """Run a step over a sequence; arguments and result are those of `fused.jax.sequence`."""
    masks = () if mask is None else (mask,)
    inputs = [u, *state, *tf.nest.flatten(weights), *masks]
    signature = tuple((tuple(value.shape), value.dtype) for value in inputs)
    # Batches of a known length have at most two sizes. As they are always compiled, their results
    # do not depend on what ran before: a resumed training is bit-identical to an uninterrupted one.
    counted = u.shape[0] is None and tf.distribute.get_strategy().num_replicas_in_sync == 1
    program = _Program(step, checkpoint_every, with_state, counted)
    h, *last = _graph_of(program, signature)(u, tuple(state), weights, masks)
    return h, tuple(last if with_state else map(tf.stop_gradient, last))


@functools.lru_cache(maxsize=PROGRAMS)
def _graph_of(program, signature):
    """A program as a function of tensors of these shapes and dtypes.

    Layers share it, so that a network of the same sizes is not compiled again.
    """
    return tf.function(program, autograph=False)


@dataclasses.dataclass(frozen=True)
class _Program:
    """A sequence with its gradient, of which XLA compiles the loops.

    `tf.custom_gradient` keeps every graph in which it is called as long as the process lives. So
    the gradient is registered by hand, once a kind of sequence, and finds its tensors in the graph.

    Attributes:
        step: The step.
        checkpoint_every: Number of steps between checkpoints; None to keep all residuals.
        with_state: Whether the last state has a cotangent of its own.
        counted: Whether a shape is compiled only when it has come back often enough to pay for it.
    """

    step: Step
    checkpoint_every: int | None
    with_state: bool
    counted: bool

    def __call__(self, u, state, weights, masks):
        results = h, last, saved = self.forward(u, state, weights, *masks)
        h, last, saved = tf.nest.map_structure(tf.stop_gradient, results)
        nest = ((h, *last), u, state, weights, (*saved, masks))
        kind = _registered(self, tf.nest.map_structure(lambda _: None, nest))
        return _identities(tf.nest.flatten(nest), kind)[: 1 + len(last)]

    def forward(self, u, state, weights, mask=None):
        """The forward pass: h, the last state, and what the backward pass needs."""
        plan, cuts = _plan(u, self.checkpoint_every, self.with_state), _cuts(u, state)
        chunks = [_chunks(u, cuts, 1), _chunks_of_all(state, cuts), _chunks(mask, cuts, 1)]
        chunks = list(zip(*chunks, strict=True))

        def run(compiled):
            loops = self._loops(steps_forward, compiled)
            results = [_forward_chunk(loops, plan, weights, *chunk, compiled) for chunk in chunks]
            h, last, saved = zip(*results, strict=True)
            joined = tuple(tf.concat(values, 0) for values in zip(*last, strict=True))
            return tf.concat(h, 1), joined, saved

        pays = _visits(self.step).pays(u, state) if self.counted else None
        h, last, saved = _either(pays, run)
        return h, last, (saved, () if pays is None else (pays,))

    def backward(self, u, state, weights, h, saved, dh, dlast):
        """The backward pass: the cotangents of u, the state and the weights."""
        plan, cuts = _plan(u, self.checkpoint_every, self.with_state), _cuts(u, state)
        saved, pays, masks = saved
        dlasts = _chunks_of_all(dlast, cuts) if self.with_state else [None] * len(saved)
        mask = _chunks(masks[0] if masks else None, cuts, 1)
        chunks = [_chunks_of_all(state, cuts), saved, _chunks(dh, cuts, 1), dlasts, mask]
        chunks = list(zip(*chunks, strict=True))

        def run(compiled):
            loops = self._loops(steps_backward, compiled)
            results = [
                _backward_chunk(self.step, loops, plan, weights, *chunk, compiled)
                for chunk in chunks
            ]
            da, dstate, dactivation = zip(*results, strict=True)
            dstate = [tf.concat(values, 0) for values in zip(*dstate, strict=True)]
            dactivation = [tf.add_n(values) for values in zip(*dactivation, strict=True)]
            return tf.concat(da, 1), dstate, dactivation

        da, dstate, dactivation = _either(pays[0] if pays else None, run)
        before = tf.concat([state[0][None], h[:-1]], 0)
        before = self.step.recurrent_inputs(state, before, *masks)
        width = h.shape[-1]
        dkernel = tf.matmul(
            tf.reshape(before, (-1, width)), tf.reshape(da, (-1, width)), transpose_a=True
        )
        return [da, *dstate, dkernel, *dactivation]

    def _loops(self, function, compiled):
        """The loop over a block, as a function of the block; chunks of one size share it."""

        @functools.cache
        def loop(block):
            steps = functools.partial(function, self.step, block)
            return _traced_apart(tf.function(steps, jit_compile=compiled, autograph=False))

        return loop


def _forward_chunk(loops, plan, weights, u, state, mask, compiled):
    outputs, saved = [], []
    for block in plan:
        h, state, residuals = loops(block)(weights, state, *_steps(block, u, mask, compiled))
        outputs.append(h if block.length else h[: tf.shape(u)[0]])
        saved.append(residuals)
    return tf.concat(outputs, 0), state, tuple(saved)


def _backward_chunk(step, loops, plan, weights, state, saved, dh, dlast, mask, compiled):
    carry, das = step.begin_backward(weights, state, dlast), []
    for block, residuals in zip(reversed(plan), reversed(saved), strict=True):
        steps = _steps(block, dh, mask, compiled)
        carry, da = loops(block)(weights, carry, residuals, *steps)
        das.insert(0, da if block.length else da[: tf.shape(dh)[0]])
    dstate, dactivation = step.end_backward(weights, state, carry)
    return tf.concat(das, 0), dstate, dactivation


def _steps(block, values, mask, compiled):
    """The values and the mask at the steps of a block, and the number of steps to run.

    Those behind the last step that some sequence takes are not run.
    """
    values = values[block.steps]
    timesteps = tf.shape(values)[0]
    if mask is not None:
        mask = mask[block.steps]
        taken = tf.reduce_any(mask, [1, 2])
        # The loops run one step at least.
        timesteps = tf.reduce_max(tf.where(taken, tf.range(1, timesteps + 1), 1))
    if compiled and block.length is None:
        values, mask = padded(values), None if mask is None else padded(mask)
    return values, mask, timesteps


_visits = functools.cache(lambda step: Visits())


def _traced_apart(function):
    """A `tf.function`, traced in a thread of its own.

    TensorFlow keeps the Python stack of every operation of a compiled program as long as the
    process lives. Below `fit`, those stacks would take more memory than the program.
    """

    def call(*arguments):
        with concurrent.futures.ThreadPoolExecutor(1) as thread:
            program = thread.submit(function.get_concrete_function, *arguments).result()
        return program(*arguments)

    return call


def _either(pays, run):
    """`run(True)`, which is compiled, where that pays or `pays` is None; else `run(False)`."""
    if pays is None:
        return run(True)
    return tf.cond(pays, lambda: run(True), lambda: run(False))


def _plan(u, checkpoint_every, with_state):
    """The blocks of a sequence; one block where the graph does not know its length."""
    if u.shape[0] is None:
        return [Block(0, 1, None, checkpoint_every is not None)]
    return blocks(u.shape[0], checkpoint_every, with_state=with_state)


def _cuts(u, state):
    """Slices that cut the batch into chunks; two halves where the graph does not know its size."""
    size = u.shape[1]
    if size is None:
        half = tf.shape(u)[1] // 2
        return [slice(half), slice(half, None)]
    count = _chunk_count(size, u.dtype.size * sum(value.shape[-1] for value in state))
    return [slice(size * i // count, size * (i + 1) // count) for i in range(count)]


def _chunk_count(size, sequence_bytes):
    """The number of chunks of a batch: a multiple of the cores, with equal chunks if possible."""
    parts = 1 if tf.config.list_physical_devices("GPU") else cores()
    most = max(size // LEAST_CHUNK, 1)
    least = parts * max(-(-size * sequence_bytes // (parts * CHUNK_BYTES)), 1)
    equal = (count for count in range(least, min(2 * least, most) + 1, parts) if size % count == 0)
    return min(next(equal, least), most)


def _chunks(values, cuts, axis=0):
    """The chunks of a tensor whose axis 0 or 1 is the batch; of None, as many None."""
    if values is None:
        return [None] * len(cuts)
    return [values[:, cut] if axis else values[cut] for cut in cuts]


def _chunks_of_all(state, cuts):
    """The chunks of several tensors, each a tuple of the tensors."""
    return list(zip(*(_chunks(value, cuts) for value in state), strict=True))


@functools.cache
def _registered(program, structure):
    """The name of the gradient of a program, for a nest of this structure (see `__call__`)."""
    name = f"aru_keras_sequence_{next(_numbers)}"

    @tf.RegisterGradient(name)
    def gradient(operation, *upstream):
        values = tf.nest.pack_sequence_as(structure, operation.inputs)
        (h, *last), *inputs, saved = values
        dh, *dlast = (tf.stop_gradient(value) for value in upstream[: 1 + len(last)])
        cotangents = program.backward(*inputs, h, saved, dh, dlast)
        count = len(cotangents)
        cotangents = [tf.stop_gradient(value) for value in cotangents]
        sources = [*upstream[: 1 + len(last)], *operation.inputs[1 + len(last) :][:count]]
        cotangents = _identities([*cotangents, *sources], _ONCE)[:count]
        unused = len(operation.inputs) - 1 - len(last) - count
        return [None] * (1 + len(last)) + cotangents + [None] * unused

    return name


_numbers = itertools.count()

_ONCE = "aru_keras_differentiated_once"


@tf.RegisterGradient(_ONCE)
def _refuse(operation, *upstream):
    raise NotImplementedError(
        "The whole-sequence path of a recurrent layer can be differentiated once. Make the "
        "layer with fused=False for gradients of gradients."
    )


def _identities(values, gradient):
    """The values, as the outputs of one operation that has the registered gradient."""
    with tf.compat.v1.get_default_graph().gradient_override_map({"IdentityN": gradient}):
        return tf.identity_n(values)
