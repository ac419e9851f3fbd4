"""An agent at work: what it sees, what it is paid, and how its units adapt."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from aru_keras._util.arguments import checked_units, held
from aru_keras.plots.style import PAGE_WIDTH, panels, unit_style, unlisted
from aru_keras.probing.reading import TRACES, liveliest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FEATURES = 6
"""Number of features that are drawn."""

_FEATURE_GREYS, _FEATURE_DASHES = ("0.15", "0.6"), ("-", "--", ":")
"""Looks of features, which are no units and have none of their colours."""


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
        signals: "h", and "n" and "s" if the network has them, (T, N) each.
        units: Indices of the units to draw; by default the four that are liveliest.

    Returns:
        A `matplotlib.figure.Figure`: the observations, of which the first six features are drawn,
        the sum of the rewards, and the signals.

    Raises:
        ValueError: If there is no "h", or a unit does not exist.
    """
    held("signals", signals, ["h"], "Take them from an OnlineStep or a Probe.")
    shown = [name for name in TRACES if name in signals]
    units = np.sort(liveliest(signals, 4)) if units is None else units
    units = checked_units("units", units, signals["h"].shape[1])
    figure, axes = panels(1, 2 + len(shown), width=PAGE_WIDTH, row_height=1.3)
    axes = np.ravel(axes)
    _draw_features(axes[0], np.transpose(observations))
    axes[1].plot(np.cumsum(rewards), lw=1, color="k", label=unlisted("return"))
    axes[1].set(ylabel="return so far")
    for panel, name in zip(axes[2:], shown, strict=True):
        for index, unit in enumerate(units):
            style = {"color": unit_style(index)["color"], "lw": 1}
            panel.plot(signals[name][:, unit], label=f"unit {unit}", **style)
        panel.set(ylabel=f"${name}_t$")
    axes[-1].set(xlabel="step t")
    figure.legend(*axes[2].get_legend_handles_labels(), **_legend("outside right"))
    return figure


def _draw_features(axes, features):
    """The first features, with a legend of their own at the height of this panel."""
    for index, feature in enumerate(features[:_FEATURES]):
        grey = _FEATURE_GREYS[index % len(_FEATURE_GREYS)]
        dashes = _FEATURE_DASHES[index // len(_FEATURE_GREYS)]
        axes.plot(feature, lw=1, color=grey, ls=dashes, label=f"feature {index}")
    axes.set(ylabel="observation")
    handles, labels = axes.get_legend_handles_labels()
    if len(features) > _FEATURES:
        handles.append(axes.plot([], [], ls="", label=f"+ {len(features) - _FEATURES} more")[0])
        labels.append(handles[-1].get_label())
    axes.figure.legend(handles, labels, **_legend("outside right upper"))


def _legend(loc):
    return {"loc": loc, "frameon": False, "fontsize": 8}
