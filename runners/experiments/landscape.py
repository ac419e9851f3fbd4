"""Experiments 6 and 7: stability and accuracy over the plane of (n, s)."""

import dataclasses

import numpy as np
from keras.ops import convert_to_numpy

from aru_keras.analysis.dynamics import GammaDynamics
from aru_keras.analysis.jacobian import jacobian_norms
from aru_keras.analysis.landscape import BOUND, STARTS, Landscape, correlations
from aru_keras.analysis.lyapunov import lyapunov_exponents
from aru_keras.plots.dynamics import jacobian_map
from aru_keras.plots.landscape import flow, landscape
from aru_keras.runners.experiments.experiment import (
    SHARE,
    Array,
    Claim,
    Conclusion,
    Experiment,
    Table,
    above,
    larger,
)
from aru_keras.runners.experiments.measured import cell
from aru_keras.runners.experiments.trainings import SHARED, landscape_name

FIXED, TRAINED = "fixed", "trained"


def _landscape_trainings(preset):
    fixed = [landscape_name(FIXED, n, s) for n in preset.gains for s in preset.saturations]
    trained = [
        landscape_name(TRAINED, n, s)
        for n in preset.trained_gains
        for s in preset.trained_saturations
    ]
    return [*fixed, *trained, SHARED, "relu"]


def _measure_landscape(network, preset):
    found = {"accuracy": network.results["test_accuracy"]}
    if network.config.model != "gamma":
        return found
    history = network.history
    kernel = convert_to_numpy(network.start.get_layer("recurrent").cell.recurrent_kernel)
    start = network.start.get_layer("recurrent").cell
    first = [float(convert_to_numpy(value)) for value in (start.n, start.s)]
    path = np.concatenate([[first], np.stack([history["n"], history["s"]], axis=1)])
    return found | {"path": path, **_stability(kernel, *first, network.seed, preset)}


def _stability(kernel, n, s, seed, preset):
    norm = jacobian_norms(kernel, [n], [s], seed=seed).mean[0, 0]
    start = np.random.default_rng(seed).uniform(-BOUND, BOUND, (STARTS, len(kernel)))
    exponents = lyapunov_exponents(
        GammaDynamics(kernel, n, s), start, steps=preset.exponent_steps, seed=seed
    )
    return {"norm": norm, "exponent": exponents.mean[0]}


def _conclude_landscape(results, preset):
    points = [(n, s) for n in preset.gains for s in preset.saturations]
    names = {point: landscape_name(FIXED, *point) for point in points}
    there = {point: name for point, name in names.items() if name in results}
    if len(there) < 3:
        raise ValueError("A landscape needs three points or more whose training did not diverge.")
    maps = [_map(results, there, place) for place in range(len(results.seeds))]
    found = [correlations(one) for one in maps]
    claims = [
        _correlated("accuracy falls with |ln Jacobian norm|", [one.norm for one in found]),
        _correlated("accuracy falls with |λ₁|", [one.exponent for one in found]),
        _exploding(maps),
    ]
    if {SHARED, "relu"} <= set(results):
        accuracies = [results.stacked(name, "accuracy") for name in (SHARED, "relu")]
        claims.append(larger("a learned (n, s) beats ReLU (accuracy)", *accuracies))
    mean, paths = _mean(maps), _paths(results, preset)
    return Conclusion(
        tuple(claims),
        {"maps": landscape(mean, paths)} | ({"flow": flow(paths)} if paths else {}),
        (_table(mean, found),),
        f"Norm and λ₁ are those of the untrained network, from {STARTS} states of "
        f"U(−{BOUND:g}, {BOUND:g}). Paths are of seed {results.seeds[0]}.",
    )


def _correlated(text, found):
    """A claim that a rank correlation is above 0, over seeds and, in each, over points.

    Few points can be correlated by chance: it is decided where over the seeds, and over the points
    of most of them, the 95 % interval lies on one side of 0.
    """
    claim = above(f"{text} (rank correlation)", [one.value for one in found], 0.0)
    agreeing = sum(
        (low > 0) if claim.holds else (high < 0) for low, high in (one.interval for one in found)
    )
    holds = claim.holds if 2 * agreeing > len(found) else None
    listed = "; ".join(str(one) for one in found)
    return dataclasses.replace(claim, holds=holds, evidence=f"{claim.evidence}; {listed}")


