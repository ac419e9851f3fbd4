"""Experiments 16 and 18: π(ξ), and the spectrum of W_hh (Geadah et al. 2024, Fig 5d–e)."""

import keras
import numpy as np

from aru_keras.analysis.spectrum import Spectrum, spectrum
from aru_keras.analysis.stationary import (
    StationaryDistribution,
    stationary_distribution,
    stationary_lines,
    unit_distances,
)
from aru_keras.plots import dynamics as plots
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments.experiment import (
    Array,
    Claim,
    Conclusion,
    Experiment,
    Table,
    above,
    below,
    larger,
)
from aru_keras.runners.experiments.measured import cell, later_half, required, under_drives
from aru_keras.runners.experiments.trainings import DRIVEN

GAUSSIAN_OF = ("π(ξ) of each unit", "π(ξ) of the mean over units")

GAUSSIAN = 0.05
"""Distance of two cumulative distributions below which π(ξ) counts as Gaussian."""

LINEAR = 0.9
"""R² from which on mean and standard deviation of π(ξ) count as linear."""

QUANTILES = 2000
"""Of π(ξ), evenly spaced, kept for the figure."""

MOMENTS = (
    "mean",
    "deviation",
    "skewness",
    "excess_kurtosis",
    "gaussian_distance",
    "count",
)

EXCESS = 0.1
"""Mean (|λ| − 1)₊ below which a spectrum counts as staying within the unit circle."""


def _measure_stationary(network, preset):
    drives = preset.step_amplitudes
    moments, quantiles, gaussian = [], [], []
    ranks = (np.arange(QUANTILES) + 0.5) / QUANTILES
    for drive, kept in zip(
        drives, under_drives(network, preset, drives, "h", later_half), strict=True
    ):
        found = stationary_distribution(kept["h"], drive)
        moments.append([getattr(found, name) for name in MOMENTS])
        quantiles.append(np.quantile(kept["h"], ranks))
        population = stationary_distribution(kept["h"].mean(axis=-1), drive)
        gaussian.append([unit_distances(kept["h"]).mean(), population.gaussian_distance])
    found = {"drives": drives, "moments": moments, "gaussian": gaussian}
    return found | {"quantiles": np.array(quantiles, "float32")}


def _conclude_stationary(results, preset):
    names = required(results, DRIVEN)
    found = {name: [_distributions(one) for one in results[name]] for name in names}
    lines = {name: [stationary_lines(one) for one in seeds] for name, seeds in found.items()}
    return Conclusion(
        claims=_stationary_claims(lines["arun"], results) if "arun" in names else (),
        figures={name: _draw_stationary(results[name][0], lines[name][0]) for name in names},
        tables=tuple(_moment_table(name, found[name], results) for name in names),
        note="π(ξ) of all units, images and steps of the later half of the drive, on "
        f"{preset.recorded_images} test images. Distance: the largest between the cumulative "
        "distribution and that of the Gaussian of the same mean and deviation; of each unit by "
        "itself (mean over units that vary) and of the mean over units, as units pooled, whose "
        "means differ, cannot be Gaussian. That π(ξ) is Gaussian stands in the first preprint "
        f"alone. Figure: seed {results.seeds[0]}.",
    )


def _distributions(arrays):
    return [
        StationaryDistribution(float(drive), *moments[:-1], int(moments[-1]))
        for drive, moments in zip(arrays["drives"], arrays["moments"].tolist(), strict=True)
    ]


def _stationary_claims(seeds, results):
    worst = results.stacked("arun", "gaussian").max(axis=1)
    return (
        *(
            below(f"{of} is Gaussian at every ξ (distance below {GAUSSIAN})", values, GAUSSIAN)
            for of, values in zip(GAUSSIAN_OF, worst.T, strict=True)
        ),
        _linear("mean", [one.mean for one in seeds]),
        _linear("standard deviation", [one.deviation for one in seeds]),
    )


def _linear(name, fits):
    text = f"The {name} of π(ξ) is linear in ξ (R² ≥ {LINEAR})"
    failed = [fit for fit in fits if fit.failed]
    if failed:
        return Claim(text, None, f"no line: {failed[0].reason}")
    return above(text, [fit.r_squared for fit in fits], LINEAR)


