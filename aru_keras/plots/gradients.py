"""Gradients through time (Geadah et al. 2024, Fig 18)."""

from collections.abc import Mapping, Sequence

import numpy as np

from aru_keras.analysis.gradients import Propagation
from aru_keras.plots import style


def gradients(networks: Mapping[str, Sequence[Propagation]]):
    """‖dL/dW_hh‖ over the accumulated length, and what each position adds to it.

    Args:
        networks: For each of `models.NETWORKS`, one `Propagation` a seed.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    figure, (length, position) = style.panels(2)
    for name, seeds in networks.items():
        options = {"color": style.NETWORK_STYLES[name]["color"], "lw": 1.2}
        options["label"] = style.NETWORK_LABELS[name]
        style.band(length, seeds[0].lengths, [one.detached for one in seeds], **options)
        # The first step adds nothing: h before it is 0.
        steps = np.arange(1, len(seeds[0].contributions))
        style.band(position, steps, [one.contributions[1:] for one in seeds], **options)
    length.set(xlabel="accumulated length $T - t_0$", ylabel=r"$\|dL/dW_{hh}\|$")
    position.set(xlabel="position $t$", ylabel=r"$\|h_{t-1}^T\,\bar a_t\|$")
    style.letters((length, position))
    for one in (length, position):
        one.set_yscale("log")
    handles = length.get_legend_handles_labels()
    figure.legend(*handles, loc="outside right", frameon=False, fontsize=8)
    return figure
