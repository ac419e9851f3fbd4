"""Synthetic tasks, which need no download: copy memory, adding, and noisy evidence.

Each is made by `from_arrays`, from a seed, and has a name for `load_task` and `aru-keras train`:
"copy-memory", "adding" and "noisy-evidence". Their functions take other sizes. `chance`,
`mean_error` and `best_accuracy` give the numbers that a network is compared with.
"""

import math

import numpy as np

from aru_keras._util.arguments import LARGEST_SIZE, finite, flag, whole, wholes
from aru_keras.tasks.arrays import from_arrays
from aru_keras.tasks.specs import SPLITS
from aru_keras.tasks.task import Task

SIZES = (2000, 500, 500)
"""The default number of sequences in the training, validation and test split."""


def copy_memory(
    delay: int = 30,
    length: int = 10,
    symbols: int = 8,
    *,
    sizes: tuple[int, int, int] = SIZES,
    seed: int = 0,
) -> Task:
    """Repeat symbols after a delay: a class at every step (Hochreiter and Schmidhuber 1997).

    In the form of Arjovsky, Shah and Bengio (2016), the network reads `length` random symbols, then
    blanks for `delay` steps, the last of which is a signal to answer, and then `length` blanks.
    The targets are blanks until the end of the delay, and then the symbols in their order. Inputs
    are one-hot: the symbols, the blank, the signal.

    A network without memory answers blanks and then guesses. Its cross-entropy is
    length·ln(symbols)/(delay + 2·length), which `chance` gives: 0.416 nats by default.

    Args:
        delay: The number of steps between the symbols and the answers.
        length: The number of symbols to repeat.
        symbols: The number of different symbols.
        sizes: The number of sequences in the training, validation and test split.
        seed: The seed of the symbols.

    Raises:
        ValueError: If an argument is out of its range.
    """
    delay, length = whole("delay", delay, 1, most=LARGEST_SIZE), _length(length)
    symbols = whole("symbols", symbols, 2, most=LARGEST_SIZE)
    sizes, rng = _sizes(sizes), np.random.default_rng(whole("seed", seed, 0))
    blank, signal, steps = symbols, symbols + 1, delay + 2 * length
    splits = []
    for size in sizes:
        seen, answers = np.full((2, size, steps), blank)
        seen[:, :length] = answers[:, -length:] = rng.integers(0, symbols, (size, length))
        seen[:, length + delay - 1] = signal
        splits.append((np.eye(symbols + 2, dtype="float32")[seen], answers))
    names = [*(f"symbol {k}" for k in range(symbols)), "blank"]
    return from_arrays(
        *splits,
        classes=names,
        channels=[*names, "signal"],
        name="copy-memory",
        description=f"{length} symbols to repeat after {delay} steps; guessing costs "
        f"{chance(delay, length, symbols):.3f} nats",
    )


def chance(delay: int = 30, length: int = 10, symbols: int = 8) -> float:
    """The cross-entropy of `copy_memory` without memory, in nats: blanks, and then guesses.

    Args:
        delay: The number of steps between the symbols and the answers.
        length: The number of symbols to repeat.
        symbols: The number of different symbols.

    Raises:
        ValueError: If an argument is out of its range.
    """
    delay, length = whole("delay", delay, 1, most=LARGEST_SIZE), _length(length)
    symbols = whole("symbols", symbols, 2, most=LARGEST_SIZE)
    return length * math.log(symbols) / (delay + 2 * length)


