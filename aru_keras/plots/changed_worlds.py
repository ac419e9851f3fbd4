"""How much of its return an agent keeps when its world changes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aru_keras.plots.style import COLUMN_WIDTH, NETWORK_LABELS, NETWORK_STYLES, band, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def return_curves(
    returns: Mapping[str, np.ndarray], amplitudes: Sequence[float], change: str
) -> "Figure":
    """Mean return over the amplitude of a change.

    Bands are one standard error over seeds, and thin lines are the seeds.

    Args:
        returns: Mean returns of each network, (seeds, amplitudes).
        amplitudes: Amplitudes of the change.
        change: What changes, for the axis.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    figure, (axes,) = panels(1, width=COLUMN_WIDTH)
    for network, values in returns.items():
        style: dict[str, Any] = NETWORK_STYLES.get(network, {})
        band(
            axes,
            amplitudes,
            np.asarray(values),
            label=NETWORK_LABELS.get(network, network),
            **style,
        )
    axes.set(xlabel=change, ylabel="mean return")
    figure.legend(frameon=False, fontsize=7, loc="outside right")
    return figure
