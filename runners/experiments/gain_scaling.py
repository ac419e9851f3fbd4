"""Experiment 10: the steady states of n and s under noise (Geadah et al. 2024, Fig 3b)."""

import dataclasses

import numpy as np

from aru_keras.analysis.gain_scaling import (
    NOISE_AMPLITUDES,
    NOISE_ENTRIES,
    GainScaling,
    Settled,
    measure_gain_scaling,
)
from aru_keras.plots.gain_scaling import gains_under_noise
from aru_keras.runners.experiments.arrays import from_arrays, to_arrays
from aru_keras.runners.experiments.experiment import Array, Conclusion, Experiment, Table, above
from aru_keras.runners.experiments.measured import (
    ADAPTATION,
    MOVED,
    R_SQUARED,
    adaptation,
    adaptation_table,
    required,
    where_adapted,
)
from aru_keras.runners.experiments.tables import over_seeds

CLAIMED = "units"
"""Where the noise enters for the claims; the other variants are shown without claims."""

_NETWORK = ("arun",)


def _measure(network, preset):
    images = network.task.examples("test", range(len(preset.noise_seeds)))[0]
    arrays = {ADAPTATION: adaptation(network, preset)}
    for entry in NOISE_ENTRIES:
        x = images if entry == CLAIMED else None
        runs = measure_gain_scaling(network.model, seeds=preset.noise_seeds, x=x, enters=entry).runs
        # The courses over time are only drawn, for which float32 is enough.
        arrays |= {
            name: values.astype("f4") if values.ndim > 2 else values
            for name, values in to_arrays(runs, f"{entry}_").items()
        }
    return arrays


def _scaling(arrays, entry):
    runs = from_arrays(tuple[Settled, ...], arrays, f"{entry}_")
    return GainScaling(np.asarray(NOISE_AMPLITUDES, "float64"), runs)


def _conclude(results, preset):
    required(results, _NETWORK)
    scalings = {
        entry: [_scaling(arrays, entry) for arrays in results["arun"]] for entry in NOISE_ENTRIES
    }
    return Conclusion(
        where_adapted(_scaling_claims(scalings[CLAIMED]), results),
        {entry: gains_under_noise(seeds[0]) for entry, seeds in scalings.items()},
        (
            adaptation_table(results),
            *(_steady_table(entry, seeds) for entry, seeds in scalings.items()),
            _fit_table(scalings, results.seeds),
        ),
        "The paper does not say where the noise enters. For the claims, the noise is a drive that "
        "is drawn independently for each unit, while the network reads test images; the steps of "
        "the protocol are scaled to the length of the images. The other variants are without "
        "images: one drive common to all units, and noise as the network's input. Spread is the "
        "standard deviation in the steady state. All numbers are means over "
        f"{len(preset.noise_seeds)} draws of the noise. Figures: {results.drawn}.",
    )


def _scaling_claims(seeds):
    return (
        _fit_claim(
            "n∞ falls with ξ as a power law", [scaling.gain_fit() for scaling in seeds], ("a", "b")
        ),
        _fit_claim(
            "s∞ approaches its limit exponentially in ξ",
            [scaling.saturation_fit() for scaling in seeds],
            ("b",),
        ),
    )


def _fit_claim(text, fits, positive):
    """A claim that a curve describes the points, with these parameters above 0."""
    counted = (
        f"{text} (R² above {R_SQUARED}; R² counts as 0 if the fit fails, or the 95 % interval of "
        f"{' or '.join(positive)} is not above 0)"
    )
    claim = above(counted, [_quality(fit, positive) for fit in fits], R_SQUARED)
    listed = "; ".join(str(fit) for fit in fits)
    return dataclasses.replace(claim, evidence=f"{claim.evidence}; {listed}")


def _quality(fit, positive):
    if fit.failed or min(fit.interval(name)[0] for name in positive) <= 0:
        return 0.0
    return fit.r_squared


def _steady_table(entry, seeds):
    columns = ("steady_n", "steady_s", "input_spread", "output_spread")
    values = [[scaling.over_amplitudes(name).mean(axis=0) for scaling in seeds] for name in columns]
    rows = [
        (f"{amplitude:g}", *([numbers[k] for numbers in column] for column in values))
        for k, amplitude in enumerate(seeds[0].amplitudes)
    ]
    header = (
        f"ξ, noise as {NOISE_ENTRIES[entry]}",
        "n∞",
        "s∞",
        "spread of the noise",
        "spread of h",
    )
    # The effects on n are small and need more digits.
    return over_seeds(header, rows, digits=5)


def _fit_table(scalings, numbers):
    rows = [
        (NOISE_ENTRIES[entry], str(seed), str(scaling.gain_fit()), str(scaling.saturation_fit()))
        for entry, seeds in scalings.items()
        for seed, scaling in zip(numbers, seeds, strict=True)
    ]
    return Table(("noise as", "seed", "n∞(ξ)", "s∞(ξ)"), tuple(rows))


EXPERIMENT = Experiment(
    number="10",
    name="gain-scaling",
    title="Gain scaling under noise",
    paper="Fig 3b",
    expected="n∞(ξ) = aξ^(−b) + c and s∞(ξ) = a·exp(−bξ) + c; the effects are small.",
    trainings=lambda preset: _NETWORK,
    measure=_measure,
    conclude=_conclude,
    keeps={
        ADAPTATION: MOVED,
        **{
            f"{entry}_{field.name}": Array(
                f"amplitudes draws T_{entry}" if field.name in ("n", "s") else "amplitudes draws"
            )
            for entry in NOISE_ENTRIES
            for field in dataclasses.fields(Settled)
        },
    },
    revision=2,
)
