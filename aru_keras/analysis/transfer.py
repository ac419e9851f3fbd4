"""Recovery by retraining a weight group of a network on a changed task (Geadah et al. 2024, B.3).

The paper retrains n and s alone. Its accuracy is 94 % on psMNIST, 42 % on rotated images, and 56 %
on rotated images after retraining.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from aru_keras._util.arguments import array


@dataclass(frozen=True, eq=False)
class Recovery:
    """Fractions of the accuracy and the loss, changed by a new task, that retraining recovers.

    A fraction of 1 is a full recovery, 0 is none, and a negative fraction is a further decline. It
    is NaN for a seed in which the new task takes nothing.

    Attributes:
        accuracy: Recovered fraction of the drop in accuracy, (seeds,).
        loss: Recovered fraction of the rise of the loss, (seeds,).
    """

    accuracy: np.ndarray
    loss: np.ndarray


def recovery(accuracy: ArrayLike, loss: ArrayLike) -> Recovery:
    """The fractions of accuracy and loss that retraining recovers.

    Args:
        accuracy: Accuracies (3, seeds), with rows for the original task, the changed task, and the
            changed task after retraining.
        loss: Losses (3, seeds), with the same rows.

    Raises:
        ValueError: A shape does not fit, or a number is not finite.
    """
    return Recovery(_fraction("accuracy", accuracy, 1), _fraction("loss", loss, -1))


def _fraction(argument, values, sign):
    """The recovered fraction of what is lost: accuracy that falls, sign 1, or loss that rises."""
    expected = "three rows of finite numbers, one for each seed"
    values = array(argument, values, (3, "seeds"), what=expected)
    own, changed, retrained = values
    lost, regained = sign * (own - changed), sign * (retrained - changed)
    return np.divide(regained, lost, out=np.full_like(lost, np.nan), where=lost > 0)
