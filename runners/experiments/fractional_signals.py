"""Experiment 13b: fractional integrals of gain and saturation (Geadah et al. 2024, Fig 9)."""

import numpy as np

from aru_keras.analysis.fractional_signals import signal_integral
from aru_keras.plots.fractional_signals import signal_integrals
from aru_keras.runners.experiments.experiment import (
    Array,
    Conclusion,
    Experiment,
    above,
    open_claim,
)
from aru_keras.runners.experiments.measured import (
    ADAPTATION,
    MOVED,
    adaptation,
    adaptation_table,
    required,
    where_adapted,
)
from aru_keras.runners.experiments.responses import STEPS, population_responses, responses_of
from aru_keras.runners.experiments.tables import over_seeds

SIGNALS = ("n", "s")
INTEGRALS = {
    "periodic": {"alpha": -1.0},
    "causal": {"alpha": -1.0, "method": "causal"},
    "half, periodic": {"alpha": -0.5},
}
"""Options of `analysis.signal_integral`. The first are the paper's, with an α of our choice."""

STRAIGHT = 0.99
"""R² from which on a trace counts as a line. The half integral of a step has 0.96."""


def _measure(network, preset):
    """The means of n and s over connected units under the step drive, (D, T) each; `adaptation`."""
    responses = responses_of(network, preset, STEPS, isolated=False, signals=SIGNALS)
    means = {signal: responses.of(signal).mean(axis=-1) for signal in SIGNALS}
    return {**means, ADAPTATION: adaptation(network, preset)}


def _conclude(results, preset):
    """The lines fitted to the integrals of n and s."""
    required(results, ("arun",))
    seeds = [
        population_responses(STEPS, {signal: arrays[signal] for signal in SIGNALS}, isolated=False)
        for arrays in results["arun"]
    ]
    integrals = {
        (signal, name): [signal_integral(responses, signal, **options) for responses in seeds]
        for signal in SIGNALS
        for name, options in INTEGRALS.items()
    }
    drawn = {signal: integrals[signal, "periodic"] for signal in SIGNALS}
    return Conclusion(
        claims=where_adapted([_straight(*pair) for pair in drawn.items()], results),
        figures={
            "integrals": signal_integrals({signal: by_seed[0] for signal, by_seed in drawn.items()})
        },
        tables=(_line_table(integrals), adaptation_table(results)),
        note="D^α is taken of the mean over connected units. The order α = −1, the plain integral, "
        "is our choice. The integral is a line whenever a signal jumps to a level and stays there. "
        f"Claims and figure ({results.drawn}) use the Fourier transform, as the paper does, which "
        "integrates the difference from the mean over the whole recording. The table also has the "
        "causal integral of the difference from rest, and the half integral, which is a square "
        "root after a jump (R² of a line: 0.96).",
    )


def _straight(signal, seeds):
    """The claim that the integral of a signal is a line. The paper does not give its slope."""
    text = f"The integral of {signal} is a line during the step (R² ≥ {STRAIGHT}, mean over ξ)"
    failed = [fit for integral in seeds for fit in integral.lines if fit.failed]
    if failed:
        return open_claim(text, len(seeds), f"no line: {failed[0].reason}")
    return above(
        text, [np.mean([fit.r_squared for fit in integral.lines]) for integral in seeds], STRAIGHT
    )


def _line_table(integrals):
    rows = []
    for (signal, name), seeds in integrals.items():
        for drive, *lines in zip(STEPS, *(integral.lines for integral in seeds), strict=True):
            fits = [line for line in lines if not line.failed]
            numbers = ([fit.r_squared for fit in fits], [fit["slope"] for fit in fits])
            entries = numbers if fits else ["no line"] * 2
            rows.append((signal, name, f"{drive:g}", *entries))
    return over_seeds(("signal", "integral", "ξ", "R² of the line", "slope"), rows)


EXPERIMENT = Experiment(
    number="13b",
    name="fractional-signals",
    title="Fractional integral of gain and saturation",
    paper="Fig 9",
    expected="The fractional integrals of n and s are lines during the step.",
    trainings=lambda preset: ("arun",),
    measure=_measure,
    conclude=_conclude,
    keeps={**dict.fromkeys(SIGNALS, Array("drives T")), ADAPTATION: MOVED},
    revision=2,
)