def _draw_stationary(arrays, lines):
    return plots.stationary(dict(zip(arrays["drives"], arrays["quantiles"], strict=True)), lines)


def _moment_table(name, seeds, results):
    gaussian = results.stacked(name, "gaussian")
    rows = [
        (
            f"{one[0].drive:g}",
            *(cell([getattr(each, key) for each in one]) for key in MOMENTS[:-1]),
            *(cell(values) for values in gaussian[:, place].T),
        )
        for place, one in enumerate(zip(*seeds, strict=True))
    ]
    distances = (f"distance, {of}" for of in ("pooled", "each unit", "mean over units"))
    header = ("mean", "deviation", "skewness", "excess kurtosis", *distances)
    return Table((f"ξ, {NETWORK_LABELS[name]}", *header), tuple(rows))


def _measure_spectrum(network, preset):
    cells = {"start": network.start.get_layer("recurrent").cell, "trained": network.cell}
    return {
        stage: spectrum(keras.ops.convert_to_numpy(one.recurrent_kernel)).eigenvalues
        for stage, one in cells.items()
    }


def _conclude_spectrum(results, preset):
    names = required(results, DRIVEN)
    found = {
        f"{NETWORK_LABELS[name]}, {stage}": [Spectrum(one[stage]) for one in results[name]]
        for name in names
        for stage in ("start", "trained")
    }
    columns = ("excess", "radius", "outside", "circle_distance")
    rows = [
        (label, *(cell([getattr(one, key) for one in seeds]) for key in columns))
        for label, seeds in found.items()
    ]
    header = ("W_hh of", "mean (|λ| − 1)₊", "spectral radius", "share outside", "mean ||λ| − 1|")
    return Conclusion(
        claims=_spectrum_claims(
            {name: [Spectrum(one["trained"]) for one in results[name]] for name in names}
        ),
        figures={"spectra": plots.spectra({label: seeds[0] for label, seeds in found.items()})},
        tables=(Table(header, tuple(rows)),),
        note=f"Figure: seed {results.seeds[0]}. At the start W_hh is orthogonal.",
    )


def _spectrum_claims(found):
    excess = {name: [one.excess for one in seeds] for name, seeds in found.items()}
    radius = {name: [one.radius for one in seeds] for name, seeds in found.items()}
    claims = []
    if "relu" in excess:
        text = f"ReLU's eigenvalues stay within the unit circle (mean (|λ| − 1)₊ below {EXCESS})"
        claims.append(below(text, excess["relu"], EXCESS))
    if {"arun", "relu"} <= excess.keys():
        text = "ARUN's reach farther beyond the unit circle than ReLU's"
        claims.append(larger(f"{text} (mean (|λ| − 1)₊)", excess["arun"], excess["relu"]))
        claims.append(larger(f"{text} (spectral radius)", radius["arun"], radius["relu"]))
    return tuple(claims)


EXPERIMENTS = (
    Experiment(
        "16",
        "stationary-distribution",
        "Stationary distribution under a drive",
        "Methods 5.4; Gaussian: first preprint",
        "The mean and the standard deviation of π(ξ) are linear in ξ; it is Gaussian.",
        lambda preset: ("arun",),
        _measure_stationary,
        _conclude_stationary,
        keeps={
            "drives": Array("ξ"),
            "moments": Array(f"ξ {len(MOMENTS)}"),
            "gaussian": Array("ξ 2", least=0),
            "quantiles": Array(f"ξ {QUANTILES}"),
        },
        revision=2,
    ),
    Experiment(
        "18",
        "spectrum",
        "Eigenvalues of the recurrent weights",
        "Fig 5e",
        "The eigenvalues of ReLU stay near the unit circle; those of the ARUN go beyond it.",
        lambda preset: ("arun", "relu"),
        _measure_spectrum,
        _conclude_spectrum,
        keeps=dict.fromkeys(("start", "trained"), Array("N")),
    ),
)
