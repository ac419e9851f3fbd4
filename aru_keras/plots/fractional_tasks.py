"""Fractional orders of populations over the drive (Geadah et al. 2024, Fig 4d)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from aru_keras.analysis.fractional_tasks import TaskComparison
from aru_keras.plots.style import COLUMN_WIDTH, band, panels, unit_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIGNIFICANT = 0.05


def population_orders(
    tasks: Mapping[str, Sequence[Mapping[float, float]]], comparison: TaskComparison | None = None
) -> "Figure":
    """α of the population over ξ (Fig 4d).

    Bands are one standard error over seeds, thin lines are the seeds.

    Args:
        tasks: By label, of each seed what `analysis.population_orders` gives.
        comparison: What `analysis.compare_tasks` gives: a star marks the ξ with p < 0.05.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    figure, (axes,) = panels(1, width=COLUMN_WIDTH, row_height=2.6)
    for index, (label, seeds) in enumerate(tasks.items()):
        drives = sorted(seeds[0])
        values = np.array([[orders[drive] for drive in drives] for orders in seeds])
        style = {**unit_style(index), "marker": "os^v"[index % 4], "ms": 4}
        band(axes, drives, values, label=label, **style)
    axes.axhline(0, color="0.5", lw=0.8, zorder=0, label="_zero")
    axes.set(xlabel="drive ξ", ylabel="population order α")
    if comparison is not None:
        _mark_significant(axes, comparison)
    axes.legend(frameon=False, fontsize=8)
    return figure


def _mark_significant(axes, comparison):
    drives = [drive for drive, test in comparison.by_drive.items() if test.p < _SIGNIFICANT]
    # In the axes' own height, so that the stars stay above the curves.
    options = {"transform": axes.get_xaxis_transform(), "clip_on": False}
    label = f"p < {_SIGNIFICANT:g}" if drives else None
    axes.plot(drives, [0.99] * len(drives), "k*", ms=6, label=label, **options)
