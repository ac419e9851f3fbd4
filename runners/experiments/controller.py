"""Experiment 14: the states of the controller under constant input (Geadah et al. 2024, Fig 5a)."""

import numpy as np

from aru_keras.analysis.controller import TAIL_STEPS, Controller, portrait
from aru_keras.plots.controller import controller_states
from aru_keras.runners.experiments.arrays import from_arrays, to_arrays
from aru_keras.runners.experiments.experiment import Array, Conclusion, Experiment, above, undecided
from aru_keras.runners.experiments.measured import required
from aru_keras.runners.experiments.tables import over_seeds

CURVE_SHARE = 0.9
"""Share of the variance above which points count as lying on one curve."""

STARTED = "start_"
"""Prefix of the names of the untrained controller's weights."""

_NETWORK = ("arun",)

_WEIGHTS = {
    "kernel": Array("1 G"),
    "recurrent_kernel": Array("G G"),
    "bias": Array("G"),
    "readout_kernel": Array("G 2"),
    "readout_bias": Array("2"),
}


def _measure(network, preset):
    start = Controller.of_cell(network.start.get_layer("recurrent").cell)
    return {
        **to_arrays(Controller.of_cell(network.cell)),
        **to_arrays(start, STARTED),
        "seed": np.array(network.seed),
    }


def _portrait(arrays, prefix=""):
    return portrait(from_arrays(Controller, arrays, prefix), seed=int(arrays["seed"]))


def _conclude(results, preset):
    required(results, _NETWORK)
    seeds = [_portrait(arrays) for arrays in results["arun"]]
    untrained = [_portrait(arrays, STARTED) for arrays in results["arun"]]
    moving = [seed.unsettled.max() for seed in seeds]
    return Conclusion(
        claims=(_claim(seeds, untrained),),
        figures={"states": controller_states(seeds[0])},
        tables=(
            over_seeds(("along", "share of variance"), _share_rows(seeds, untrained)),
            over_seeds(
                ("at the end", "share of the end points' spread"), (("RMS movement", moving),)
            ),
        ),
        note="If a controller comes to rest, neighbouring constants have neighbouring end points, "
        "also before training: compare with the row of the untrained controller. A bent curve has "
        "a smaller share of its variance along one line than a straight curve. RMS movement: root "
        f"mean square deviation of the state from its mean over the last {TAIL_STEPS} steps, for "
        "the constant at which it is largest, relative to the spread of the end points. If it is "
        "far from 0, the controller oscillates there and has no end point. The figure shows "
        f"{results.drawn}.",
    )


def _claim(seeds, untrained):
    claim = above(
        "The end points follow one another along one curve (share of their variance along it above "
        f"{CURVE_SHARE})",
        [seed.curve_share for seed in seeds],
        CURVE_SHARE,
    )
    if np.mean([seed.curve_share for seed in untrained]) > CURVE_SHARE:
        (claim,) = undecided([claim], "an untrained controller passes as well")
    return claim


def _share_rows(seeds, untrained):
    for k in (0, 1):
        yield f"component {k + 1}, all states", [seed.explained[k] for seed in seeds]
    yield "one curve, end points", [seed.curve_share for seed in seeds]
    yield "one curve, end points, untrained", [seed.curve_share for seed in untrained]
    yield "one line, end points", [seed.line_share for seed in seeds]


EXPERIMENT = Experiment(
    number="14",
    name="controller",
    title="States of the controller",
    paper="Fig 5a",
    expected="Under constant pre-activations the controller's states end on a one-dimensional "
    "curve.",
    trainings=lambda preset: _NETWORK,
    measure=_measure,
    conclude=_conclude,
    keeps={
        "seed": Array(),
        **_WEIGHTS,
        **{STARTED + name: array for name, array in _WEIGHTS.items()},
    },
)
