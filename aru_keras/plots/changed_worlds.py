"""How much of its return an agent keeps when its world changes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from aru_keras.plots.style import COLUMN_WIDTH, band, network_label, network_looks, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def return_curves(
    returns: Mapping[str, np.ndarray], amplitudes: Sequence[float], change: str
) -> "Figure":
    """Mean return over the amplitude of a change.

    Bands are one standard error over seeds, and thin lines are the seeds.

    Args:
        returns: Mean returns of each network by name, (seeds, amplitudes); a network of your own
            is labelled by its name.
        amplitudes: Amplitudes of the change.
        change: What changes, for the axis.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    figure, (axes,) = panels(1, width=COLUMN_WIDTH)
    looks = network_looks(returns)
    for network, values in returns.items():
        band(axes, amplitudes, np.asarray(values), label=network_label(network), **looks[network])
    axes.set(xlabel=change, ylabel="mean return")
    figure.legend(frameon=False, fontsize=7, loc="outside right")
    return figure
