"""Accuracy and loss under perturbations (Geadah et al. 2024, Figs 2 and 13–16)."""

from collections.abc import Mapping, Sequence

import numpy as np

from aru_keras.analysis.robustness import Scores
from aru_keras.plots import style

STEP_LABEL = r"step drive $\xi$"
CONTRAST_LABEL = "contrast amplitude $A$"
PHASE_LABEL = r"phase $\phi$ (rad)"
DURATION_LABEL = r"duration $\tau$ (steps)"
"""Labels of the axes of curves and maps."""

ACCURACY_MAP, LOSS_MAP = "cividis", "magma_r"


def robustness(
    networks: Mapping[str, Sequence[Scores]],
    amplitudes: Sequence[float],
    label: str = STEP_LABEL,
    classes: int = 10,
):
    """Accuracy and loss of networks over the amplitude of a perturbation (Fig 2).

    Bands are one standard error over seeds; the dotted line is chance.

    Args:
        networks: For each of `models.NETWORKS`, one `Scores` of curves (K,) a seed.
        amplitudes: (K,).
        label: Of the amplitude.
        classes: Of the task.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    figure, (accuracy, loss) = style.panels(2)
    for name, seeds in networks.items():
        options = {**style.NETWORK_STYLES[name], "label": style.NETWORK_LABELS[name], "ms": 3.5}
        style.band(accuracy, amplitudes, [100 * one.accuracy for one in seeds], **options)
        style.band(loss, amplitudes, [one.loss for one in seeds], **options)
    chance = {"color": "0.5", "lw": 0.8, "ls": ":", "label": "chance"}
    accuracy.axhline(100 / classes, **chance)
    loss.axhline(np.log(classes), **chance)
    accuracy.set(xlabel=label, ylabel="accuracy (%)", ylim=(0, 100))
    loss.set(xlabel=label, ylabel="cross-entropy (nats)", yscale="log")
    style.plain_logarithmic(loss.yaxis)
    handles = accuracy.get_legend_handles_labels()
    figure.legend(*handles, loc="outside right", frameon=False, fontsize=8)
    style.letters((accuracy, loss))
    return figure


def maps(
    networks: Mapping[str, Scores],
    rows: Sequence[float],
    columns: Sequence[float],
    row_label: str = CONTRAST_LABEL,
    column_label: str = PHASE_LABEL,
):
    """Accuracy and loss over two properties of a perturbation, a column a network (Figs 13–16).

    All networks share the colours; those of the loss are logarithmic.

    Args:
        networks: For each of `models.NETWORKS`, `Scores` of a map (R, C).
        rows: (R,), such as amplitudes.
        columns: (C,), such as phases.
        row_label: Of `rows`.
        column_label: Of `columns`.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    from matplotlib.colors import LogNorm, Normalize

    width = max(style.COLUMN_WIDTH, 1.7 * len(networks) + 1.2)
    figure, axes = style.panels(len(networks), 2, width=width, row_height=1.9)
    losses = np.stack([one.loss for one in networks.values()])
    shades = (
        ("accuracy", 100, ACCURACY_MAP, Normalize(0, 100), "accuracy (%)"),
        ("loss", 1, LOSS_MAP, LogNorm(losses.min(), losses.max()), "cross-entropy (nats)"),
    )
    for place, (field, scale, colours, norm, label) in enumerate(shades):
        for column, (name, scores) in enumerate(networks.items()):
            one, values = axes[place, column], scale * getattr(scores, field)
            drawn = one.imshow(values, origin="lower", aspect="auto", cmap=colours, norm=norm)
            drawn.set_label(style.unlisted(label))
            one.set_yticks(range(len(rows)), [style.number(value) for value in rows])
            names = [style.number(value, ".3g") for value in columns]
            one.set_xticks(range(len(columns)), names, rotation=90)
            one.tick_params(labelsize=7, labelleft=not column, labelbottom=place == 1)
            if place == 0:
                one.set_title(style.NETWORK_LABELS[name], fontsize=9)
        axes[place, 0].set_ylabel(row_label)
        bar = figure.colorbar(drawn, ax=axes[place], label=label)
    style.plain_logarithmic(bar.ax.yaxis)
    style.letters(axes[:, 0])
    for one in axes[1]:
        one.set_xlabel(column_label)
    return figure
