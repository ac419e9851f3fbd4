"""Onset and steady state of n and s under a step drive (Geadah et al. 2024, Figs 4a and 5b).

Averages over batch and units. The onset is the first step that the drive acts on, t0 + 1; the
steady state the mean over t0 + 100 … t0 + 179 of the paper's 784 steps. As the drive's own window,
these offsets are scaled by T/784 for sequences of T steps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from aru_keras.analysis import fitting
from aru_keras.analysis.robustness import STEP_AMPLITUDES
from aru_keras.arguments import array, flag, held, instance
from aru_keras.numerics import refuse_overflow
from aru_keras.perturbations import PAPER_TIMESTEPS, StepDrive
from aru_keras.probing import Record, Recorder

STEADY_OFFSETS = (100, 180)
"""Steps after t0 from which, and before which, the state counts as steady; of 784 steps."""


@dataclass(frozen=True)
class Course:
    """One signal under a step drive.

    Attributes:
        mean: Over batch and units at every step, (T,).
        onset: At t0 + 1.
        steady: Mean over the steady state.
        decay: a·exp(−t/τ) + c from the onset to the end of the drive, t in steps after the onset.
    """

    mean: np.ndarray
    onset: float
    steady: float
    decay: fitting.Fit


@dataclass(frozen=True)
class Transient:
    """n and s under a step drive.

    Attributes:
        drive: The step drive; its `amplitude` is ξ.
        n, s: A `Course` each.
        window: The steps t that the drive acts on.
    """

    drive: StepDrive
    n: Course
    s: Course
    window: range


def steady_state(drive: StepDrive, timesteps: int) -> range:
    """The steps of the steady state under a drive, of a sequence of T.

    Raises:
        ValueError: They do not lie inside the drive's window, or there are none.
    """
    window = instance("drive", drive, StepDrive).window(timesteps)
    t0 = window.start - 1
    first, end = (round(offset * timesteps / PAPER_TIMESTEPS) for offset in STEADY_OFFSETS)
    steps = range(t0 + first, t0 + end)
    if not steps or steps.start < window.start or steps.stop > window.stop:
        raise ValueError(
            f"The steady state, t0 + {first} ≤ t < t0 + {end} of T = {timesteps} steps, must lie "
            f"inside the drive. Received: {drive}, which acts on {window.start} ≤ t < "
            f"{window.stop}. Choose a longer `duration`, or longer sequences."
        )
    return steps


def transient(recording: Mapping[str, np.ndarray], drive: StepDrive) -> Transient:
    """Onset, steady state and decay in a recording of a network under a step drive.

    Args:
        recording: "n" and "s", (B, T, N), of sequences with this drive.
        drive: What acted.

    Raises:
        ValueError: A signal is missing or not finite, or the steady state is not in the drive.
    """
    names = ("n", "s")
    hint = 'Record them with probing.record(network, x, ("n", "s"), drive).'
    recorded = zip(names, held("recording", recording, names, hint), strict=True)
    signals = [_checked(name, values) for name, values in recorded]
    timesteps = signals[0].shape[1]
    steady = steady_state(drive, timesteps)
    window = drive.window(timesteps)
    n, s = (_course(values, window, steady) for values in signals)
    return Transient(drive, n, s, window)


def transients(
    network,
    x: np.ndarray,
    amplitudes: Sequence[float] = STEP_AMPLITUDES,
    *,
    progress: bool = False,
) -> tuple[Transient, ...]:
    """Transients of a network that reads real sequences, for every ξ in the paper's window.

    Args:
        network: `ARU` or `GammaRNN`, a model with one, or the folder of a run.
        x: The sequences, (B, T, I), or what the model's pixel input takes.
        amplitudes: ξ.
        progress: Show a progress bar.

    Raises:
        ValueError: The network has no n and s, or the sequences are too short for a steady state.
    """
    amplitudes = array("amplitudes", amplitudes, ("K",), what="a list of finite numbers")
    x = array("x", x, ("B", "T"), ("B", "T", "I"), ("B", "H", "W", "C"), dtype=None)
    progress, record = flag("progress", progress), Recorder(network, Record(("n", "s")))
    timesteps = _steps_read(record, x)
    bar = keras.utils.Progbar(len(amplitudes), unit_name="amplitude") if progress else None
    found = []
    for place, amplitude in enumerate(amplitudes):
        drive = StepDrive(amplitude)
        found.append(transient(record(x, drive.drive([0], timesteps)), drive))
        if bar:
            bar.update(place + 1)
    return tuple(found)


def _steps_read(record, x):
    """T of the recurrent layer, whatever encoder stands before it."""
    return record(x[:1])["n"].shape[1]


def _checked(name, values):
    refuse_overflow(name, values)
    what = f"{name!r}, and {name!r} must be finite and of shape (B, T, N)"
    return array("recording", values, ("B", "T", "N"), what=what, verb="hold", dtype=None)


def _course(values, window, steady):
    mean = values.mean(axis=(0, 2), dtype="float64")
    driven = mean[window.start : window.stop]
    return Course(
        mean=mean,
        onset=float(driven[0]),
        steady=float(mean[steady.start : steady.stop].mean()),
        decay=fitting.decay(np.arange(len(driven)), driven),
    )
