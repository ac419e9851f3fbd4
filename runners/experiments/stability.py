"""Experiments 15, 16 and 18: the noise boundary, π(ξ), and the spectrum of W_hh (Geadah et al.
2024, Prop. 1, App. D, Fig 5b and 5e)."""

import keras
import numpy as np

from aru_keras.analysis.boundary import boundary_distance, decays
from aru_keras.analysis.spectrum import Spectrum, spectrum
from aru_keras.analysis.stationary import (
    StationaryDistribution,
    stationary_distribution,
    stationary_lines,
)
from aru_keras.analysis.transients import steady_state
from aru_keras.perturbations import StepDrive
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
from aru_keras.runners.experiments.measured import (
    cell,
    later_half,
    required,
    sequence_length,
    under_drives,
)
from aru_keras.runners.experiments.trainings import DRIVEN

MODERATE = 2.5
"""ξ from which on a drive counts as moderate to high."""

DRAWN = (2.5, 5, 10, 30)
"""ξ of the panels of the noise boundary, as far as they are measured."""

POINTS = ("onset", "late")

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

NEAR_CIRCLE = 0.1
"""Mean ||λ| − 1| below which a spectrum counts as near the unit circle."""


def _measure_boundary(network, preset):
    """n and s of every unit, mean over images, at onset and in the steady state, (D, 2, N)."""
    drives, drive = preset.step_amplitudes, StepDrive()
    timesteps = sequence_length(network, preset)
    first, steady = drive.window(timesteps).start, steady_state(drive, timesteps)
    late = slice(steady.start - first, steady.stop - first)
    found = {"drives": drives, "onset": [], "late": []}
    for kept in under_drives(network, preset, drives, ("n", "s"), drive.window):
        pair = np.stack([kept[name].mean(axis=0, dtype="float64") for name in ("n", "s")])
        found["onset"].append(pair[:, 0])
        found["late"].append(pair[:, late].mean(axis=1))
    return found


def _conclude_boundary(results, preset):
    required(results, ("arun",))
    drives = results["arun"][0]["drives"]
    points = {name: results.stacked("arun", name) for name in POINTS}
    # (seeds, D, 2): of the population, as the paper draws it.
    means = {name: found.mean(axis=-1) for name, found in points.items()}
    depths = {name: _depth(drives, *np.moveaxis(found, 2, 0)) for name, found in means.items()}
    high = drives >= MODERATE
    return Conclusion(
        claims=_boundary_claims(*(depths[name][:, high] for name in POINTS)),
        figures={"boundary": _draw_boundary(drives, *(points[name][0] for name in POINTS))},
        tables=(_boundary_table(drives, points, means, depths),),
        note="Claims and table: (n, s) averaged over images and units. Depth is the distance from "
        "the nearest point of Λ(ξ), σ = 1, positive in the decaying region. Moderate to high means "
        f"ξ ≥ {MODERATE:g}; late is the steady state of experiment 11. The figure has every unit "
        f"of seed {results.seeds[0]}, averaged over images, and the decaying region shaded.",
    )


def _depth(drives, n, s):
    """Distance of points, (…, D), from Λ(ξ), positive inside the decaying region."""
    found = boundary_distance(drives, n, s)
    return np.where(found.decays, 1, -1) * found.distance


def _boundary_claims(onset, late):
    where = f"at every ξ ≥ {MODERATE:g} (least depth)"
    return (
        above(f"At onset (n, s) is inside the decaying region {where}", onset.min(axis=1), 0),
        above(f"Late, (n, s) is still inside it {where}", late.min(axis=1), 0),
        larger(
            f"Onset is deeper inside it than late (mean depth over ξ ≥ {MODERATE:g})",
            onset.mean(axis=1),
            late.mean(axis=1),
        ),
    )


def _boundary_table(drives, points, means, depths):
    rows = []
    for place, drive in enumerate(drives):
        row = [f"{drive:g}"]
        for name in POINTS:
            n, s = points[name][:, place, 0], points[name][:, place, 1]
            inside = decays(drive, n, s).mean(axis=-1)
            numbers = (*means[name][:, place].T, depths[name][:, place], inside)
            row += [cell(one) for one in numbers]
        rows.append(tuple(row))
    header = [f"{what}, {name}" for name in POINTS for what in ("n", "s", "depth", "units inside")]
    return Table(("ξ", *header), tuple(rows))


def _draw_boundary(drives, onset, late):
    """Of points (D, 2, N)."""
    places = np.flatnonzero(np.isin(drives, DRAWN))
    places = places if places.size else np.arange(len(drives))
    return plots.noise_boundary(
        drives[places], *(one[places].swapaxes(0, 1) for one in (onset, late))
    )


