"""Which shapes of a sequence are compiled, and which lengths share a compiled program."""

import math
from typing import Any

import tensorflow as tf

SLOTS = 4096
"""Number of counters; a hash of a shape selects its counter."""

COMPILATION = 8.0
"""Seconds that compiled steps would have saved before a shape is compiled. XLA compiles in about
half of this time, which is what a compilation costs where the shape is not seen again."""

PER_STEP, PER_NUMBER = 3e-4, 4e-9
"""Seconds that a compiled training step saves for each time step, and for each number of a state in
each time step."""

LENGTHS_PER_OCTAVE = 8
"""Number of programs for lengths between T and 2T. At most an eighth of their steps is empty."""


def saved_seconds(steps: Any, numbers: Any) -> Any:
    """The seconds that compiled training steps save.

    Args:
        steps: Number of time steps.
        numbers: Number of numbers of a state in all time steps.
    """
    return PER_STEP * steps + PER_NUMBER * numbers


def recording_pays(steps: int, sequences: int, state_size: int) -> bool:
    """Whether to compile a recording, which saves and costs a third of a training step.

    Args:
        steps: Number of time steps T.
        sequences: Number of sequences, of all chunks together.
        state_size: Number of numbers in the state of a sequence.
    """
    return saved_seconds(steps, steps * sequences * state_size) >= COMPILATION


class Visits:
    """Counters of the seconds that compiled steps would have saved, one for each shape."""

    def __init__(self):
        with tf.init_scope(), tf.device("CPU:0"):
            self._saved = tf.Variable(tf.zeros([SLOTS]), trainable=False, name="saved")

    def pays(self, u: Any, state: Any) -> Any:
        """Whether to compile this shape, as a scalar.

        Args:
            u: What the input and the drive add to the pre-activations, (T, B, N).
            state: State before the first step.
        """
        steps, batch = tf.unstack(tf.shape(u)[:2])
        numbers = steps * batch * sum(value.shape[-1] for value in state)
        saved = saved_seconds(tf.cast(steps, "float32"), tf.cast(numbers, "float32"))
        slot = (padded_length(steps) * 31 + batch) % SLOTS
        total = self._saved[slot] + saved
        self._saved.scatter_nd_update([[slot]], [total])
        return total >= COMPILATION


def padded(values: Any) -> Any:
    """`values`, (T, …), with zeros behind up to the length of the program for T steps."""
    steps = tf.shape(values)[0]
    empty = [[0, padded_length(steps) - steps], *([[0, 0]] * (len(values.shape) - 1))]
    return tf.pad(values, empty)


def padded_length(steps: Any) -> Any:
    """The length, at least `steps`, of the program that runs this many steps."""
    octave = tf.math.log(tf.cast(tf.maximum(steps, 1), "float64")) / math.log(2)
    unit = tf.maximum(2 ** (tf.cast(octave, "int32")) // LENGTHS_PER_OCTAVE, 1)
    return -(-steps // unit) * unit
