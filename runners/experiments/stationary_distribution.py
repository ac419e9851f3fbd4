"""Experiment 16: the stationary distribution π(ξ) (Geadah et al. 2024, Methods 5.4)."""

import numpy as np

from aru_keras.analysis.stationary_distribution import (
    StationaryDistribution,
    state_distribution,
    stationary_lines,
    unit_gaussian_distances,
)
from aru_keras.plots.stationary_distribution import state_distributions
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments.arrays import from_arrays, to_arrays
from aru_keras.runners.experiments.experiment import (
    Array,
    ClaimAbout,
    Conclusion,
    Experiment,
    above,
    below,
    decided,
    open_claim,
)
from aru_keras.runners.experiments.measured import later_half, required, under_drives
from aru_keras.runners.experiments.tables import over_seeds
from aru_keras.runners.experiments.trainings import DRIVEN

GAUSSIAN_OF = ("π(ξ) of each unit", "π(ξ) of the mean over units")

GAUSSIAN = 0.05
"""Distance from the Gaussian cumulative distribution below which π(ξ) counts as Gaussian."""

LINEAR = 0.9
"""R² from which on the mean and the standard deviation of π(ξ) count as linear in ξ."""

QUANTILES = 2000
"""Number of evenly spaced quantiles of π(ξ) that are saved for the figure."""

MOMENTS = (
    "mean",
    "deviation",
    "skewness",
    "excess_kurtosis",
    "gaussian_distance",
    "count",
)


def _measure(network, preset):
    drives = preset.step_amplitudes
    distributions, quantiles, gaussian = [], [], []
    ranks = (np.arange(QUANTILES) + 0.5) / QUANTILES
    recordings = under_drives(network, preset, drives, "h", later_half)
    for drive, recording in zip(drives, recordings, strict=True):
        h = recording["h"]
        distributions.append(state_distribution(h, drive))
        quantiles.append(np.quantile(h, ranks))
        population = state_distribution(h.mean(axis=-1), drive)
        gaussian.append([unit_gaussian_distances(h).mean(), population.gaussian_distance])
    moments = to_arrays(distributions)
    return {
        "drives": drives,
        "moments": np.stack([moments[name] for name in MOMENTS], axis=-1),
        "gaussian": gaussian,
        "quantiles": np.array(quantiles, "float32"),
    }


def _conclude(results, preset):
    names = required(results, DRIVEN)
    distributions = {name: [_distributions(arrays) for arrays in results[name]] for name in names}
    lines = {
        name: [stationary_lines(seed) for seed in seeds] for name, seeds in distributions.items()
    }
    return Conclusion(
        claims=decided(CLAIMS, {name: (lines[name], results) for name in names}),
        figures={name: _draw_stationary(results[name][0], lines[name][0]) for name in names},
        tables=tuple(_moment_table(name, distributions[name], results) for name in names),
        note="π(ξ) is the distribution of h over all units, images and steps of the later half of "
        f"the drive, on {preset.recorded_images} test images. Distance is the largest difference "
        "between the cumulative distribution and that of the Gaussian with the same mean and "
        "standard deviation. The claims use the distance of each unit by itself (mean over the "
        "units that vary) and that of the mean over units, because pooled units, whose means "
        "differ, cannot be Gaussian. Only the first preprint says that π(ξ) is Gaussian. Figure: "
        f"{results.drawn}.",
    )


def _distributions(arrays):
    moments = dict(zip(MOMENTS, arrays["moments"].T, strict=True))
    kind = tuple[StationaryDistribution, ...]
    return list(from_arrays(kind, {"drive": arrays["drives"], **moments}))


def _claims(arun):
    seeds, results = arun
    worst = results.stacked("arun", "gaussian").max(axis=1)
    return (
        *(
            below(f"{of} is Gaussian at every ξ (distance below {GAUSSIAN})", values, GAUSSIAN)
            for of, values in zip(GAUSSIAN_OF, worst.T, strict=True)
        ),
        _linear("mean", [seed.mean for seed in seeds]),
        _linear("standard deviation", [seed.deviation for seed in seeds]),
    )


def _linear(name, fits):
    text = f"The {name} of π(ξ) is linear in ξ (R² ≥ {LINEAR})"
    failed = [fit for fit in fits if fit.failed]
    if failed:
        return open_claim(text, len(fits), f"no line: {failed[0].reason}")
    return above(text, [fit.r_squared for fit in fits], LINEAR)


def _draw_stationary(arrays, lines):
    return state_distributions(dict(zip(arrays["drives"], arrays["quantiles"], strict=True)), lines)


def _moment_table(name, seeds, results):
    gaussian = results.stacked(name, "gaussian")
    rows = [
        (
            f"{at_drive[0].drive:g}",
            *([getattr(seed, key) for seed in at_drive] for key in MOMENTS[:-1]),
            *distances.T,
        )
        for at_drive, distances in zip(
            zip(*seeds, strict=True), np.swapaxes(gaussian, 0, 1), strict=True
        )
    ]
    distances = (f"distance, {of}" for of in ("pooled", "each unit", "mean over units"))
    header = ("mean", "standard deviation", "skewness", "excess kurtosis", *distances)
    return over_seeds((f"ξ, {NETWORK_LABELS[name]}", *header), rows)


CLAIMS = (ClaimAbout(("arun",), _claims),)


EXPERIMENT = Experiment(
    number="16",
    name="stationary-distribution",
    title="Stationary distribution under a drive",
    paper="Methods 5.4; Gaussian: first preprint",
    expected="The mean and the standard deviation of π(ξ) are linear in ξ. π(ξ) is Gaussian.",
    trainings=lambda preset: ("arun",),
    measure=_measure,
    conclude=_conclude,
    keeps={
        "drives": Array("ξ"),
        "moments": Array(f"ξ {len(MOMENTS)}"),
        "gaussian": Array("ξ 2", least=0),
        "quantiles": Array(f"ξ {QUANTILES}"),
    },
    revision=2,
)
