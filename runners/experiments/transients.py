"""Experiment 11: onset and steady state of n and s (Geadah et al. 2024, Figs 4a and 5b)."""

import dataclasses

import numpy as np
from scipy import stats

from aru_keras.analysis.transients import measure_transients, transient
from aru_keras.perturbations import StepDrive
from aru_keras.plots.transients import transient_courses
from aru_keras.runners.experiments.experiment import Array, Conclusion, Experiment, above
from aru_keras.runners.experiments.measured import (
    ADAPTATION,
    MOVED,
    R_SQUARED,
    adaptation,
    adaptation_table,
    recorded,
    required,
    where_adapted,
)
from aru_keras.runners.experiments.tables import entry, over_seeds

STRONG = 1
"""Least amplitude ξ at which the claim uses the fit of the course of n."""

RANK_CORRELATION = 0.9

_NETWORK = ("arun",)


def _measure(network, preset):
    responses = measure_transients(network.model, recorded(network, preset), preset.step_amplitudes)
    means = {
        name: np.stack([getattr(response, name).mean for response in responses])
        for name in ("n", "s")
    }
    return {ADAPTATION: adaptation(network, preset), **means}


def _transients(arrays, preset):
    """The `Transient` for every ξ, from the mean courses (K, T), treated as those of a single unit.

    Without a drive, n and s follow the images. This course is subtracted from every course, and its
    mean added, so that the fit describes only the effect of the drive.
    """
    still = preset.step_amplitudes.index(0)
    courses = {}
    for name in ("n", "s"):
        course = arrays[name]
        courses[name] = course - course[still] + course[still].mean()
    units = {name: course[:, None, :, None] for name, course in courses.items()}
    return [
        transient({"n": n, "s": s}, StepDrive(drive))
        for n, s, drive in zip(units["n"], units["s"], preset.step_amplitudes, strict=True)
    ]


def _conclude(results, preset):
    required(results, _NETWORK)
    seeds = [_transients(arrays, preset) for arrays in results["arun"]]
    claims = (
        _decay_claim(seeds),
        above(
            "The steady gain depends on ξ (absolute rank correlation of n∞ and ξ above "
            f"{RANK_CORRELATION})",
            [_rank_correlation(seed) for seed in seeds],
            RANK_CORRELATION,
        ),
    )
    return Conclusion(
        where_adapted(claims, results),
        {"courses": transient_courses(seeds)},
        (adaptation_table(results), _transient_table(seeds)),
        f"The courses are averages over units and {preset.recorded_images} test images. The course "
        "without a drive is subtracted from them, and its mean over time is added.",
    )


def _decay_claim(seeds):
    fits = [
        [response.n.decay for response in seed if response.drive.amplitude >= STRONG]
        for seed in seeds
    ]
    claim = above(
        f"After onset n decays exponentially (median R² of the fits at ξ ≥ {STRONG} above "
        f"{R_SQUARED}; R² counts as 0 if a fit fails)",
        [np.median([0 if fit.failed else fit.r_squared for fit in seed]) for seed in fits],
        R_SQUARED,
    )
    reasons = [fit.reason for seed in fits for fit in seed if fit.failed]
    if not reasons:
        return claim
    counted = "; ".join(f"{reasons.count(reason)} × {reason}" for reason in sorted(set(reasons)))
    return dataclasses.replace(claim, evidence=f"{claim.evidence}; fits that failed: {counted}")


def _rank_correlation(responses):
    steady = [response.n.steady for response in responses]
    # Constant data have no ranks.
    if np.ptp(steady) == 0:
        return 0.0
    return abs(
        stats.spearmanr([response.drive.amplitude for response in responses], steady).statistic
    )


def _transient_table(seeds):
    rows = []
    for at_drive in zip(*seeds, strict=True):
        courses = [[getattr(seed, name) for seed in at_drive] for name in ("n", "s")]
        entries = [text for course in courses for text in _course_entries(course)]
        rows.append((f"{at_drive[0].drive.amplitude:g}", *entries))
    columns = ("at onset", "steady", "τ (steps)", "R²")
    header = [f"{name} {column}" for name in ("n", "s") for column in columns]
    return over_seeds(("ξ", *header), rows)


def _course_entries(courses):
    """Onset, steady state, and the decay if the fit succeeded for every seed."""
    # The effects on n are small and need more digits.
    levels = [
        entry([getattr(course, field) for course in courses], digits=5)
        for field in ("onset", "steady")
    ]
    fits = [course.decay for course in courses]
    if any(fit.failed for fit in fits):
        return *levels, "no fit", ""
    return *levels, [fit["tau"] for fit in fits], [fit.r_squared for fit in fits]


EXPERIMENT = Experiment(
    number="11",
    name="transients",
    title="Onset and steady state under a step drive",
    paper="Figs 4a and 5b",
    expected="n and s relax exponentially to a level that depends on ξ.",
    trainings=lambda preset: _NETWORK,
    measure=_measure,
    conclude=_conclude,
    keeps={ADAPTATION: MOVED, "n": Array("ξ T"), "s": Array("ξ T")},
    revision=2,
)
