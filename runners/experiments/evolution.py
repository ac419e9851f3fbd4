"""Experiment 20: two scenarios of evolution (Geadah et al. 2024, C.4, Fig 17)."""

from aru_keras.plots.accuracy import accuracies
from aru_keras.runners.experiments.accuracies import ACCURACY, CONDITIONS, measure_conditions
from aru_keras.runners.experiments.experiment import (
    SHARE,
    ClaimAbout,
    Conclusion,
    Experiment,
    alike,
    decided,
)
from aru_keras.runners.experiments.measured import required
from aru_keras.runners.experiments.tables import over_seeds, percent
from aru_keras.runners.experiments.trainings import DONOR, TRANSPLANTED

LABELS = {"arun": "scenario 1: all trained", TRANSPLANTED: "scenario 2: frozen controller"}


def _conclude(results, preset):
    names = required(results, tuple(LABELS))
    values = {
        name: {condition: results.stacked(name, condition) for condition in CONDITIONS}
        for name in names
    }
    by_condition = {
        condition: {name: values[name][condition] for name in names} for condition in CONDITIONS
    }
    rows = ((LABELS[name], *map(percent, values[name].values())) for name in names)
    return Conclusion(
        claims=decided((ClaimAbout(tuple(LABELS), _claims),), values, results=results),
        figures={"scenarios": accuracies(by_condition, LABELS)},
        tables=(over_seeds((ACCURACY, *CONDITIONS), rows),),
        note="In scenario 1 all weights are trained. Scenario 2 takes the trained controller, with "
        "its read-outs, from a network of another seed, freezes it, and trains the other weights. "
        "Perturbations: noise N(5, 2), step ξ = 5, sine (contrast) A = 0.5.",
    )


def _claims(first, second):
    return [
        alike(f"the scenarios do not differ: {condition}", first[condition], second[condition])
        for condition in CONDITIONS
    ]


EXPERIMENT = Experiment(
    number="20",
    name="evolution",
    title="A controller given by evolution",
    paper="C.4, Fig 17",
    expected="A network that is trained around the frozen controller of another network is as "
    "accurate and as robust.",
    trainings=lambda preset: ["arun", DONOR, TRANSPLANTED],
    measure=lambda network, preset: measure_conditions(network, CONDITIONS),
    conclude=_conclude,
    alone=False,
    keeps=dict.fromkeys(CONDITIONS, SHARE),
)