def _map(results, there, place):
    columns = {"norm": "jacobian_norm", "exponent": "exponent", "accuracy": "accuracy"}
    values = {
        field: [float(results[name][place][key]) for name in there.values()]
        for key, field in columns.items()
    }
    n, s = np.transpose(list(there))
    return Landscape(n=n, s=s, **values)


def _mean(maps):
    fields = ("jacobian_norm", "exponent", "accuracy")
    values = {name: np.mean([getattr(one, name) for one in maps], axis=0) for name in fields}
    return Landscape(n=maps[0].n, s=maps[0].s, **values)


def _exploding(maps):
    """The claim about the exploding region; undecided where there is none, or nothing else."""
    text = "where the Jacobian's norm is at most 1 networks learn better than where it is larger"
    counts = [int(one.exploding.sum()) for one in maps]
    if not all(0 < count < len(one.n) for count, one in zip(counts, maps, strict=True)):
        counted = ", ".join(map(str, counts))
        poorest = _at(_mean(maps), np.argmin)
        evidence = f"norm > 1 at {counted} of {len(maps[0].n)} points; the poorest is {poorest}"
        return Claim(text, None, evidence)
    inside = [one.accuracy[one.exploding].mean() for one in maps]
    outside = [one.accuracy[~one.exploding].mean() for one in maps]
    return larger(text, outside, inside)


def _paths(results, preset):
    names = [
        landscape_name(TRAINED, n, s)
        for n in preset.trained_gains
        for s in preset.trained_saturations
    ]
    return [results[name][0]["path"] for name in results.present(*names)]


def _at(mean, which):
    """The point whose accuracy is the largest or the smallest, in words."""
    place = int(which(mean.accuracy))
    return (
        f"n = {mean.n[place]:g}, s = {mean.s[place]:g}, of accuracy "
        f"{100 * mean.accuracy[place]:.1f} %, norm {mean.jacobian_norm[place]:.3g} and λ₁ "
        f"{mean.exponent[place]:.3g}"
    )


def _table(mean, found):
    rows = (
        ("points (n, s)", str(len(mean.n))),
        ("best point", _at(mean, np.argmax)),
        ("poorest point", _at(mean, np.argmin)),
        ("rank correlation of norm and λ₁", cell([one.maps.value for one in found])),
    )
    return Table(("", "mean over seeds"), rows)


def _measure_jacobian(network, preset):
    kernel = convert_to_numpy(network.start.get_layer("recurrent").cell.recurrent_kernel)
    found = jacobian_norms(kernel, seed=network.seed)
    trained = jacobian_norms(convert_to_numpy(network.cell.recurrent_kernel), seed=network.seed)
    return {
        "n": found.n,
        "s": found.s,
        "start": found.mean,
        "error": found.error,
        "trained": trained.mean,
        "trained_error": trained.error,
    }


def _conclude_jacobian(results, preset):
    from aru_keras.analysis.jacobian import JacobianNorms

    (name,) = list(results)[:1]
    first = results[name][0]
    figures = {
        stage: jacobian_map(
            JacobianNorms(
                first["n"],
                first["s"],
                results.stacked(name, stage).mean(axis=0),
                first[error],
                stage == "start",
            )
        )
        for stage, error in (("start", "error"), ("trained", "trained_error"))
    }
    return Conclusion(
        figures=figures,
        note="Before training (W_hh orthogonal), and with the trained W_hh. The line is norm 1.",
    )


EXPERIMENTS = (
    Experiment(
        "6",
        "landscape",
        "Accuracy and stability over (n, s)",
        "Fig 6, B.2",
        "Accuracy is best near unit Jacobian norm and λ₁ = 0; the poor regions are the exploding "
        "ones; learned (n, s) beat ReLU.",
        _landscape_trainings,
        _measure_landscape,
        _conclude_landscape,
        alone=False,
        keeps={
            "accuracy": SHARE,
            "path": Array("points 2", optional=True),
            "norm": Array(least=0, optional=True),
            "exponent": Array(optional=True),
        },
    ),
    Experiment(
        "7",
        "jacobian",
        "Norm of the Jacobian",
        "Fig 6",
        "A map over the grid: the norm grows with the slope of γ.",
        lambda preset: ["gamma"],
        _measure_jacobian,
        _conclude_jacobian,
        keeps={
            "n": Array("gains"),
            "s": Array("saturations"),
            **dict.fromkeys(
                ("start", "error", "trained", "trained_error"),
                Array("gains saturations", least=0),
            ),
        },
    ),
)
