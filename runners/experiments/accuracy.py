"""Experiment 2: the accuracies of the five networks (Geadah et al. 2024, Table 1)."""

from functools import partial

import numpy as np

from aru_keras.plots.accuracy import accuracies
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments.accuracies import ACCURACY, KEPT, NOISE, PLAIN, measure_accuracy
from aru_keras.runners.experiments.experiment import (
    ALIKE_WITHIN,
    ClaimAbout,
    Conclusion,
    Experiment,
    above,
    alike,
    below,
    decided,
    larger,
)
from aru_keras.runners.experiments.measured import required
from aru_keras.runners.experiments.tables import over_seeds, percent
from aru_keras.runners.experiments.trainings import MAIN, on_task

GREY, CONVOLVED = "scifar10", "scifar10-conv"


def _tasks(preset):
    return (preset.task, *preset.table_tasks)


def _trainings(preset):
    return [on_task(preset, name, task) for task in _tasks(preset) for name in preset.networks]


def _conclude(results, preset):
    required(results, _trainings(preset))
    table = {}
    for task in _tasks(preset):
        for condition in (PLAIN, NOISE):
            if row := _row(results, preset, task, condition):
                table[task if condition == PLAIN else f"{task}, noisy drive"] = row
    by_network = {
        on_task(preset, name, task): values
        for task in _tasks(preset)
        for name, values in table.get(task, {}).items()
    }
    return Conclusion(
        claims=decided(_claims(preset), by_network, preset.unsearched, results=results),
        figures={"accuracy": accuracies(table)},
        tables=(_table(table, preset.networks),),
        note="The noisy drive is N(5, 2) on every unit. The paper's claims are about psMNIST; here "
        f"the main task is {preset.task}.",
    )


def _row(results, preset, task, condition):
    """The accuracies in a condition, by network, of the networks that were measured in it."""
    trainings = {name: on_task(preset, name, task) for name in MAIN}
    return {
        name: results.stacked(training, condition)
        for name, training in trainings.items()
        if training in results and condition in results[training][0]
    }


def _claims(preset):
    for other in ("relu", "lstm", "gru"):
        text = f"RNN+γ is above {NETWORK_LABELS[other]}"
        yield ClaimAbout(("gamma", other), partial(larger, text), text)
    text = "ARUN and RNN+γ do not differ"
    yield ClaimAbout(("arun", "gamma"), partial(alike, text), text)
    if GREY in _tasks(preset):
        grey, convolved = (
            tuple(on_task(preset, name, task) for name in MAIN) for task in (GREY, CONVOLVED)
        )
        yield ClaimAbout(grey, _grey_claims)
        yield ClaimAbout((*grey, *convolved), _convolved_claims)


def _grey_claims(*values):
    row = dict(zip(MAIN, values, strict=True))
    best = np.max([row[name] for name in MAIN if name != "gru"], axis=0)
    return [
        larger("sCIFAR10: GRU is above all others", row["gru"], best),
        larger("sCIFAR10: RNN+γ is above ReLU", row["gamma"], row["relu"]),
        larger("sCIFAR10: RNN+γ is above LSTM", row["gamma"], row["lstm"]),
    ]


def _convolved_claims(*values):
    grey, convolved = values[: len(MAIN)], values[len(MAIN) :]
    gains = np.min(np.subtract(convolved, grey), axis=0)
    return [
        above("sCIFAR10 with convolutions: every network is better than without", gains, 0),
        below(
            "sCIFAR10 with convolutions: best and worst are alike",
            np.ptp(convolved, axis=0),
            ALIKE_WITHIN,
        ),
    ]


def _table(table, networks):
    rows = (
        (task, *(percent(row[name]) if name in row else "" for name in networks))
        for task, row in table.items()
    )
    return over_seeds((ACCURACY, *(NETWORK_LABELS[name] for name in networks)), rows)


EXPERIMENT = Experiment(
    number="2",
    name="accuracy",
    title="Accuracy of the five networks",
    paper="Table 1",
    expected="psMNIST: RNN+γ above ReLU, LSTM and GRU, ARUN like RNN+γ. sCIFAR10, linear: GRU best "
    "by far, RNN+γ above ReLU and LSTM; with convolutions all are better, and alike.",
    trainings=_trainings,
    measure=measure_accuracy,
    conclude=_conclude,
    keeps=KEPT,
)
