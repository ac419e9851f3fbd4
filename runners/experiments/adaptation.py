"""Experiments 10 and 11: how n and s adapt to what drives them (Geadah et al. 2024, Figs 3b, 4a
and 5b)."""

import dataclasses

import numpy as np
from scipy import stats

from aru_keras.analysis.gain_scaling import (
    AMPLITUDES,
    ENTRIES,
    GainScaling,
    Settled,
    gain_scaling,
)
from aru_keras.analysis.transients import transient, transients
from aru_keras.perturbations import StepDrive
from aru_keras.plots.gain_scaling import gain_scaling as gain_scaling_figure
from aru_keras.plots.transients import transients as transients_figure
from aru_keras.runners.experiments.experiment import (
    Array,
    Conclusion,
    Experiment,
    Table,
    above,
)
from aru_keras.runners.experiments.measured import (
    ADAPTATION,
    MOVED,
    adaptation,
    adaptation_table,
    cell,
    recorded,
    required,
    where_adapted,
)

R_SQUARED = 0.9
"""From which on a curve counts as describing the points."""

STRONG = 1
"""ξ from which on the course of n under a step drive is fitted."""

RANK_CORRELATION = 0.9

CLAIMED = "units"
"""The claims are about noise that enters here; the others are shown beside it."""

_NETWORK = ("arun",)


def _measure_gain_scaling(network, preset):
    images = network.task.examples("test", range(len(preset.noise_seeds)))[0]
    found = {ADAPTATION: adaptation(network, preset)}
    for entry in ENTRIES:
        x = images if entry == CLAIMED else None
        runs = gain_scaling(network.model, seeds=preset.noise_seeds, x=x, enters=entry).runs
        for field in dataclasses.fields(Settled):
            values = np.stack([getattr(run, field.name) for run in runs])
            # The courses are only drawn.
            found[f"{entry}_{field.name}"] = values.astype("f4") if values.ndim > 2 else values
    return found


def _scaling(arrays, entry):
    names = [field.name for field in dataclasses.fields(Settled)]
    columns = zip(*(arrays[f"{entry}_{name}"] for name in names), strict=True)
    runs = tuple(Settled(*values) for values in columns)
    return GainScaling(np.asarray(AMPLITUDES, "float64"), runs)


def _conclude_gain_scaling(results, preset):
    required(results, _NETWORK)
    found = {entry: [_scaling(one, entry) for one in results["arun"]] for entry in ENTRIES}
    return Conclusion(
        where_adapted(_scaling_claims(found[CLAIMED]), results),
        {entry: gain_scaling_figure(seeds[0]) for entry, seeds in found.items()},
        (
            adaptation_table(results),
            *(_steady_table(entry, seeds) for entry, seeds in found.items()),
            _fit_table(found, results.seeds),
        ),
        "The paper does not say where the noise enters. Claims: noise as a drive, drawn for each "
        "unit by itself, on test images, with the protocol's steps scaled to their length; beside "
        "it as one drive common to all units and as the network's input, without images. Spread: "
        f"standard deviation in the steady state. Means over {len(preset.noise_seeds)} draws of "
        f"noise. Figures: seed {results.seeds[0]}.",
    )


def _scaling_claims(seeds):
    return (
        _fit_claim("n∞ falls with ξ as a power law", [one.gain_fit() for one in seeds], ("a", "b")),
        _fit_claim(
            "s∞ settles with ξ as an exponential", [one.saturation_fit() for one in seeds], ("b",)
        ),
    )


