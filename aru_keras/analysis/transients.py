"""Onset and steady state of n and s under a step drive (Geadah et al. 2024, Figs 4a and 5b).

The signals are averaged over batch and units. The onset is the first step at which the drive acts,
t0 + 1. The steady state is the mean over the steps t0 + 100 … t0 + 179 of the paper's 784. For
sequences of T steps these offsets are scaled by T/784, as is the window of the drive.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from aru_keras._util.arguments import array, flag, held, instance
from aru_keras._util.deprecated import renamed
from aru_keras._util.numerics import refuse_overflow
from aru_keras.analysis import fitting
from aru_keras.analysis._checks import unmasked
from aru_keras.analysis.robustness import STEP_AMPLITUDES
from aru_keras.perturbations import PAPER_TIMESTEPS, StepDrive
from aru_keras.probing import Record, Recorder

STEADY_OFFSETS = (100, 180)
"""First step of the steady state after t0, and the step after its last, for 784 steps."""


@dataclass(frozen=True, eq=False)
class Course:
    """The course of one signal under a step drive.

    Attributes:
        mean: Mean over batch and units at every step, (T,).
        onset: Value of this mean at t0 + 1.
        steady: Average of this mean over the steady state.
        decay: Fit of a·exp(−t/τ) + c from the onset to the end of the drive, with t in steps after
            the onset.
    """

    mean: np.ndarray
    onset: float
    steady: float
    decay: fitting.Fit


@dataclass(frozen=True)
class Transient:
    """The courses of n and s under a step drive.

    Attributes:
        drive: Step drive; its `amplitude` is ξ.
        n, s: Courses of the gain and of the saturation.
        window: Steps t at which the drive acts.
    """

    drive: StepDrive
    n: Course
    s: Course
    window: range


def steady_state(drive: StepDrive, timesteps: int) -> range:
    """The steps of the steady state under a drive, in a sequence of T steps.

    Raises:
        ValueError: There are none, or they do not lie inside the drive's window.
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
        recording: Signals "n" and "s" by name, (B, T, N) each, of sequences under the drive.
        drive: Step drive during the recording.

    Raises:
        ValueError: A signal is missing or not finite, or the steady state is not in the drive.
    """
    names = ("n", "s")
    hint = 'Record them with probing.record(network, x, ("n", "s"), drive).'
    signals = held("recording", unmasked("recording", recording), names, hint)
    recorded = zip(names, signals, strict=True)
    signals = [_checked(name, values) for name, values in recorded]
    timesteps = signals[0].shape[1]
    steady = steady_state(drive, timesteps)
    window = drive.window(timesteps)
    n, s = (_course(values, window, steady) for values in signals)
    return Transient(drive, n, s, window)


def measure_transients(
    network: keras.layers.Layer | str | os.PathLike,
    x: np.ndarray,
    amplitudes: Sequence[float] = STEP_AMPLITUDES,
    *,
    progress: bool = False,
) -> tuple[Transient, ...]:
    """The transients of a network that reads sequences of its task, for every ξ.

    The step drives act in the paper's window.

    Args:
        network: An `ARU` or `GammaRNN`, a model with one of them, or the folder of a run.
        x: Sequences (B, T, I), or in the form of the model's pixel input.
        amplitudes: Amplitudes ξ of the drive.
        progress: Whether to show a progress bar.

    Raises:
        ValueError: The network has no n and s, the sequences are too short for a steady state, or
            the network masks steps of them.
    """
    amplitudes = array("amplitudes", amplitudes, ("K",), what="a list of finite numbers")
    x = array("x", x, ("B", "T"), ("B", "T", "I"), ("B", "H", "W", "C"), dtype=None)
    progress, record = flag("progress", progress), Recorder(network, Record(("n", "s")))
    timesteps = _steps_read(record, x)
    bar = keras.utils.Progbar(len(amplitudes), unit_name="amplitude") if progress else None
    transients = []
    for index, amplitude in enumerate(amplitudes):
        drive = StepDrive(amplitude)
        recording = unmasked("x", record(x, drive.drive([0], timesteps)))
        transients.append(transient(recording, drive))
        if bar:
            bar.update(index + 1)
    return tuple(transients)


def _steps_read(record, x):
    """The number of steps T of the recurrent layer, behind any encoder."""
    return record(x[:1])["n"].shape[1]


def _checked(name, values):
    refuse_overflow(name, values)
    expected = f"{name!r}, and {name!r} must be finite and of shape (B, T, N)"
    return array("recording", values, ("B", "T", "N"), what=expected, verb="hold", dtype=None)


def _course(values, window, steady):
    mean = values.mean(axis=(0, 2), dtype="float64")
    driven = mean[window.start : window.stop]
    return Course(
        mean=mean,
        onset=float(driven[0]),
        steady=float(mean[steady.start : steady.stop].mean()),
        decay=fitting.fit_decay(np.arange(len(driven)), driven),
    )


__getattr__ = renamed(__name__, {"transients": "measure_transients"})
