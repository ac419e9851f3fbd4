"""Experiment 9: recovery on rotated images by retraining (Geadah et al. 2024, B.3)."""

import numpy as np

from aru_keras.analysis.evaluation import Evaluator
from aru_keras.analysis.transfer import recovery
from aru_keras.plots.accuracy import accuracies
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.config import PAPER
from aru_keras.runners.experiments.arrays import to_arrays
from aru_keras.runners.experiments.experiment import (
    SHARE,
    Array,
    ClaimAbout,
    Conclusion,
    Experiment,
    above,
    decided,
    open_claim,
)
from aru_keras.runners.experiments.measured import required
from aru_keras.runners.experiments.tables import over_seeds, percent
from aru_keras.runners.experiments.trainings import ONE_POINT_ROTATED, RETRAINED

STARTING = ("gamma", "arun")
RECOVERED = 0.25
"""The fraction of the loss that the paper recovers by retraining (n, s) alone."""

_TRANSFERS = tuple(name for name in RETRAINED if name != ONE_POINT_ROTATED)
_PAPER = "gamma-rotated-activation"


def _measure(network, preset):
    rotated = Evaluator(network.model, network.other_task(preset.rotated_task))()
    own = Evaluator(network.model, network.task)()
    return to_arrays(own, without=("n",)) | to_arrays(rotated, "rotated_", without=("n",))


def _conclude(results, preset):
    starts = required(results, STARTING)
    recovered = {
        other: _recovery(results, RETRAINED[other][0], other)
        for other in results.present(*_TRANSFERS)
        if RETRAINED[other][0] in starts
    }
    return Conclusion(
        decided(CLAIMS, recovered, results=results),
        {"recovery": accuracies(_stages_of(results, starts, recovered))},
        (_transfer_table(results, starts, recovered),),
        "Recovered: the percentage of the decline from the task to the rotated task that "
        "retraining reverses. In the paper the accuracy is 94 % on the task, 42 % on the rotated "
        f"task, and 56 % after n and s are retrained for {PAPER['epochs']} epochs; here retraining "
        f'takes {preset.transfer_epochs}. The weight group "activation" is n and s in '
        "RNN+γ, and the controller in ARUN.",
    )


def _recovery(results, start, other):
    """The `Recovery` of a retrained network, relative to the network that it started from."""
    return recovery(
        *(
            [
                results.stacked(start, kind),
                results.stacked(start, f"rotated_{kind}"),
                results.stacked(other, f"rotated_{kind}"),
            ]
            for kind in ("accuracy", "loss")
        )
    )


def _claims(shares):
    text = "retraining n and s alone recovers more than a quarter of the"
    return (
        _recovers(f"{text} lost accuracy", shares.accuracy),
        _recovers(f"{text} risen loss", shares.loss),
    )


def _recovers(text, fractions):
    """A claim about recovered fractions; undecided if a seed has lost nothing to recover."""
    unharmed = np.count_nonzero(np.isnan(fractions))
    if unharmed:
        reason = f"nothing was lost on the rotated task with {unharmed} of {len(fractions)} seeds"
        return open_claim(text, len(fractions), reason)
    return above(text, fractions, RECOVERED)


def _stages_of(results, starts, recovered):
    """The accuracies by stage and network, for the figure."""
    stages = {
        "task": {name: results.stacked(name, "accuracy") for name in starts},
        "rotated": {name: results.stacked(name, "rotated_accuracy") for name in starts},
    }
    for other in recovered:
        start, part = RETRAINED[other]
        stage = stages.setdefault(f"rotated,\n{part} retrained", {})
        stage[start] = results.stacked(other, "rotated_accuracy")
    return stages


def _transfer_table(results, starts, recovered):
    rows = []
    for name in starts:
        own = (results.stacked(name, key) for key in ("accuracy", "rotated_accuracy"))
        rows.append((NETWORK_LABELS[name], "nothing", *map(percent, own), "", ""))
        rows += [
            _retrained_row(results, other, shares)
            for other, shares in recovered.items()
            if RETRAINED[other][0] == name
        ]
    header = (
        "network",
        "retrained weights",
        "accuracy, task (%)",
        "accuracy, rotated task (%)",
        "recovered accuracy (%)",
        "recovered loss (%)",
    )
    return over_seeds(header, rows, missing="nothing was lost")


def _retrained_row(results, other, shares):
    start, part = RETRAINED[other]
    accuracy = percent(results.stacked(other, "rotated_accuracy"))
    fractions = (_known(shares.accuracy), _known(shares.loss))
    return (NETWORK_LABELS[start], part, "", accuracy, *fractions)


def _known(fractions):
    """Recovered fractions in per cent, with None for a seed that has lost nothing."""
    return [None if np.isnan(share) else 100 * share for share in fractions]


CLAIMS = (ClaimAbout((_PAPER,), _claims),)

EXPERIMENT = Experiment(
    number="9",
    name="transfer",
    title="Retraining on rotated images",
    paper="B.3",
    expected="94 % → 42 % on rotated images → 56 % with n and s alone retrained.",
    trainings=lambda preset: [*STARTING, *_TRANSFERS],
    measure=_measure,
    conclude=_conclude,
    keeps={
        **dict.fromkeys(("accuracy", "rotated_accuracy"), SHARE),
        **dict.fromkeys(("loss", "rotated_loss"), Array(least=0)),
    },
)
