"""Experiment 5: homogeneous and heterogeneous networks (Geadah et al. 2024, B.1)."""

from functools import partial

from aru_keras.plots.accuracy import accuracies
from aru_keras.runners.experiments.accuracies import ACCURACY, KEPT, PLAIN, measure_accuracy
from aru_keras.runners.experiments.experiment import (
    ClaimAbout,
    Conclusion,
    Experiment,
    alike,
    decided,
)
from aru_keras.runners.experiments.measured import required
from aru_keras.runners.experiments.tables import over_seeds, percent
from aru_keras.runners.experiments.trainings import SHARED

LABELS = {"gamma": "heterogeneous", SHARED: "homogeneous"}

TEXT = "heterogeneous and homogeneous networks do not differ significantly"

CLAIMS = (ClaimAbout(("gamma", SHARED), partial(alike, TEXT), TEXT),)


def _conclude(results, preset):
    values = {name: results.stacked(name, PLAIN) for name in required(results, tuple(LABELS))}
    rows = ((LABELS[name], percent(shares)) for name, shares in values.items())
    return Conclusion(
        claims=decided(CLAIMS, values, results=results),
        figures={"accuracy": accuracies({preset.task: values}, LABELS)},
        tables=(over_seeds(("(n, s)", ACCURACY), rows),),
    )


EXPERIMENT = Experiment(
    number="5",
    name="homogeneous",
    title="One (n, s) for all units, or one for each",
    paper="B.1",
    expected="Heterogeneous networks are as good or better, but the difference is not significant.",
    trainings=lambda preset: list(LABELS),
    measure=measure_accuracy,
    conclude=_conclude,
    alone=False,
    keeps=KEPT,
)
