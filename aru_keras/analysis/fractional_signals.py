"""Fractional integrals of gain and saturation under a step (Geadah et al. 2024, Fig 9)."""

from dataclasses import dataclass

import numpy as np

from aru_keras._util.arguments import instance
from aru_keras.analysis._checks import is_constant
from aru_keras.analysis.comparison import compared_steps
from aru_keras.analysis.fitting import Fit, fit_line
from aru_keras.analysis.fractional import fractional_derivative
from aru_keras.analysis.step_response import StepResponses


@dataclass(frozen=True, eq=False)
class SignalIntegral:
    """A fractional derivative or integral of a signal's mean over units (Fig 9).

    Attributes:
        alpha: Order of the derivative; negative for an integral.
        drives: Amplitudes ξ of the drive, (D,).
        traces: D^α of the signal, (D, T), which is 0 at the baseline. For a constant signal it is
            0 everywhere, and there is no line.
        during: Steps at which the drive acts.
        lines: Lines fitted to the traces during the drive, one for each ξ.
    """

    alpha: float
    drives: np.ndarray
    traces: np.ndarray
    during: range
    lines: tuple[Fit, ...]


def signal_integral(
    responses: StepResponses,
    signal: str,
    alpha: float,
    *,
    method: str = "periodic",
    baseline: int | None = None,
) -> SignalIntegral:
    """D^α of n_t or s_t under the step drive, and lines fitted to it.

    Args:
        responses: Result of `step_responses`, with at least one ξ ≠ 0.
        signal: Name of a recorded signal, such as "n" or "s".
        alpha: Order of D^α; negative for an integral.
        method: Name of the method of `fractional_derivative`.
        baseline: Step before the drive at which the signal is at rest; None: by `compared_steps`.

    Raises:
        ValueError: There is no such signal, or no drive.
    """
    instance("responses", responses, StepResponses, "step_responses makes them.")
    during = np.flatnonzero(responses.drive.any(axis=0))
    if not during.size:
        raise ValueError("`responses` must have a ξ other than 0. Received: none.")
    mean = responses.of(signal).mean(axis=-1)
    strongest = np.abs(responses.drive).max(axis=0)
    rest = compared_steps(strongest)[1] if baseline is None else baseline
    traces = fractional_derivative(mean.T, alpha, method, rest).T
    # Otherwise the rounding of a constant would be taken for a signal.
    traces[[is_constant(course) for course in mean]] = 0
    lines = tuple(fit_line(during, trace[during]) for trace in traces)
    steps = range(during[0], during[-1] + 1)
    return SignalIntegral(float(alpha), responses.drives, traces, steps, lines)
