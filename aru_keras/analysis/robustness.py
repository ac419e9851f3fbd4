"""Perturbations of increasing amplitude, and the accuracy lost (Geadah et al. 2024, Fig 2)."""

import numpy as np
from numpy.typing import ArrayLike

from aru_keras._util.arguments import array, finite, shown
from aru_keras._util.deprecated import renamed
from aru_keras.analysis._perturbation_grid import perturbation_grid
from aru_keras.perturbations import Contrast, Perturbations, StepDrive

STEP_AMPLITUDES = (0, 0.5, 1, 2.5, 5, 7.5, 10, 15, 20, 30)
"""Amplitudes ξ of the paper's step drives."""

CONTRAST_AMPLITUDES = (0, 0.2, 0.4, 0.6, 0.8, 1)
"""Amplitudes A of the contrast; at A = 1 pixels reach black. The paper does not give its values."""


def step_drives(amplitudes: ArrayLike = STEP_AMPLITUDES) -> np.ndarray:
    """Step drives of amplitudes ξ in the paper's window, (K,), for `score_grid` (Fig 2).

    The entry for ξ = 0 is no perturbation.
    """
    return perturbation_grid(
        lambda xi: StepDrive(xi) if xi else Perturbations(), amplitudes=amplitudes
    )


def contrasts(amplitudes: ArrayLike = CONTRAST_AMPLITUDES) -> np.ndarray:
    """Contrasts of amplitudes A, (K,), for `score_grid` (Fig 2); A = 0 is no perturbation."""
    return perturbation_grid(lambda a: Contrast(a) if a else Perturbations(), amplitudes=amplitudes)


def fractional_drop(amplitudes: ArrayLike, values: ArrayLike, chance: float = 0.0) -> float:
    """The fraction of the accuracy above chance that is lost, on average over amplitudes.

    It is 1 − (area between the curve and chance) / (area between the first accuracy and chance), by
    the trapezoidal rule. It is 0 for a network that does not degrade, and near 1 for a network
    whose accuracy drops to chance at once.

    Args:
        amplitudes: Increasing amplitudes, (K,), the first one usually 0.
        values: Accuracies at these amplitudes, (K,).
        chance: Accuracy of a guess, such as 1/10 for ten classes. With 0, a network that guesses
            under every perturbation has lost less than everything.

    Raises:
        ValueError: The amplitudes do not increase, there are fewer than two, a number is not
            finite, or the first accuracy is not above chance.
    """
    amplitudes, values = array("amplitudes", amplitudes, ("K",)), array("values", values, ("K",))
    same = len(amplitudes) == len(values) > 1
    if not (same and (np.diff(amplitudes) > 0).all()):
        raise ValueError(
            "`amplitudes` and `values` must be (K,), K ≥ 2, finite, amplitudes increasing. "
            f"Received: {shown(amplitudes.tolist())} and {shown(values.tolist())}."
        )
    above = values - finite("chance", chance)
    if above[0] <= 0:
        raise ValueError(
            f"The first of `values` must be above `chance`. Received: {values[0]} and {chance}."
        )
    area = np.trapezoid(above, amplitudes)
    return float(1 - area / (above[0] * (amplitudes[-1] - amplitudes[0])))


__getattr__ = renamed(
    __name__,
    {
        "Score": "aru_keras.analysis.evaluation:Score",
        "Scores": "aru_keras.analysis.evaluation:Scores",
        "Evaluator": "aru_keras.analysis.evaluation:Evaluator",
        "measure": "aru_keras.analysis.evaluation:score_grid",
        "CONTRAST_PHASES": "aru_keras.analysis.sensitivity:CONTRAST_PHASES",
        "STEP_DURATIONS": "aru_keras.analysis.sensitivity:STEP_DURATIONS",
        "contrast_map": "aru_keras.analysis.sensitivity:contrast_map",
        "step_map": "aru_keras.analysis.sensitivity:step_map",
        "scaled_durations": "aru_keras.analysis.sensitivity:scaled_durations",
    },
)
