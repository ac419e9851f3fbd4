"""Experiment 15: the noise boundary (Geadah et al. 2024, Prop. 1, Fig 5b)."""

import numpy as np

from aru_keras.analysis.noise_boundary import boundary_distance, noise_decays
from aru_keras.analysis.transients import steady_state
from aru_keras.perturbations import StepDrive
from aru_keras.plots.noise_boundary import noise_boundaries
from aru_keras.runners.experiments.experiment import Array, Conclusion, Experiment, above, larger
from aru_keras.runners.experiments.measured import (
    ADAPTATION,
    MOVED,
    adaptation,
    adaptation_table,
    required,
    sequence_length,
    under_drives,
    where_adapted,
)
from aru_keras.runners.experiments.tables import over_seeds

MODERATE = 2.5
"""Least amplitude ξ of a drive that counts as moderate to high."""

DRAWN = (2.5, 5, 10, 30)
"""Amplitudes ξ of the panels, if they are measured."""

POINTS = ("onset", "late")


def _measure(network, preset):
    """The n and s of every unit, means over images, at onset and in the steady state, (D, 2, N)."""
    drives, drive = preset.step_amplitudes, StepDrive()
    timesteps = sequence_length(network, preset)
    first, steady = drive.window(timesteps).start, steady_state(drive, timesteps)
    late = slice(steady.start - first, steady.stop - first)
    arrays = {"drives": drives, "onset": [], "late": [], ADAPTATION: adaptation(network, preset)}
    for recording in under_drives(network, preset, drives, ("n", "s"), drive.window):
        pair = np.stack([recording[name].mean(axis=0, dtype="float64") for name in ("n", "s")])
        arrays["onset"].append(pair[:, 0])
        arrays["late"].append(pair[:, late].mean(axis=1))
    return arrays


def _conclude(results, preset):
    required(results, ("arun",))
    drives = results["arun"][0]["drives"]
    points = {name: results.stacked("arun", name) for name in POINTS}
    # (seeds, D, 2): of the population, as the paper draws it.
    means = {name: values.mean(axis=-1) for name, values in points.items()}
    depths = {name: _depth(drives, *np.moveaxis(mean, 2, 0)) for name, mean in means.items()}
    high = drives >= MODERATE
    return Conclusion(
        claims=where_adapted(_claims(*(depths[name][:, high] for name in POINTS)), results),
        figures={"boundary": _draw(drives, *(points[name][0] for name in POINTS))},
        tables=(adaptation_table(results), _table(drives, points, means, depths)),
        note="In claims and table, (n, s) is averaged over images and units. Depth is the distance "
        "from the nearest point of Λ(ξ) with σ = 1; it is positive in the decaying region and "
        f"negative outside. Drives with ξ ≥ {MODERATE:g} count as moderate to high. Late is the "
        f"steady state of experiment 11. The figure shows every unit of {results.drawn}, averaged "
        "over images; the decaying region is shaded.",
    )


def _depth(drives, n, s):
    """The distance of points, (…, D), from Λ(ξ), positive inside the decaying region."""
    boundary = boundary_distance(drives, n, s)
    return np.where(boundary.decays, 1, -1) * boundary.distance


def _claims(onset, late):
    where = f"at every ξ ≥ {MODERATE:g} (smallest depth)"
    return (
        above(f"At onset (n, s) is inside the decaying region {where}", onset.min(axis=1), 0),
        above(f"Late, (n, s) is still inside the decaying region {where}", late.min(axis=1), 0),
        larger(
            f"(n, s) is deeper inside at onset than late (mean depth over ξ ≥ {MODERATE:g})",
            onset.mean(axis=1),
            late.mean(axis=1),
        ),
    )


def _table(drives, points, means, depths):
    rows = []
    for index, drive in enumerate(drives):
        row = [f"{drive:g}"]
        for name in POINTS:
            n, s = points[name][:, index, 0], points[name][:, index, 1]
            inside = noise_decays(drive, n, s).mean(axis=-1)
            numbers = (*means[name][:, index].T, depths[name][:, index], inside)
            row += numbers
        rows.append(row)
    header = [
        f"{what}, {name}"
        for name in POINTS
        for what in ("n", "s", "depth", "share of units inside")
    ]
    return over_seeds(("ξ", *header), rows)


def _draw(drives, onset, late):
    """The figure of points (D, 2, N)."""
    indices = np.flatnonzero(np.isin(drives, DRAWN))
    indices = indices if indices.size else np.arange(len(drives))
    return noise_boundaries(
        drives[indices], *(points[indices].swapaxes(0, 1) for points in (onset, late))
    )


EXPERIMENT = Experiment(
    number="15",
    name="noise-boundary",
    title="The boundary between decaying and growing noise",
    paper="Prop. 1, Fig 5b",
    expected="Under moderate to high drives, (n, s) is inside the decaying region at onset. Late "
    "it is still inside, near the boundary.",
    trainings=lambda preset: ("arun",),
    measure=_measure,
    conclude=_conclude,
    keeps={
        ADAPTATION: MOVED,
        "drives": Array("ξ"),
        **dict.fromkeys(POINTS, Array("ξ 2 N")),
    },
    revision=2,
)
