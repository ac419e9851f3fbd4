"""Experiment 6: stability and accuracy over (n, s) (Geadah et al. 2024, Fig 6, B.2)."""

import dataclasses
from functools import partial

import numpy as np
from keras.ops import convert_to_numpy

from aru_keras.analysis.dynamics import GammaDynamics
from aru_keras.analysis.jacobian import jacobian_norms
from aru_keras.analysis.landscape import (
    EXPONENT_BOUND,
    EXPONENT_STARTS,
    Landscape,
    accuracy_by_side,
    landscape_correlations,
)
from aru_keras.analysis.lyapunov import lyapunov_exponents
from aru_keras.plots.landscape import landscape_maps, parameter_flow
from aru_keras.runners.experiments.experiment import (
    SHARE,
    Array,
    ClaimAbout,
    Conclusion,
    Experiment,
    above,
    decided,
    larger,
    open_claim,
)
from aru_keras.runners.experiments.tables import over_seeds
from aru_keras.runners.experiments.trainings import SHARED, landscape_name

FIXED, TRAINED = "fixed", "trained"

LEARNED = "a learned (n, s) beats ReLU (accuracy)"

CLAIMS = (ClaimAbout((SHARED, "relu"), partial(larger, LEARNED), LEARNED),)


def _trainings(preset):
    fixed = [landscape_name(FIXED, n, s) for n in preset.gains for s in preset.saturations]
    trained = [
        landscape_name(TRAINED, n, s)
        for n in preset.trained_gains
        for s in preset.trained_saturations
    ]
    return [*fixed, *trained, SHARED, "relu"]


def _measure(network, preset):
    arrays = {"accuracy": network.results["test_accuracy"]}
    if network.config.model != "gamma":
        return arrays
    history = network.history
    kernel = convert_to_numpy(network.start.get_layer("recurrent").cell.recurrent_kernel)
    start = network.start.get_layer("recurrent").cell
    first = [float(convert_to_numpy(value)) for value in (start.n, start.s)]
    path = np.concatenate([[first], np.stack([history["n"], history["s"]], axis=1)])
    return arrays | {"path": path, **_stability(kernel, *first, network.seed, preset)}


def _stability(kernel, n, s, seed, preset):
    norm = jacobian_norms(kernel, [n], [s], seed=seed).mean[0, 0]
    start = np.random.default_rng(seed).uniform(
        -EXPONENT_BOUND, EXPONENT_BOUND, (EXPONENT_STARTS, len(kernel))
    )
    exponents = lyapunov_exponents(
        GammaDynamics(kernel, n, s), start, steps=preset.exponent_steps, seed=seed
    )
    return {"norm": norm, "exponent": exponents.mean[0]}


def _conclude(results, preset):
    points = [(n, s) for n in preset.gains for s in preset.saturations]
    names = {point: landscape_name(FIXED, *point) for point in points}
    measured = {point: name for point, name in names.items() if name in results}
    if len(measured) < 3:
        raise ValueError(
            "A landscape needs at least three points (n, s) whose training did not diverge."
        )
    maps = [_map(results, measured, seed) for seed in range(len(results.seeds))]
    correlations = [_correlations(landscape) for landscape in maps]
    accuracies = {name: results.stacked(name, "accuracy") for name in results}
    claims = [
        _correlated("accuracy falls with |ln Jacobian norm|", "norm", correlations),
        _correlated("accuracy falls with |λ₁|", "exponent", correlations),
        _exploding(maps),
        *decided(CLAIMS, accuracies, results=results),
    ]
    mean, paths = _mean(maps), _paths(results, preset)
    return Conclusion(
        tuple(claims),
        {"maps": landscape_maps(mean, paths)} | ({"flow": parameter_flow(paths)} if paths else {}),
        (_table(mean, correlations),),
        "Norm and λ₁ are those of the untrained network. λ₁ is a mean over "
        f"{EXPONENT_STARTS} initial conditions from U(−{EXPONENT_BOUND:g}, {EXPONENT_BOUND:g}). "
        f"The paths show {results.drawn}.",
    )


