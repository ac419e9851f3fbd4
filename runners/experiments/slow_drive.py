"""Experiment 12b: slow sinusoids and square waves as drives (the authors' scripts)."""

import itertools

import numpy as np

from aru_keras._util.numerics import NetworkOverflowError
from aru_keras.analysis.slow_drive import (
    SLOW_CYCLES,
    SLOW_PERIODS,
    WAVES,
    phases,
    relaxation,
    slow_responses,
)
from aru_keras.plots.slow_drive import periodic_responses
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments.experiment import Array, Conclusion, Experiment
from aru_keras.runners.experiments.measured import required
from aru_keras.runners.experiments.tables import over_seeds

AMPLITUDE = 5.0
"""Largest ξ of the drives."""

CONDITIONS = {"connected": False, "isolated": True}


def _measure(network, preset):
    """The mean responses, (T,) each, by waveform, condition and period."""
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
    responses = {
        _label(*key): [_responses(seed, key[1]) for seed in results[key[0]]] for key in keys
    }
    finite = {label: seeds for label, seeds in responses.items() if _is_finite(seeds)}
    overflowing = [label for label in responses if label not in finite]
    if not finite:
        raise NetworkOverflowError(f"Units overflow under slow drives: {'; '.join(overflowing)}.")
    measured_phases = {label: [_phases(seed) for seed in seeds] for label, seeds in finite.items()}
    fits = {label: [_relaxations(seed) for seed in seeds] for label, seeds in finite.items()}
    return Conclusion(
        figures={"periods": periodic_responses(measured_phases, fits)},
        tables=(_phase_table(measured_phases), _time_table(fits)),
        note=f"The drives vary between 0 and ξ = {AMPLITUDE:g}, on all units, without input. The "
        "response is the mean of h over units, after the first period. A unit of fractional order "
        "α has a phase lead of −90°·α at every period, and its time constant τ after the steps of "
        "a square wave grows with the period. The authors' scripts measure this; the paper does "
        f"not report it.{_left_out(overflowing)}",
    )


def _label(name, condition):
    return f"{NETWORK_LABELS[name]}, {condition}"


def _responses(arrays, condition):
    """The responses of a network's units, by waveform and period."""
    return {
        wave: {period: arrays[f"{wave}_{condition}_{period}"] for period in SLOW_PERIODS}
        for wave in WAVES
    }


def _is_finite(seeds):
    by_period = (by_period for seed in seeds for by_period in seed.values())
    return all(np.isfinite(response).all() for each in by_period for response in each.values())


def _left_out(labels):
    if not labels:
        return ""
    return f" Left out, as units of one of the seeds overflow: {'; '.join(labels)}."


def _phases(responses):
    return phases(responses["sinusoid"], AMPLITUDE)


def _relaxations(responses):
    return {
        period: relaxation(response, period) for period, response in responses["square"].items()
    }


def _phase_table(measured_phases):
    rows = (
        (label, *([np.degrees(seed[period].lead) for seed in seeds] for period in SLOW_PERIODS))
        for label, seeds in measured_phases.items()
    )
    return over_seeds(("lead (°) at period", *map(str, SLOW_PERIODS)), rows)


def _time_table(fits):
    rows = (
        (label, *(_times([seed[period] for seed in seeds]) for period in SLOW_PERIODS))
        for label, seeds in fits.items()
    )
    return over_seeds(("τ (steps) at period", *map(str, SLOW_PERIODS)), rows)


def _times(fits):
    return [fit["tau"] for fit in fits if not fit.failed] or "no fit"


EXPERIMENT = Experiment(
    number="12b",
    name="slow-drive",
    title="Slow periodic drives",
    paper="not in the paper; its authors' scripts",
    expected="No claim. A unit that differentiates fractionally leads a sinusoid by the same phase "
    "at every period, and its time constants grow with the period.",
    trainings=lambda preset: ("arun", "gamma"),
    measure=_measure,
    conclude=_conclude,
    keeps={
        f"{wave}_{condition}_{period}": Array(str(SLOW_CYCLES * period))
        for wave in WAVES
        for condition in CONDITIONS
        for period in SLOW_PERIODS
    },
)
