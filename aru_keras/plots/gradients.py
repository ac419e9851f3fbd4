"""Gradients through time (Geadah et al. 2024, Fig 18)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aru_keras._util.deprecated import renamed
from aru_keras.analysis.gradients import Propagation
from aru_keras.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def gradient_norms(networks: Mapping[str, Sequence[Propagation]]) -> "Figure":
    """‖dL/dW_hh‖ over the accumulated length, and what each position adds to it.

    Bands are one standard error over seeds, thin lines are the seeds.

    Args:
        networks: For each network by name, one `Propagation` a seed; a network of your own is
            labelled by its name.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    figure, (length, position) = style.panels(2)
    looks = style.network_looks(networks)
    for name, seeds in networks.items():
        options: dict[str, Any] = {"color": looks[name]["color"], "lw": 1.2}
        options["label"] = style.network_label(name)
        style.band(length, seeds[0].lengths, [seed.detached for seed in seeds], **options)
        # The first step adds nothing: h before it is 0.
        steps = np.arange(1, len(seeds[0].contributions))
        style.band(position, steps, [seed.contributions[1:] for seed in seeds], **options)
    length.set(xlabel="accumulated length $T - t_0$", ylabel=r"$\|dL/dW_{hh}\|$")
    position.set(xlabel="position $t$", ylabel=r"$\|h_{t-1}^T\,\bar a_t\|$")
    style.letters((length, position))
    for axes in (length, position):
        if any((line.get_ydata() > 0).any() for line in axes.lines):
            axes.set_yscale("log")
    handles = length.get_legend_handles_labels()
    figure.legend(*handles, loc="outside right", frameon=False, fontsize=8)
    return figure


__getattr__ = renamed(__name__, {"gradients": "gradient_norms"})
