"""Experiments 2, 5 and 20: accuracies of the networks, and of two scenarios of evolution."""

import dataclasses

import numpy as np

from aru_keras.analysis.robustness import Evaluator
from aru_keras.models import GATED
from aru_keras.plots.accuracy import accuracy as accuracy_figure
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments.experiment import (
    ALIKE_WITHIN,
    SHARE,
    Conclusion,
    Experiment,
    Table,
    above,
    alike,
    below,
    larger,
)
from aru_keras.runners.experiments.measured import cell
from aru_keras.runners.experiments.trainings import (
    DONOR,
    MAIN,
    SHARED,
    TRANSPLANTED,
    on_task,
)

ACCURACY = "accuracy (%)"
NOISE = "noise"
CONDITIONS = {"plain": None, NOISE: "noise", "step": "step", "sine": "contrast"}
"""The paper's perturbations at its own values, by the names of its section C.4."""


_KEPT = {"plain": SHARE, NOISE: dataclasses.replace(SHARE, optional=True)}


def _all_tasks(preset):
    return [on_task(preset, name, task) for task in _tasks(preset) for name in MAIN]


def _tasks(preset):
    return (preset.task, *preset.table_tasks)


def _measure_accuracy(network, preset):
    """Accuracy as it is, and under the noisy drive where there is a place for one."""
    evaluate = Evaluator(network.model, network.task)
    conditions = ["plain"] if network.config.model in GATED else ["plain", NOISE]
    return {name: evaluate(CONDITIONS[name]).accuracy for name in conditions}


def _conclude_accuracy(results, preset):
    table = {}
    for task in _tasks(preset):
        for condition in ("plain", NOISE):
            row = {
                name: results.stacked(on_task(preset, name, task), condition)
                for name in MAIN
                if condition in results.get(on_task(preset, name, task), [{}])[0]
            }
            if row:
                table[task if condition == "plain" else f"{task}, noisy drive"] = row
    if not table:
        raise ValueError("The table of accuracies needs one of the five networks.")
    claims = _claims(table.get(preset.task, {}))
    grey, conv = (table.get(task, {}) for task in ("scifar10", "scifar10-conv"))
    if set(MAIN) <= set(grey):
        claims += _grey_claims(grey)
        claims += _conv_claims(grey, conv) if set(MAIN) <= set(conv) else []
    return Conclusion(
        tuple(claims),
        {"accuracy": accuracy_figure(table)},
        (_accuracy_table(table),),
        "The noisy drive is N(5, 2) on every unit. The claims about the main task are those of "
        f"psMNIST; here it is {preset.task}.",
    )


def _claims(row):
    claims = [
        larger(f"RNN+γ is above {NETWORK_LABELS[other]}", row["gamma"], row[other])
        for other in ("relu", "lstm", "gru")
        if {"gamma", other} <= set(row)
    ]
    if {"arun", "gamma"} <= set(row):
        claims.append(alike("ARUN and RNN+γ do not differ", row["arun"], row["gamma"]))
    return claims


def _grey_claims(row):
    others = [name for name in MAIN if name != "gru"]
    best = np.max([row[name] for name in others], axis=0)
    return [
        larger("sCIFAR10: GRU is above all others", row["gru"], best),
        larger("sCIFAR10: RNN+γ is above ReLU", row["gamma"], row["relu"]),
        larger("sCIFAR10: RNN+γ is above LSTM", row["gamma"], row["lstm"]),
    ]


def _conv_claims(grey, conv):
    gains = np.min([conv[name] - grey[name] for name in MAIN], axis=0)
    spread = np.ptp([conv[name] for name in MAIN], axis=0)
    return [
        above("sCIFAR10 with convolutions: every network is better than without", gains, 0),
        below("sCIFAR10 with convolutions: best and worst are alike", spread, ALIKE_WITHIN),
    ]


def _accuracy_table(table):
    rows = tuple(
        (task, *(cell(100 * row[name]) if name in row else "" for name in MAIN))
        for task, row in table.items()
    )
    return Table((ACCURACY, *(NETWORK_LABELS[name] for name in MAIN)), rows)


def _conclude_homogeneous(results, preset):
    names = results.present("gamma", SHARED)
    found = {name: results.stacked(name, "plain") for name in names}
    claims = ()
    if len(names) == 2:
        text = "heterogeneous and homogeneous networks do not differ significantly"
        claims = (alike(text, found["gamma"], found[SHARED]),)
    labels = {"gamma": "heterogeneous", SHARED: "homogeneous"}
    rows = tuple((labels[name], cell(100 * values)) for name, values in found.items())
    return Conclusion(
        claims,
        {"accuracy": accuracy_figure({preset.task: found}, labels)},
        (Table(("(n, s)", ACCURACY), rows),),
    )


def _measure_conditions(network, preset):
    evaluate = Evaluator(network.model, network.task)
    return {name: evaluate(one).accuracy for name, one in CONDITIONS.items()}


def _conclude_evolution(results, preset):
    labels = {"arun": "scenario 1: all trained", TRANSPLANTED: "scenario 2: given controller"}
    names = results.present(*labels)
    if not names:
        raise ValueError("The comparison of scenarios needs the networks of one of them.")
    claims = ()
    if len(names) == 2:
        claims = tuple(
            alike(
                f"the scenarios do not differ: {condition}",
                *(results.stacked(name, condition) for name in names),
            )
            for condition in CONDITIONS
        )
    accuracies = {
        condition: {name: results.stacked(name, condition) for name in names}
        for condition in CONDITIONS
    }
    rows = tuple(
        (labels[name], *(cell(100 * results.stacked(name, condition)) for condition in CONDITIONS))
        for name in names
    )
    return Conclusion(
        claims,
        {"scenarios": accuracy_figure(accuracies, labels)},
        (Table((ACCURACY, *CONDITIONS), rows),),
        "Scenario 2 takes the trained controller, with its read-outs, of a network of another "
        "seed, and trains the rest. Noise N(5, 2), step ξ = 5, sine A = 0.5.",
    )


EXPERIMENTS = (
    Experiment(
        "2",
        "accuracy",
        "Accuracy of the five networks",
        "Table 1",
        "psMNIST: RNN+γ above ReLU, LSTM and GRU, ARUN like RNN+γ. sCIFAR10, linear: GRU best by "
        "far, RNN+γ above ReLU and LSTM; with convolutions all are better, and alike.",
        _all_tasks,
        _measure_accuracy,
        _conclude_accuracy,
        keeps=_KEPT,
    ),
    Experiment(
        "5",
        "homogeneous",
        "One (n, s) for all units, or one a unit",
        "B.1",
        "Heterogeneous networks are as good or better, not significantly.",
        lambda preset: ["gamma", SHARED],
        _measure_accuracy,
        _conclude_homogeneous,
        alone=False,
        keeps=_KEPT,
    ),
    Experiment(
        "20",
        "evolution",
        "A controller given by evolution",
        "C.4, Fig 17",
        "A network around a frozen controller of another one is as accurate and as robust.",
        lambda preset: ["arun", DONOR, TRANSPLANTED],
        _measure_conditions,
        _conclude_evolution,
        alone=False,
        keeps=dict.fromkeys(CONDITIONS, SHARE),
    ),
)