def _measure_stationary(network, preset):
    drives = preset.step_amplitudes
    moments, quantiles = [], []
    ranks = (np.arange(QUANTILES) + 0.5) / QUANTILES
    for drive, kept in zip(
        drives, under_drives(network, preset, drives, "h", later_half), strict=True
    ):
        found = stationary_distribution(kept["h"], drive)
        moments.append([getattr(found, name) for name in MOMENTS])
        quantiles.append(np.quantile(kept["h"], ranks))
    return {"drives": drives, "moments": moments, "quantiles": np.array(quantiles, "float32")}


def _conclude_stationary(results, preset):
    names = required(results, DRIVEN)
    found = {name: [_distributions(one) for one in results[name]] for name in names}
    lines = {name: [stationary_lines(one) for one in seeds] for name, seeds in found.items()}
    return Conclusion(
        claims=_stationary_claims(lines["arun"]) if "arun" in names else (),
        figures={name: _draw_stationary(results[name][0], lines[name][0]) for name in names},
        tables=tuple(_moment_table(name, found[name]) for name in names),
        note="π(ξ) of all units, images and steps of the later half of the drive, on "
        f"{preset.recorded_images} test images. Distance: the largest between the cumulative "
        "distribution and that of the Gaussian of the same mean and deviation. Figure: seed "
        f"{results.seeds[0]}.",
    )


def _distributions(arrays):
    return [
        StationaryDistribution(float(drive), *moments[:-1], int(moments[-1]))
        for drive, moments in zip(arrays["drives"], arrays["moments"].tolist(), strict=True)
    ]


def _stationary_claims(seeds):
    worst = [max(one.gaussian_distance for one in seed.distributions) for seed in seeds]
    text = f"π(ξ) is Gaussian at every ξ (largest distance below {GAUSSIAN})"
    gaussian = below(text, worst, GAUSSIAN)
    return (
        gaussian,
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


def _moment_table(name, seeds):
    rows = [
        (f"{one[0].drive:g}", *(cell([getattr(each, key) for each in one]) for key in MOMENTS[:-1]))
        for one in zip(*seeds, strict=True)
    ]
    header = ("mean", "deviation", "skewness", "excess kurtosis", "distance")
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
    columns = ("circle_distance", "farthest_from_circle", "radius", "outside")
    rows = [
        (label, *(cell([getattr(one, key) for one in seeds]) for key in columns))
        for label, seeds in found.items()
    ]
    header = ("W_hh of", "mean ||λ| − 1|", "largest ||λ| − 1|", "spectral radius", "share outside")
    return Conclusion(
        claims=_spectrum_claims(
            {n: [Spectrum(one["trained"]).circle_distance for one in results[n]] for n in names}
        ),
        figures={"spectra": plots.spectra({label: seeds[0] for label, seeds in found.items()})},
        tables=(Table(header, tuple(rows)),),
        note=f"Figure: seed {results.seeds[0]}. At the start W_hh is orthogonal.",
    )


def _spectrum_claims(distances):
    claims = []
    if "relu" in distances:
        text = f"Training leaves ReLU near the unit circle (mean ||λ| − 1| below {NEAR_CIRCLE})"
        claims.append(below(text, distances["relu"], NEAR_CIRCLE))
    if "arun" in distances:
        text = f"Training takes ARUN away from it (mean ||λ| − 1| above {NEAR_CIRCLE})"
        claims.append(above(text, distances["arun"], NEAR_CIRCLE))
    if {"arun", "relu"} <= distances.keys():
        text = "ARUN leaves the unit circle farther than ReLU does (mean ||λ| − 1|, trained)"
        claims.append(larger(text, distances["arun"], distances["relu"]))
    return tuple(claims)


EXPERIMENTS = (
    Experiment(
        "15",
        "noise-boundary",
        "The boundary between decaying and growing noise",
        "Prop. 1, Fig 5b",
        "Under moderate to high drives (n, s) is inside the decaying region at onset, and late "
        "near the boundary from within.",
        lambda preset: ("arun",),
        _measure_boundary,
        _conclude_boundary,
        keeps={"drives": Array("ξ"), **dict.fromkeys(POINTS, Array("ξ 2 N"))},
    ),
    Experiment(
        "16",
        "stationary-distribution",
        "Stationary distribution under a drive",
        "App. D",
        "π(ξ) is Gaussian, and its mean and standard deviation are linear in ξ.",
        lambda preset: ("arun",),
        _measure_stationary,
        _conclude_stationary,
        keeps={
            "drives": Array("ξ"),
            "moments": Array(f"ξ {len(MOMENTS)}"),
            "quantiles": Array(f"ξ {QUANTILES}"),
        },
    ),
    Experiment(
        "18",
        "spectrum",
        "Eigenvalues of the recurrent weights",
        "Fig 5e",
        "The eigenvalues of ReLU stay near the unit circle; those of the ARUN leave it.",
        lambda preset: ("arun", "relu"),
        _measure_spectrum,
        _conclude_spectrum,
        keeps=dict.fromkeys(("start", "trained"), Array("N")),
    ),
)
