"""An agent at work: what it sees, what it is paid, and how its units adapt."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from aru_keras._util.arguments import checked_units
from aru_keras.plots.style import PAGE_WIDTH, panels, unit_style, unlisted
from aru_keras.probing.reading import TRACES, liveliest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FEATURES = 6
"""Number of features that are drawn."""


def agent_episode(
    observations: np.ndarray,
    rewards: np.ndarray,
    signals: Mapping[str, np.ndarray],
    units: Sequence[int] | None = None,
) -> "Figure":
    """One episode of an agent, step by step.

    Args:
        observations: What it saw, (T, I).
        rewards: What it was paid after each step, (T,).
        signals: "n", "s" and "h", as far as there are, (T, N) each.
        units: Indices of the units to draw; by default the four that are liveliest.

    Returns:
        A `matplotlib.figure.Figure`: the observations, the sum of the rewards, and the signals.
    """
    shown = [name for name in TRACES if name in signals]
    units = np.sort(liveliest(signals, 4)) if units is None else units
    units = checked_units("units", units, signals[shown[0]].shape[1])
    figure, axes = panels(1, 2 + len(shown), width=PAGE_WIDTH, row_height=1.3)
    axes = np.ravel(axes)
    for index, feature in enumerate(np.transpose(observations)[:_FEATURES]):
        label = unlisted(f"feature {index}")
        axes[0].plot(feature, lw=1, color=unit_style(index)["color"], label=label)
    axes[0].set(ylabel="observation")
    axes[1].plot(np.cumsum(rewards), lw=1, color="k", label=unlisted("return"))
    axes[1].set(ylabel="return so far")
    for panel, name in zip(axes[2:], shown, strict=True):
        for index, unit in enumerate(units):
            style = {"color": unit_style(index)["color"], "lw": 1}
            panel.plot(signals[name][:, unit], label=f"unit {unit}", **style)
        panel.set(ylabel=f"${name}_t$")
    axes[-1].set(xlabel="step t")
    figure.legend(*axes[2].get_legend_handles_labels(), loc="outside right", frameon=False)
    return figure
