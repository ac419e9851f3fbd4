"""Experiment 12b: slow sinusoids and square waves as drives (the authors' scripts)."""

import itertools

import numpy as np

from aru_keras.analysis.slow_drive import (
    CYCLES,
    PERIODS,
    WAVES,
    phases,
    relaxation,
    slow_responses,
)
from aru_keras.plots.slow_drive import slow_drive as slow_drive_figure
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments.experiment import Array, Conclusion, Experiment, Table
from aru_keras.runners.experiments.measured import cell, required

AMPLITUDE = 5.0
"""ξ at the top of a wave."""

CONDITIONS = {"connected": False, "isolated": True}


def _measure(network, preset):
    """Mean responses, (T,), by wave, condition and period."""
    return {
        f"{wave}_{condition}_{period}": response
        for wave, (condition, isolated) in itertools.product(WAVES, CONDITIONS.items())
        for period, response in slow_responses(
            network.model, wave, AMPLITUDE, isolated=isolated
        ).items()
    }


def _conclude(results, preset):
    names = required(results, ("arun", "gamma"))
    keys = list(itertools.product(names, CONDITIONS))
    labels = {key: f"{NETWORK_LABELS[key[0]]}, {key[1]}" for key in keys}
    found = {labels[key]: [_phases(one, key[1]) for one in results[key[0]]] for key in keys}
    fits = {labels[key]: [_relaxations(one, key[1]) for one in results[key[0]]] for key in keys}
    return Conclusion(
        figures={"periods": slow_drive_figure(found, fits)},
        tables=(_phase_table(found), _time_table(fits)),
        note=f"Drives between 0 and ξ = {AMPLITUDE:g} on all units, without input; the mean of h "
        "over units, after the first period. A unit of fractional order α has the lead −90°·α at "
        "every period, and its τ after the steps of a square wave grows with the period. "
        "The paper says nothing of it; its authors' scripts measure it.",
    )


def _response(arrays, wave, condition):
    return {period: arrays[f"{wave}_{condition}_{period}"] for period in PERIODS}


def _phases(arrays, condition):
    return phases(_response(arrays, "sinusoid", condition), AMPLITUDE)


def _relaxations(arrays, condition):
    found = _response(arrays, "square", condition)
    return {period: relaxation(response, period) for period, response in found.items()}


def _phase_table(found):
    rows = [
        (
            label,
            *(cell([np.degrees(seed[period].lead) for seed in seeds]) for period in PERIODS),
        )
        for label, seeds in found.items()
    ]
    return Table(("lead (°) at period", *(f"{period}" for period in PERIODS)), tuple(rows))


def _time_table(fits):
    rows = [
        (label, *(_time_cell([seed[period] for seed in seeds]) for period in PERIODS))
        for label, seeds in fits.items()
    ]
    return Table(("τ (steps) at period", *(f"{period}" for period in PERIODS)), tuple(rows))


def _time_cell(fits):
    fitted = [fit["tau"] for fit in fits if not fit.failed]
    return cell(fitted) if fitted else "no fit"


EXPERIMENTS = (
    Experiment(
        "12b",
        "slow-drive",
        "Slow periodic drives",
        "not in the paper; its authors' scripts",
        "Nothing is claimed. Fractional differentiation leads a sinusoid by the same phase at "
        "every period, and its time constants grow with the period.",
        lambda preset: ("arun", "gamma"),
        _measure,
        _conclude,
        keeps={
            f"{wave}_{condition}_{period}": Array(str(CYCLES * period))
            for wave in WAVES
            for condition in CONDITIONS
            for period in PERIODS
        },
    ),
)
