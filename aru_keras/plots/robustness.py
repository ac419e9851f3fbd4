"""Accuracy and loss over the strength of a perturbation (Geadah et al. 2024, Fig 2)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aru_keras._util.deprecated import renamed
from aru_keras.analysis.evaluation import Scores
from aru_keras.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEP_LABEL = r"step drive $\xi$"
CONTRAST_LABEL = "contrast amplitude $A$"


def robustness_curves(
    networks: Mapping[str, Sequence[Scores]],
    amplitudes: Sequence[float],
    label: str = STEP_LABEL,
    classes: int = 10,
) -> "Figure":
    """Accuracy and loss of networks over the amplitude of a perturbation (Fig 2).

    Bands are one standard error over seeds, thin lines are the seeds; the dotted line is chance.

    Args:
        networks: For each network by name, one `Scores` of curves (K,) a seed; a network of your
            own is labelled by its name.
        amplitudes: (K,).
        label: Label of the amplitude.
        classes: Number of classes of the task.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    figure, (accuracy, loss) = style.panels(2)
    looks = style.network_looks(networks)
    for name, seeds in networks.items():
        options: dict[str, Any] = {**looks[name], "label": style.network_label(name), "ms": 3.5}
        style.band(accuracy, amplitudes, [100 * scores.accuracy for scores in seeds], **options)
        style.band(loss, amplitudes, [scores.loss for scores in seeds], **options)
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


__getattr__ = renamed(
    __name__,
    {
        "robustness": "robustness_curves",
        "maps": "aru_keras.plots.sensitivity:sensitivity_maps",
        "PHASE_LABEL": "aru_keras.plots.sensitivity:PHASE_LABEL",
        "DURATION_LABEL": "aru_keras.plots.sensitivity:DURATION_LABEL",
        "ACCURACY_MAP": "aru_keras.plots.sensitivity:_ACCURACY_MAP",
        "LOSS_MAP": "aru_keras.plots.sensitivity:_LOSS_MAP",
    },
)
