"""Experiments 1 and 14: the family γ, and where in it a controller settles (Geadah et al. 2024,
Figs 1 and 5a)."""

import dataclasses

import numpy as np

from aru_keras.analysis.controller import TAIL, Controller, portrait
from aru_keras.analysis.family import family
from aru_keras.plots.controller import controller as controller_figure
from aru_keras.plots.family import family as family_figure
from aru_keras.runners.experiments.experiment import (
    Array,
    Claim,
    Conclusion,
    Experiment,
    Table,
    above,
    undecided,
)
from aru_keras.runners.experiments.measured import cell, required

LARGE_GAIN = 1000
"""The gain at which γ is held against ReLU, its limit for n → ∞."""

NEAR = 1e-3
"""Largest distance at which a curve counts as having reached its limit; ReLU's is ln 2/n."""

CURVE_SHARE = 0.9
"""Share of the variance from which on points count as lying on one curve."""

STARTED = "start_"
"""Before the names of the controller's weights before training."""

_NETWORK = ("arun",)

_WEIGHTS = {
    "kernel": Array("1 G"),
    "recurrent_kernel": Array("G G"),
    "bias": Array("G"),
    "readout_kernel": Array("G 2"),
    "readout_bias": Array("2"),
}


def _conclude_family(results, preset):
    found = family((1, LARGE_GAIN), (0, 1))
    reached = {
        "softplus": ("n = 1, s = 0", found.values[0, 0]),
        "ReLU": (f"n = {LARGE_GAIN}, s = 0", found.values[1, 0]),
        "sigmoid": ("n = 1, s = 1", found.values[0, 1]),
    }
    claims = [
        _limit_claim(name, where, np.abs(values - found.limits[name]).max(), found.x)
        for name, (where, values) in reached.items()
    ]
    return Conclusion(tuple(claims), {"curves": family_figure(family())})


def _limit_claim(name, where, distance, x):
    return Claim(
        f"γ is {name} at {where} (largest difference at most {NEAR:g})",
        bool(distance <= NEAR),
        f"{distance:.2g} over {x.min():g} ≤ x ≤ {x.max():g}",
    )


def _measure_controller(network, preset):
    start = vars(Controller.of_cell(network.start.get_layer("recurrent").cell))
    before = {f"{STARTED}{name}": values for name, values in start.items()}
    return {**vars(Controller.of_cell(network.cell)), **before, "seed": np.array(network.seed)}


def _portrait(arrays, prefix=""):
    weights = {field.name: arrays[prefix + field.name] for field in dataclasses.fields(Controller)}
    return portrait(Controller(**weights), seed=int(arrays["seed"]))


def _conclude_controller(results, preset):
    required(results, _NETWORK)
    seeds = [_portrait(one) for one in results["arun"]]
    untrained = [_portrait(one, STARTED) for one in results["arun"]]
    claim = above(
        "End points follow one another along one curve (share of their variance between their "
        f"neighbours above {CURVE_SHARE})",
        [one.curve_share for one in seeds],
        CURVE_SHARE,
    )
    if np.mean([one.curve_share for one in untrained]) > CURVE_SHARE:
        (claim,) = undecided([claim], "an untrained controller passes as well")
    rows = [
        *((f"component {k + 1}, all states", [one.explained[k] for one in seeds]) for k in (0, 1)),
        ("one curve, end points", [one.curve_share for one in seeds]),
        ("one curve, end points before training", [one.curve_share for one in untrained]),
        ("one line, end points", [one.line_share for one in seeds]),
    ]
    moving = cell([one.unsettled.max() for one in seeds])
    return Conclusion(
        (claim,),
        {"states": controller_figure(seeds[0])},
        (
            Table(("along", "share of variance"), tuple((name, cell(one)) for name, one in rows)),
            Table(("at the end", "share of the spread"), (("still moving", moving),)),
        ),
        "Where a controller settles, end points that belong to neighbouring constants are "
        "neighbours, trained or not: compare with the row before training. A curve that bends has "
        "a smaller share along one line than a straight one. Still moving: root mean square over "
        f"the last {TAIL} steps, of the constant where it is largest, relative to the end points' "
        "spread; far from 0 the controller oscillates there, and has no end point. The figure is "
        f"that of seed {results.seeds[0]}.",
    )


EXPERIMENTS = (
    Experiment(
        "1",
        "family",
        "The activation family γ",
        "Fig 1",
        "Softplus, ReLU and sigmoid are limits of γ(x; n, s).",
        lambda preset: (),
        lambda network, preset: {},
        _conclude_family,
    ),
    Experiment(
        "14",
        "controller",
        "States of the controller",
        "Fig 5a",
        "Under constant pre-activations the controller's states end on a one-dimensional curve.",
        lambda preset: _NETWORK,
        _measure_controller,
        _conclude_controller,
        keeps={"seed": Array(), **_WEIGHTS, **{STARTED + k: v for k, v in _WEIGHTS.items()}},
    ),
)
