"""Experiment 15: the boundary between decaying and growing noise (Geadah et al. 2024, Prop. 1, Fig
5b)."""

import numpy as np

from aru_keras.analysis.boundary import boundary_distance, decays
from aru_keras.analysis.transients import steady_state
from aru_keras.perturbations import StepDrive
from aru_keras.plots import dynamics as plots
from aru_keras.runners.experiments.experiment import (
    Array,
    Conclusion,
    Experiment,
    Table,
    above,
    larger,
)
from aru_keras.runners.experiments.measured import (
    ADAPTATION,
    MOVED,
    adaptation,
    adaptation_table,
    cell,
    required,
    sequence_length,
    under_drives,
    where_adapted,
)

MODERATE = 2.5
"""ξ from which on a drive counts as moderate to high."""

DRAWN = (2.5, 5, 10, 30)
"""ξ of the panels, as far as they are measured."""

POINTS = ("onset", "late")


def _measure(network, preset):
    """n and s of every unit, mean over images, at onset and in the steady state, (D, 2, N)."""
    drives, drive = preset.step_amplitudes, StepDrive()
    timesteps = sequence_length(network, preset)
    first, steady = drive.window(timesteps).start, steady_state(drive, timesteps)
    late = slice(steady.start - first, steady.stop - first)
    found = {"drives": drives, "onset": [], "late": [], ADAPTATION: adaptation(network, preset)}
    for kept in under_drives(network, preset, drives, ("n", "s"), drive.window):
        pair = np.stack([kept[name].mean(axis=0, dtype="float64") for name in ("n", "s")])
        found["onset"].append(pair[:, 0])
        found["late"].append(pair[:, late].mean(axis=1))
    return found


def _conclude(results, preset):
    required(results, ("arun",))
    drives = results["arun"][0]["drives"]
    points = {name: results.stacked("arun", name) for name in POINTS}
    # (seeds, D, 2): of the population, as the paper draws it.
    means = {name: found.mean(axis=-1) for name, found in points.items()}
    depths = {name: _depth(drives, *np.moveaxis(found, 2, 0)) for name, found in means.items()}
    high = drives >= MODERATE
    return Conclusion(
        claims=where_adapted(_claims(*(depths[name][:, high] for name in POINTS)), results),
        figures={"boundary": _draw(drives, *(points[name][0] for name in POINTS))},
        tables=(adaptation_table(results), _table(drives, points, means, depths)),
        note="Claims and table: (n, s) averaged over images and units. Depth is the distance from "
        "the nearest point of Λ(ξ), σ = 1, positive in the decaying region. Moderate to high means "
        f"ξ ≥ {MODERATE:g}; late is the steady state of experiment 11. The figure has every unit "
        f"of seed {results.seeds[0]}, averaged over images, and the decaying region shaded.",
    )


def _depth(drives, n, s):
    """Distance of points, (…, D), from Λ(ξ), positive inside the decaying region."""
    found = boundary_distance(drives, n, s)
    return np.where(found.decays, 1, -1) * found.distance


def _claims(onset, late):
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


def _table(drives, points, means, depths):
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


def _draw(drives, onset, late):
    """Of points (D, 2, N)."""
    places = np.flatnonzero(np.isin(drives, DRAWN))
    places = places if places.size else np.arange(len(drives))
    return plots.noise_boundary(
        drives[places], *(one[places].swapaxes(0, 1) for one in (onset, late))
    )


EXPERIMENTS = (
    Experiment(
        "15",
        "noise-boundary",
        "The boundary between decaying and growing noise",
        "Prop. 1, Fig 5b",
        "Under moderate to high drives (n, s) is inside the decaying region at onset, and late "
        "near the boundary from within.",
        lambda preset: ("arun",),
        _measure,
        _conclude,
        keeps={
            ADAPTATION: MOVED,
            "drives": Array("ξ"),
            **dict.fromkeys(POINTS, Array("ξ 2 N")),
        },
        revision=2,
    ),
)