def adding(steps: int = 100, *, sizes: tuple[int, int, int] = SIZES, seed: int = 0) -> Task:
    """Add two marked numbers: a value at the end (Hochreiter and Schmidhuber 1997).

    Channel 0 is uniform in [0, 1] at every step. Channel 1 is 1 at two steps, one in each half of
    the sequence, and 0 elsewhere. The value is the sum of the two marked numbers.

    A network that always answers the mean, 1, has a mean squared error of 1/6, about 0.167 (the
    variance of the sum of two uniform numbers), which `mean_error` gives.

    Args:
        steps: The number of steps T.
        sizes: The number of sequences in the training, validation and test split.
        seed: The seed of the numbers and marks.

    Raises:
        ValueError: If an argument is out of its range.
    """
    steps = whole("steps", steps, 2, most=LARGEST_SIZE)
    sizes, rng = _sizes(sizes), np.random.default_rng(whole("seed", seed, 0))
    splits = []
    for size in sizes:
        x = np.zeros((size, steps, 2), "float32")
        x[..., 0] = rng.random((size, steps), "float32")
        for first, last in ((0, steps // 2), (steps // 2, steps)):
            x[np.arange(size), rng.integers(first, last, size), 1] = 1
        splits.append((x, (x[..., 0] * x[..., 1]).sum(axis=1)))
    return from_arrays(
        *splits,
        channels=["number", "mark"],
        name="adding",
        description=f"the sum of two marked numbers of {steps}; the mean has an error of "
        f"{mean_error():.3f}",
    )


def mean_error() -> float:
    """The mean squared error of the best constant answer to `adding`, 1/6."""
    return 1 / 6


def noisy_evidence(
    steps: int = 60,
    *,
    drift: float = 0.25,
    low: float = 0.3,
    high: float = 1.0,
    every_step: bool = False,
    sizes: tuple[int, int, int] = SIZES,
    seed: int = 0,
) -> Task:
    """Tell the sign of noisy evidence whose contrast steps up half-way: a class at the end.

    The evidence is x_t = ±c_t·drift + N(0, 1), as in models of perceptual decisions (Gold and
    Shadlen 2007), where the sign is that of the sequence, and the contrast c_t is `low` in the
    first half and `high` in the second. The class can be read out at every step: how the decision
    grows, and how it reacts to the step, is then in the output `y` of a probe.

    An observer who weighs each step with its contrast is right with the probability
    Φ(drift·√Σ c_t²), which `best_accuracy` gives: 0.924 by default.

    Args:
        steps: The number of steps T.
        drift: The mean of the evidence at full contrast, in standard deviations of the noise.
        low: The contrast in the first half.
        high: The contrast in the second half.
        every_step: Whether every step has the class as its target, and not the end alone.
        sizes: The number of sequences in the training, validation and test split.
        seed: The seed of signs and noise.

    Raises:
        ValueError: If an argument is out of its range.
    """
    contrast = _contrast(steps, low, high)
    drift, every_step = finite("drift", drift, positive=True), flag("every_step", every_step)
    sizes, rng = _sizes(sizes), np.random.default_rng(whole("seed", seed, 0))
    splits = []
    for size in sizes:
        signs = rng.integers(0, 2, size)
        x = (2 * signs - 1)[:, None] * drift * contrast + rng.normal(size=(size, len(contrast)))
        y = np.repeat(signs[:, None], len(contrast), axis=1) if every_step else signs
        splits.append((x.astype("float32"), y))
    best = best_accuracy(steps, drift=drift, low=low, high=high)
    return from_arrays(
        *splits,
        classes=["negative", "positive"],
        channels=["evidence"],
        name="noisy-evidence",
        description=f"the sign of noisy evidence; the best observer is right in {best:.3f}",
    )


def best_accuracy(
    steps: int = 60, *, drift: float = 0.25, low: float = 0.3, high: float = 1.0
) -> float:
    """The accuracy of the best observer of `noisy_evidence` after all steps.

    Args:
        steps: The number of steps T.
        drift: The mean of the evidence at full contrast.
        low: The contrast in the first half.
        high: The contrast in the second half.

    Raises:
        ValueError: If an argument is out of its range.
    """
    drift = finite("drift", drift, positive=True)
    strength = drift * math.sqrt(np.square(_contrast(steps, low, high)).sum())
    return (1 + math.erf(strength / math.sqrt(2))) / 2


def _contrast(steps, low, high):
    steps = whole("steps", steps, 2, most=LARGEST_SIZE)
    low, high = finite("low", low, 0), finite("high", high, 0)
    return np.where(np.arange(steps) < steps // 2, low, high)


def _length(length):
    return whole("length", length, 1, most=LARGEST_SIZE)


def _sizes(sizes):
    counts = wholes("sizes", sizes, 1, most=LARGEST_SIZE)
    if len(counts) != len(SPLITS):
        raise ValueError(
            f"`sizes` must be three whole numbers, of {', '.join(SPLITS)}. Received: {counts}."
        )
    return counts