def _correlations(landscape):
    """The rank correlations; None where a map is the same at all points, and so has no ranks."""
    maps = (landscape.accuracy, landscape.norm_distance, np.abs(landscape.exponent))
    return (
        None if any(np.ptp(values) == 0 for values in maps) else landscape_correlations(landscape)
    )


def _correlated(text, which, seeds):
    """A claim that a rank correlation over points is above 0.

    Few points can be correlated by chance. So the claim is decided only if the 95 % interval over
    seeds lies on one side of 0, and also the 95 % interval over points in most of the seeds.
    """
    text = f"{text} (rank correlation)"
    if None in seeds:
        return open_claim(text, len(seeds), "with a seed, a map is the same at all points")
    correlations = [getattr(seed, which) for seed in seeds]
    claim = above(text, [correlation.value for correlation in correlations], 0.0)
    agreeing = sum(
        (low > 0) if claim.holds else (high < 0)
        for low, high in (correlation.interval for correlation in correlations)
    )
    holds = claim.holds if 2 * agreeing > len(correlations) else None
    listed = "; ".join(str(correlation) for correlation in correlations)
    return dataclasses.replace(claim, holds=holds, evidence=f"{claim.evidence}; {listed}")


def _map(results, measured, seed):
    columns = {"norm": "jacobian_norm", "exponent": "exponent", "accuracy": "accuracy"}
    values = {
        field: [float(results[name][seed][key]) for name in measured.values()]
        for key, field in columns.items()
    }
    n, s = np.transpose(list(measured))
    return Landscape(n=n, s=s, **values)


def _mean(maps):
    fields = ("jacobian_norm", "exponent", "accuracy")
    values = {
        name: np.mean([getattr(landscape, name) for landscape in maps], axis=0) for name in fields
    }
    return Landscape(n=maps[0].n, s=maps[0].s, **values)


def _exploding(maps):
    """The claim about the exploding region; undecided where its norms are on one side of 1."""
    text = (
        "networks learn better where the Jacobian contracts than where it explodes, at equal "
        "|ln norm|"
    )
    sides = [accuracy_by_side(landscape) for landscape in maps]
    if None not in sides:
        return larger(text, *np.transpose(sides))
    counted = ", ".join(str(int(landscape.exploding.sum())) for landscape in maps)
    poorest = _at(_mean(maps), np.argmin)
    evidence = (
        f"norm > 1 at {counted} of {len(maps[0].n)} points, and no distances on both sides of 1; "
        f"the poorest point is {poorest}"
    )
    return open_claim(text, len(maps), evidence)


def _paths(results, preset):
    names = [
        landscape_name(TRAINED, n, s)
        for n in preset.trained_gains
        for s in preset.trained_saturations
    ]
    return [results[name][0]["path"] for name in results.present(*names)]


def _at(mean, which):
    """The point with the largest or the smallest accuracy, in words."""
    point = int(which(mean.accuracy))
    return (
        f"n = {mean.n[point]:g}, s = {mean.s[point]:g}, with accuracy "
        f"{100 * mean.accuracy[point]:.1f} %, norm {mean.jacobian_norm[point]:.3g} and λ₁ "
        f"{mean.exponent[point]:.3g}"
    )


def _table(mean, correlations):
    rows = (
        ("points (n, s)", str(len(mean.n))),
        ("best point", _at(mean, np.argmax)),
        ("poorest point", _at(mean, np.argmin)),
        ("rank correlation of norm and λ₁", [seed and seed.maps.value for seed in correlations]),
    )
    return over_seeds(("", "mean over seeds"), rows, missing="none")


EXPERIMENT = Experiment(
    number="6",
    name="landscape",
    title="Accuracy and stability over (n, s)",
    paper="Fig 6, B.2",
    expected="Accuracy is best near unit Jacobian norm and λ₁ = 0; the poor regions are the "
    "exploding ones; learned (n, s) beat ReLU.",
    trainings=_trainings,
    measure=_measure,
    conclude=_conclude,
    alone=False,
    keeps={
        "accuracy": SHARE,
        "path": Array("points 2", optional=True),
        "norm": Array(least=0, optional=True),
        "exponent": Array(optional=True),
    },
)
