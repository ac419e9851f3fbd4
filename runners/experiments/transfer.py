"""Experiments 8 and 9: the cloud of (n, s), and what retraining parts of a network recovers."""

import numpy as np
from keras.ops import convert_to_numpy

from aru_keras.analysis.heterogeneity import Cloud, shifts
from aru_keras.analysis.robustness import Evaluator
from aru_keras.plots.heterogeneity import heterogeneity
from aru_keras.runners.experiments.experiment import (
    Conclusion,
    Experiment,
    Table,
    above,
    larger,
)
from aru_keras.runners.experiments.trainings import ONE_POINT, RETRAINED

STARTING = ("gamma", "arun")
RECOVERED = 0.25
"""The share of the loss that the paper's units recover by their (n, s) alone."""

_ONE_POINT_ROTATED = f"{ONE_POINT}-rotated"
_TRANSFERS = tuple(name for name in RETRAINED if name != _ONE_POINT_ROTATED)
_PAPER = "gamma-rotated-activation"


def _measure_cloud(network, preset):
    return {"trained": _points(network.cell), "start": _points(_start_cell(network))}


def _start_cell(network):
    return network.start.get_layer("recurrent").cell


def _points(cell):
    pair = [convert_to_numpy(value) for value in (cell.n, cell.s)]
    return np.stack([np.broadcast_to(value, cell.units) for value in pair], axis=1)


def _conclude_cloud(results, preset):
    (name, *_) = results.present(ONE_POINT, "gamma", *results)
    stages = [_stages(results, name, seed) for seed in range(len(results[name]))]
    spreads = [{stage: cloud.spread for stage, cloud in one.items()} for one in stages]
    start, trained = ([one[stage] for one in spreads] for stage in ("start", "trained"))
    claims = [larger("training spreads the cloud of (n, s)", trained, start)]
    if all("rotated task" in one for one in spreads):
        rotated = [one["rotated task"] for one in spreads]
        claims.append(larger("retraining on the rotated task spreads it further", rotated, trained))
    rows = tuple(
        (one.start, one.end, f"{one.distance:.3g}", _number(one.displacement), _number(one.growth))
        for one in shifts(stages[0])
    )
    header = ("from", "to", "way of the mean", "way of a unit", "spread, times")
    return Conclusion(
        tuple(claims),
        {"clouds": heterogeneity(stages[0])},
        (Table(header, rows),),
        "Figure and table are of the first seed.",
    )


def _stages(results, name, seed):
    found = results[name][seed]
    stages = {"start": Cloud(found["start"]), "trained": Cloud(found["trained"])}
    if name == ONE_POINT and len(results.get(_ONE_POINT_ROTATED, [])) > seed:
        stages["rotated task"] = Cloud(results[_ONE_POINT_ROTATED][seed]["trained"])
    return stages


def _number(value):
    return "" if value is None else f"{value:.3g}"


def _measure_transfer(network, preset):
    rotated = Evaluator(network.model, network.other_task(preset.rotated_task))()
    own = Evaluator(network.model, network.task)()
    return {
        "accuracy": own.accuracy,
        "loss": own.loss,
        "rotated_accuracy": rotated.accuracy,
        "rotated_loss": rotated.loss,
    }


def _conclude_transfer(results, preset):
    rows, claims = [], []
    for name in results.present(*STARTING):
        before = {key: results.stacked(name, key) for key in results[name][0]}
        rows.append(
            (
                name,
                "nothing",
                _percent(before["accuracy"]),
                _percent(before["rotated_accuracy"]),
                "",
                "",
            )
        )
        for other in results.present(*_TRANSFERS):
            if RETRAINED[other][0] == name:
                part = RETRAINED[other][1]
                accuracy, loss = _recovered(before, results, other)
                after = results.stacked(other, "rotated_accuracy")
                rows.append((name, part, "", _percent(after), _percent(accuracy), _percent(loss)))
                if other == _PAPER:
                    claims.append(
                        above(
                            "retraining n and s alone recovers a quarter of the lost accuracy",
                            accuracy,
                            RECOVERED,
                        )
                    )
                    claims.append(
                        above(
                            "retraining n and s alone recovers a quarter of the risen loss",
                            loss,
                            RECOVERED,
                        )
                    )
    if not rows:
        raise ValueError("The transfer needs a network trained on the main task.")
    header = (
        "network",
        "retrained",
        "task (%)",
        "rotated task (%)",
        "accuracy recovered (%)",
        "loss recovered (%)",
    )
    return Conclusion(
        tuple(claims),
        {},
        (Table(header, tuple(rows)),),
        "Recovered: of what is lost between the task and the rotated task, means over seeds. The "
        "paper has 94 %, 42 % and, with n and s retrained, 56 %.",
    )


def _recovered(before, results, other):
    """Shares of the lost accuracy and of the risen loss, (seeds,) each."""
    accuracy, loss = (results.stacked(other, f"rotated_{key}") for key in ("accuracy", "loss"))
    return (
        (accuracy - before["rotated_accuracy"]) / (before["accuracy"] - before["rotated_accuracy"]),
        (before["rotated_loss"] - loss) / (before["rotated_loss"] - before["loss"]),
    )


def _percent(values):
    return f"{100 * np.mean(values):.1f}"


EXPERIMENTS = (
    Experiment(
        "8",
        "heterogeneity",
        "The cloud of (n, s)",
        "Fig 3a",
        "From one common point training makes a cloud, and a change of task spreads it further.",
        lambda preset: [ONE_POINT, _ONE_POINT_ROTATED],
        _measure_cloud,
        _conclude_cloud,
    ),
    Experiment(
        "9",
        "transfer",
        "Rotated images, parts retrained",
        "B.3",
        "94 % → 42 % on rotated images → 56 % with n and s alone retrained.",
        lambda preset: [*STARTING, *_TRANSFERS],
        _measure_transfer,
        _conclude_transfer,
    ),
)
