"""Shared by experiments 12, 13 and 13b: responses of the units to a step drive."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aru_keras.analysis.step_response import (
    RESPONSE_DRIVES,
    StepProtocol,
    StepResponses,
    step_responses,
)
from aru_keras.runners.experiments.measured import finite_signals
from aru_keras.runners.experiments.presets import Preset
from aru_keras.runners.experiments.trained_run import TrainedRun

STEPS = tuple(drive for drive in RESPONSE_DRIVES if drive)
"""Amplitudes ξ of the experiments. Without a drive there is no order, so 0 is left out."""


def responses_of(
    network: TrainedRun,
    preset: Preset,
    drives: Sequence[float],
    inputs: Mapping[str, Any] | None = None,
    **options: Any,
) -> StepResponses:
    """Responses of a network under the paper's protocol.

    Args:
        network: Network to measure, a `trained_run.TrainedRun`. Its seed is that of the inputs.
        preset: Preset with the number of repeats.
        drives: Amplitudes ξ of the drives.
        inputs: Fields of the `StepProtocol` that differ from its defaults.
        **options: Options of `analysis.step_responses`.
    """
    protocol = StepProtocol(repeats=preset.repeats, seed=network.seed, **(inputs or {}))
    responses = step_responses(network.model, drives, protocol=protocol, **options)
    finite_signals(responses.signals, max(drives))
    return responses


def responses_to(
    drives: Sequence[float], signals: Mapping[str, np.ndarray], *, isolated: bool
) -> StepResponses:
    """The responses to the paper's step drive, from saved signals (D, T, N) by name."""
    drive = np.stack([StepProtocol().drive(amplitude) for amplitude in drives])
    return StepResponses(np.array(drives), drive, dict(signals), isolated)


def population_responses(
    drives: Sequence[float], means: Mapping[str, np.ndarray], *, isolated: bool
) -> StepResponses:
    """The responses of the population as a single unit, from means over units (D, T) by signal."""
    signals = {signal: mean[..., None] for signal, mean in means.items()}
    return responses_to(drives, signals, isolated=isolated)
