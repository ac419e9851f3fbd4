"""Experiment 3: accuracy and loss under unseen perturbations (Geadah et al. 2024, Fig 2)."""

import dataclasses
from functools import partial

import numpy as np

from aru_keras.analysis.robustness import contrasts, fractional_drop, step_drives
from aru_keras.plots.robustness import robustness_curves
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments.experiment import (
    ClaimAbout,
    Conclusion,
    Experiment,
    decided,
    larger,
)
from aru_keras.runners.experiments.perturbed import (
    CONTRAST,
    LABELS,
    PHRASES,
    STEP,
    cases,
    measured,
    score_arrays,
    trainings,
)
from aru_keras.runners.experiments.tables import over_seeds, percent

COMPARED = {
    STEP: {"arun": ("gamma", "relu")},
    CONTRAST: {"arun": ("gamma", "relu", "lstm", "gru"), "gamma": ("relu", "lstm", "gru")},
}
"""By kind of perturbation: networks that should lose less accuracy, and those that lose more."""


def _measure(network, preset):
    curves = {
        STEP: step_drives(preset.step_amplitudes),
        CONTRAST: contrasts(preset.contrast_amplitudes),
    }
    return measured(network, curves, preset.test_images)


def _conclude(results, preset):
    claims, figures, tables, notes = [], {}, [], []
    for case in cases(results, preset):
        amplitudes = case.amplitudes(preset)
        drops = {
            name: np.array([_lost(amplitudes, curve, case.chance) for curve in seeds])
            for name, seeds in case.stacked("accuracy").items()
        }
        if case.main:
            about = _claims(case.kind)
            claims += decided(about, drops, preset.unsearched, case.guessing(), case.results)
        curves = {name: _curves(case, name) for name in case.names}
        classes = round(1 / case.chance)
        figures[case.figure] = robustness_curves(
            curves, amplitudes, LABELS[case.kind], classes=classes
        )
        tables.append(_curve_table(case, curves, drops, amplitudes))
        notes += case.overflows()
    note = (
        "Fraction lost: the fraction of the unperturbed accuracy above chance that is lost, on "
        "average over the amplitudes; 0 if there is none. No drive can be added to LSTM and GRU. "
        "Claims are about the main task."
    )
    return Conclusion(tuple(claims), figures, tuple(tables), " ".join([note, *notes]))


def _lost(amplitudes, curve, chance):
    """The fraction lost; a network that only guesses has nothing to lose."""
    return fractional_drop(amplitudes, curve, chance) if curve[0] > chance else 0.0


def _claims(kind):
    """The claims that a network loses less accuracy than another, by the fractions lost."""
    for name, others in COMPARED[kind].items():
        for other in others:
            text = (
                f"{PHRASES[kind].capitalize()} {NETWORK_LABELS[other]} loses more accuracy than "
                f"{NETWORK_LABELS[name]} (mean fraction lost)"
            )
            yield ClaimAbout((other, name), partial(larger, text), text)


def _curves(case, name):
    """The `Scores` of each seed, with NaN for an infinite loss, which is a gap in the curve."""
    return [
        dataclasses.replace(scores, loss=np.where(np.isinf(scores.loss), np.nan, scores.loss))
        for scores in case.scores(name)
    ]


def _curve_table(case, curves, drops, amplitudes):
    symbol = "ξ" if case.kind == STEP else "A"
    ends = [f"accuracy at {symbol} = {amplitudes[end]:g} (%)" for end in (0, -1)]
    rows = [
        (
            NETWORK_LABELS[name],
            *(percent([scores.accuracy[end] for scores in seeds]) for end in (0, -1)),
            drops[name],
        )
        for name, seeds in curves.items()
    ]
    return over_seeds((case.phrase, *ends, "fraction lost"), rows)


EXPERIMENT = Experiment(
    number="3",
    name="robustness",
    title="Robustness to a step drive and to contrast",
    paper="Fig 2",
    expected="psMNIST: ARUN degrades least, RNN+γ is second under contrast. sCIFAR10: less clear.",
    trainings=trainings,
    measure=_measure,
    conclude=_conclude,
    keeps=score_arrays({STEP: "ξ", CONTRAST: "A"}),
)
