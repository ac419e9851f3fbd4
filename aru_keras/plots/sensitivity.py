"""Accuracy and loss over two properties of a perturbation (Geadah et al. 2024, Figs 13–16)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from aru_keras.analysis.evaluation import Scores
from aru_keras.plots import style
from aru_keras.plots.robustness import CONTRAST_LABEL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PHASE_LABEL = r"phase $\phi$ (rad)"
DURATION_LABEL = r"duration $\tau$ (steps)"
"""Labels of the axes of curves and maps."""

_ACCURACY_MAP, _LOSS_MAP = "cividis", "magma_r"


def sensitivity_maps(
    networks: Mapping[str, Scores],
    rows: Sequence[float],
    columns: Sequence[float],
    row_label: str = CONTRAST_LABEL,
    column_label: str = PHASE_LABEL,
) -> "Figure":
    """Accuracy and loss over two properties of a perturbation, a column a network (Figs 13–16).

    All networks share the colours; those of the loss are logarithmic. An entry whose loss is 0, or
    not finite, has no colour.

    Args:
        networks: For each network by name, `Scores` of a map (R, C); a network of your own is
            labelled by its name.
        rows: (R,), such as amplitudes.
        columns: (C,), such as phases.
        row_label: Label of `rows`.
        column_label: Label of `columns`.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    from matplotlib.colors import Normalize

    width = max(style.COLUMN_WIDTH, 1.7 * len(networks) + 1.2)
    figure, axes = style.panels(len(networks), 2, width=width, row_height=1.9)
    norm_of_losses = _logarithmic([scores.loss for scores in networks.values()])
    shades = (
        ("accuracy", 100, _ACCURACY_MAP, Normalize(0, 100), "accuracy (%)"),
        ("loss", 1, _LOSS_MAP, norm_of_losses, "cross-entropy (nats)"),
    )
    for row, (field, scale, colours, norm, label) in enumerate(shades):
        for column, (name, scores) in enumerate(networks.items()):
            panel, values = axes[row, column], scale * getattr(scores, field)
            values = np.where(np.isfinite(values), values, np.nan)
            drawn = panel.imshow(values, origin="lower", aspect="auto", cmap=colours, norm=norm)
            drawn.set_label(style.unlisted(label))
            panel.set_yticks(range(len(rows)), [style.number(value) for value in rows])
            names = [style.number(value, ".3g") for value in columns]
            panel.set_xticks(range(len(columns)), names, rotation=90)
            panel.tick_params(labelsize=7, labelleft=not column, labelbottom=row == 1)
            if row == 0:
                panel.set_title(style.network_label(name), fontsize=9)
        axes[row, 0].set_ylabel(row_label)
        bar = figure.colorbar(drawn, ax=axes[row], label=label)
    style.plain_logarithmic(bar.ax.yaxis)
    style.letters(axes[:, 0])
    for panel in axes[1]:
        panel.set_xlabel(column_label)
    return figure


def _logarithmic(losses):
    """A logarithmic scale from the least to the greatest loss that such a scale can show."""
    from matplotlib.colors import LogNorm

    losses = np.ravel(losses)
    shown = losses[np.isfinite(losses) & (losses > 0)]
    return LogNorm(shown.min(), shown.max()) if len(shown) else LogNorm(0.1, 1)
