"""Maps of perturbations over two of their properties (Geadah et al. 2024, Figs 13–16)."""

from collections.abc import Sequence

import numpy as np

from aru_keras._util.arguments import LARGEST_SIZE, array, whole, wholes
from aru_keras.analysis._perturbation_grid import perturbation_grid
from aru_keras.analysis.robustness import CONTRAST_AMPLITUDES, STEP_AMPLITUDES
from aru_keras.perturbations import PAPER_TIMESTEPS, Contrast, Perturbations, StepDrive

CONTRAST_PHASES = tuple(k * np.pi / 4 for k in range(8))
"""Phases φ of the contrast in its map (our choice)."""

STEP_DURATIONS = (25, 50, 100, 200, 300, 400, 500)
"""Durations τ of the step drive in its map, for 784 steps; scaled to T (our choice)."""


def contrast_map(
    amplitudes: Sequence[float] = CONTRAST_AMPLITUDES, phases: Sequence[float] = CONTRAST_PHASES
) -> np.ndarray:
    """Contrasts over amplitudes A and phases φ, (A, Φ), for `score_grid` (Figs 13–16)."""
    return perturbation_grid(
        lambda a, phase: Contrast(a, phase=phase) if a else Perturbations(),
        amplitudes=amplitudes,
        phases=phases,
    )


def step_map(
    amplitudes: Sequence[float] = STEP_AMPLITUDES, durations: Sequence[int] = STEP_DURATIONS
) -> np.ndarray:
    """Step drives over amplitudes ξ and durations τ, (Ξ, Τ), for `score_grid` (Figs 13–16).

    A drive acts at t0 < t < t0 + τ, with the paper's t0, so τ must be 2 steps or more.
    """
    return perturbation_grid(
        lambda xi, tau: StepDrive(xi, duration=int(tau)) if xi else Perturbations(),
        amplitudes=amplitudes,
        durations=wholes("durations", durations, 2, most=LARGEST_SIZE),
    )


def scaled_durations(timesteps: int, durations: Sequence[int] = STEP_DURATIONS) -> list[int]:
    """Durations τ for 784 steps, scaled to a sequence of T steps: τ·T/784, at least 2."""
    timesteps = whole("timesteps", timesteps, 1, most=LARGEST_SIZE)
    durations = array("durations", durations, ("K",), least=0, what="a list of numbers from 0")
    return [max(2, round(tau * timesteps / PAPER_TIMESTEPS)) for tau in durations]
