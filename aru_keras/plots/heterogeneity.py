"""Clouds of activation parameters (Geadah et al. 2024, Fig 3a)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from aru_keras._util.deprecated import renamed
from aru_keras.analysis.heterogeneity import Cloud
from aru_keras.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARKERS = "osD^v"


def parameter_clouds(stages: Mapping[str, Cloud]) -> "Figure":
    """The clouds of (n, s), one colour a stage, with ellipses of two standard deviations.

    Args:
        stages: Clouds by name, in order; at most five.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: there are more than five stages.
    """
    if len(stages) > len(_MARKERS):
        raise ValueError(
            f"`stages` must be at most five, to be told apart. Received: {len(stages)}. Leave some "
            "of them out."
        )
    figure, (axes,) = style.panels(1, width=style.COLUMN_WIDTH + 0.6, row_height=2.9)
    for index, (name, cloud) in enumerate(stages.items()):
        colour = style.UNIT_COLOURS[index]
        axes.scatter(
            *cloud.points.T,
            s=40 if not cloud.spread else 7,
            color=colour,
            marker=_MARKERS[index],
            alpha=0.9 if not cloud.spread else 0.5,
            lw=0,
            label=f"{name}, spread {cloud.spread:.2g}",
            zorder=3 if not cloud.spread else 2,
        )
        axes.plot(*_ellipse(cloud), color=colour, lw=1, label=f"_{name}, two deviations")
    axes.set(xlabel="gain $n$", ylabel="saturation $s$")
    axes.legend(frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure


def _ellipse(cloud):
    """Two standard deviations about the mean, (2, 100)."""
    values, vectors = np.linalg.eigh(cloud.covariance)
    angle = np.linspace(0, 2 * np.pi, 100)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    return cloud.mean[:, None] + 2 * vectors @ (np.sqrt(np.maximum(values, 0))[:, None] * circle)


__getattr__ = renamed(__name__, {"heterogeneity": "parameter_clouds"})