def _fit_claim(text, fits, positive):
    """A claim that a curve with these parameters above 0 describes the points."""
    counted = (
        f"{text} (R², 0 for a fit that fails or whose {' or '.join(positive)} is not above 0 by "
        f"its 95 % interval, above {R_SQUARED})"
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
    values = [[one.over_amplitudes(name).mean(axis=0) for one in seeds] for name in columns]
    rows = [
        (f"{amplitude:g}", *(_fine([one[k] for one in column]) for column in values))
        for k, amplitude in enumerate(seeds[0].amplitudes)
    ]
    header = (f"ξ, noise as {ENTRIES[entry]}", "n∞", "s∞", "spread of the noise", "spread of h")
    return Table(header, tuple(rows))


def _fine(values):
    """Five digits: the effects on n are small."""
    return cell(values, digits=5)


def _fit_table(found, numbers):
    rows = [
        (ENTRIES[entry], str(seed), str(one.gain_fit()), str(one.saturation_fit()))
        for entry, seeds in found.items()
        for seed, one in zip(numbers, seeds, strict=True)
    ]
    return Table(("noise as", "seed", "n∞(ξ)", "s∞(ξ)"), tuple(rows))


def _measure_transients(network, preset):
    found = transients(network.model, recorded(network, preset), preset.step_amplitudes)
    means = {name: np.stack([getattr(one, name).mean for one in found]) for name in ("n", "s")}
    return {ADAPTATION: adaptation(network, preset), **means}


def _transients(arrays, preset):
    """The `Transient` of every ξ, of the mean courses (K, T), which stand for one unit's.

    Of each course the undriven one is subtracted, in which n and s follow the images alone, and its
    mean added: only what the drive does is fitted.
    """
    still = preset.step_amplitudes.index(0)
    courses = {}
    for name in ("n", "s"):
        course = arrays[name]
        courses[name] = course - course[still] + course[still].mean()
    units = {name: course[:, None, :, None] for name, course in courses.items()}
    return [
        transient({name: course[place] for name, course in units.items()}, StepDrive(drive))
        for place, drive in enumerate(preset.step_amplitudes)
    ]


def _conclude_transients(results, preset):
    required(results, _NETWORK)
    seeds = [_transients(one, preset) for one in results["arun"]]
    claims = (
        _decay_claim(seeds),
        above(
            "The steady gain depends on ξ (absolute rank correlation of n∞ and ξ above "
            f"{RANK_CORRELATION})",
            [_rank_correlation(one) for one in seeds],
            RANK_CORRELATION,
        ),
    )
    return Conclusion(
        where_adapted(claims, results),
        {"courses": transients_figure(seeds)},
        (adaptation_table(results), _transient_table(seeds)),
        f"Averages over units and {preset.recorded_images} test images, less the course without a "
        "drive, at whose mean they are drawn.",
    )


def _decay_claim(seeds):
    fits = [[one.n.decay for one in seed if one.drive.amplitude >= STRONG] for seed in seeds]
    claim = above(
        f"After onset n decays exponentially (median R² of the fits at ξ ≥ {STRONG}, 0 for one "
        f"that fails, above {R_SQUARED})",
        [np.median([0 if fit.failed else fit.r_squared for fit in one]) for one in fits],
        R_SQUARED,
    )
    reasons = [fit.reason for one in fits for fit in one if fit.failed]
    if not reasons:
        return claim
    counted = "; ".join(f"{reasons.count(one)} × {one}" for one in sorted(set(reasons)))
    return dataclasses.replace(claim, evidence=f"{claim.evidence}; fits that failed: {counted}")


def _rank_correlation(found):
    steady = [one.n.steady for one in found]
    # Constant data have no ranks.
    if np.ptp(steady) == 0:
        return 0.0
    return abs(stats.spearmanr([one.drive.amplitude for one in found], steady).statistic)


def _transient_table(seeds):
    rows = []
    for one in zip(*seeds, strict=True):
        courses = [[getattr(seed, name) for seed in one] for name in ("n", "s")]
        cells = [text for course in courses for text in _course_cells(course)]
        rows.append((f"{one[0].drive.amplitude:g}", *cells))
    columns = ("at onset", "steady", "τ (steps)", "R²")
    header = [f"{name} {column}" for name in ("n", "s") for column in columns]
    return Table(("ξ", *header), tuple(rows))


def _course_cells(courses):
    """Onset, steady state, and the decay where every seed has one."""
    levels = [_fine([getattr(one, field) for one in courses]) for field in ("onset", "steady")]
    fits = [one.decay for one in courses]
    if any(fit.failed for fit in fits):
        return *levels, "no fit", ""
    return *levels, cell([fit["tau"] for fit in fits]), cell([fit.r_squared for fit in fits])


EXPERIMENTS = (
    Experiment(
        "10",
        "gain-scaling",
        "Gain scaling under noise",
        "Fig 3b",
        "n∞(ξ) = aξ^(−b) + c and s∞(ξ) = a·exp(−bξ) + c; the effects are small.",
        lambda preset: _NETWORK,
        _measure_gain_scaling,
        _conclude_gain_scaling,
        keeps={
            ADAPTATION: MOVED,
            **{
                f"{entry}_{field.name}": Array(
                    f"amplitudes draws T_{entry}"
                    if field.name in ("n", "s")
                    else "amplitudes draws"
                )
                for entry in ENTRIES
                for field in dataclasses.fields(Settled)
            },
        },
        revision=2,
    ),
    Experiment(
        "11",
        "transients",
        "Onset and steady state under a step drive",
        "Figs 4a and 5b",
        "n and s relax exponentially to a level that depends on ξ.",
        lambda preset: _NETWORK,
        _measure_transients,
        _conclude_transients,
        keeps={ADAPTATION: MOVED, "n": Array("ξ T"), "s": Array("ξ T")},
        revision=2,
    ),
)
