"""What retraining a part of a network recovers on a changed task (Geadah et al. 2024, B.3).

The paper retrains n and s alone: 94 % on psMNIST, 42 % on rotated images, 56 % after retraining.
"""

from dataclasses import dataclass

import numpy as np

from aru_keras.arguments import array, shown


@dataclass(frozen=True, eq=False)
class Recovery:
    """Shares of what the change of task took that retraining gave back.

    1 is all of it, 0 nothing, below 0 a further loss.

    Attributes:
        accuracy: Of the lost accuracy, (seeds,).
        loss: Of the risen loss, (seeds,).
    """

    accuracy: np.ndarray
    loss: np.ndarray


def recovery(accuracy, loss) -> Recovery:
    """The shares that retraining recovers.

    Args:
        accuracy: (3, seeds): on the task, on the changed task, and there after retraining.
        loss: (3, seeds), likewise.

    Raises:
        ValueError: A shape does not fit, a number is not finite, or the change of task took
            nothing.
    """
    return Recovery(_share("accuracy", accuracy), _share("loss", loss))


def _share(argument, values):
    what = "three rows of finite numbers, one a seed"
    values = array(argument, values, (3, "seeds"), what=what)
    own, changed, retrained = values
    if (own == changed).any():
        raise ValueError(
            f"`{argument}` must differ between the task and the changed one: nothing is lost that "
            f"could be recovered. Received: {shown(own.tolist())} on both."
        )
    return (retrained - changed) / (own - changed)
