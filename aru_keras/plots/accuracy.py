"""Accuracies of the networks (Geadah et al. 2024, Table 1)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from aru_keras._util.deprecated import renamed
from aru_keras.analysis.statistics import estimate
from aru_keras.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SEED = {"color": "0.5", "marker": ".", "ms": 3, "ls": ""}
"""How the accuracy of a single seed is drawn beside the mean."""


def accuracies(
    results: Mapping[str, Mapping[str, Sequence[float]]], labels: Mapping[str, str] | None = None
) -> "Figure":
    """Accuracy of every network on every task: the mean, its 95 % interval, and every seed.

    One seed has no interval and is drawn hollow, in the legend too.

    Args:
        results: Accuracies over seeds, in [0, 1], by task, or another condition, and then by
            network.
        labels: Labels of networks that are not of `models.NETWORKS`, or other ones for those; a
            network without any is labelled by its name.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: An accuracy is not in [0, 1].
    """
    _check_shares(results)
    figure, (axes,) = style.panels(1, width=max(style.COLUMN_WIDTH, 1.6 * len(results) + 1.2))
    names = list(dict.fromkeys(name for row in results.values() for name in row))
    looks = style.network_looks(names)
    for column, row in enumerate(results.values()):
        for name, accuracies in row.items():
            position = column + 0.7 * ((names.index(name) + 0.5) / len(names) - 0.5)
            _draw_estimate(axes, position, looks[name], accuracies, name)
    _name(axes, results, looks, style.NETWORK_LABELS | dict(labels or {}))
    axes.set_xticks(range(len(results)), list(results))
    axes.set_xlim(-0.5, len(results) - 0.5)
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, 0), min(high, 101))  # An interval may reach beyond what there is.
    axes.set_ylabel("accuracy (%)")
    figure.legend(loc="outside right", frameon=False, fontsize=8)
    return figure


def _name(axes, results, looks, labels):
    """Entries of the legend, that look as what they name is drawn."""
    counts = {name: [len(row[name]) for row in results.values() if name in row] for name in looks}
    for name, look in looks.items():
        face = _face(look, max(counts[name]))
        axes.plot([], [], ls="", ms=5, mfc=face, label=labels.get(name, name), **look)
    of_all = [count for row in counts.values() for count in row]
    if max(of_all) > 1:
        axes.plot([], [], label="a seed", **_SEED)
        if min(of_all) == 1:
            axes.plot([], [], "o", ms=5, color="0.5", mfc="white", label="one seed alone")


def _face(look, seeds):
    return look["color"] if seeds > 1 else "white"


def _check_shares(results):
    for task, row in results.items():
        for name, accuracies in row.items():
            if not all(0 <= share <= 1 for share in accuracies):
                raise ValueError(
                    "`results` must be accuracies in [0, 1], not per cent. Received: "
                    f"{list(accuracies)} of {name!r} on {task!r}."
                )


def _draw_estimate(axes, position, look, accuracies, label):
    accuracy = estimate(accuracies)
    axes.errorbar(
        position,
        100 * accuracy.mean,
        None if accuracy.interval is None else 100 * accuracy.half_width,
        mfc=_face(look, accuracy.n),
        ms=5,
        capsize=3,
        label=style.unlisted(label),
        **look,
    )
    if accuracy.n > 1:
        seeds = [100 * share for share in accuracies]
        axes.plot([position] * accuracy.n, seeds, zorder=3, label=f"_{label}, seeds", **_SEED)


__getattr__ = renamed(__name__, {"accuracy": "accuracies", "SEED": "_SEED"})
