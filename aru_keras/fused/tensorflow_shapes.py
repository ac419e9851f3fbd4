"""When a shape has come back often enough to be compiled, and lengths that share a program."""

import math

import tensorflow as tf

SLOTS = 4096
"""Shapes are told apart by a number below this."""

COMPILATION = 8.0
"""Seconds that compiled steps must have been likely to save before a shape is compiled. XLA takes
about half of it: whenever a shape stops coming, at most half of what was saved is lost again."""

PER_STEP, PER_NUMBER = 3e-4, 4e-9
"""Seconds that a compiled training step saves, a time step and a number of state."""

LENGTHS_PER_OCTAVE = 8
"""Programs for lengths between T and 2T: at most an eighth of their steps is empty."""


class Visits:
    """How much compiled steps would have saved of each shape so far."""

    def __init__(self):
        with tf.init_scope(), tf.device("CPU:0"):
            self._saved = tf.Variable(tf.zeros([SLOTS]), trainable=False, name="saved")

    def pays(self, u, state):
        """Whether to run this shape compiled, a scalar; None, for always, where T is known.

        Batches of one length have two sizes at the most. Compiled at once, they give the same bits
        whatever ran before, so that a resumed training equals an unbroken one.

        Args:
            u: (T, B, N).
            state: Of the first step.
        """
        if u.shape[0] is not None or tf.distribute.get_strategy().num_replicas_in_sync > 1:
            return None
        steps, batch = tf.unstack(tf.shape(u)[:2])
        numbers = steps * batch * sum(value.shape[-1] for value in state)
        saved = PER_STEP * tf.cast(steps, "float32") + PER_NUMBER * tf.cast(numbers, "float32")
        slot = (padded_length(steps) * 31 + batch) % SLOTS
        total = self._saved[slot] + saved
        self._saved.scatter_nd_update([[slot]], [total])
        return total >= COMPILATION


def padded(values):
    """(T, …) with zeros behind, up to the length that programs for about T steps have."""
    steps = tf.shape(values)[0]
    empty = [[0, padded_length(steps) - steps], *([[0, 0]] * (len(values.shape) - 1))]
    return tf.pad(values, empty)


def padded_length(steps):
    """The next length of `LENGTHS_PER_OCTAVE` to an octave."""
    octave = tf.math.log(tf.cast(tf.maximum(steps, 1), "float64")) / math.log(2)
    unit = tf.maximum(2 ** (tf.cast(octave, "int32")) // LENGTHS_PER_OCTAVE, 1)
    return -(-steps // unit) * unit
