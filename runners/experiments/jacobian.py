"""Experiment 7: the norm of the Jacobian over (n, s) (Geadah et al. 2024, Fig 6)."""

import dataclasses

import numpy as np
from keras.ops import convert_to_numpy

from aru_keras.analysis.jacobian import JacobianNorms, jacobian_norms
from aru_keras.plots.jacobian import jacobian_map
from aru_keras.runners.experiments.arrays import from_arrays, to_arrays
from aru_keras.runners.experiments.experiment import Array, Conclusion, Experiment
from aru_keras.runners.experiments.measured import required

STAGES = {
    "start": {"mean": "start", "error": "error"},
    "trained": {"mean": "trained", "error": "trained_error"},
}
"""Names of the arrays of each stage of the training, by field of `JacobianNorms`."""


def _measure(network, preset):
    cells = {"start": network.start.get_layer("recurrent").cell, "trained": network.cell}
    arrays = {}
    for stage, cell in cells.items():
        norms = jacobian_norms(convert_to_numpy(cell.recurrent_kernel), seed=network.seed)
        arrays |= to_arrays(norms, names=STAGES[stage], without=("orthogonal",))
    return arrays


def _conclude(results, preset):
    (name, *_) = required(results, ("gamma", *results))
    seeds = results[name]
    return Conclusion(
        figures={stage: jacobian_map(_mean(seeds, names)) for stage, names in STAGES.items()},
        note="The first map is with W_hh before training, which is orthogonal, and the second with "
        "the trained W_hh. On the line the norm is 1.",
    )


def _mean(seeds, names):
    """The norms averaged over seeds, in the `JacobianNorms` of the first seed."""
    norms = [from_arrays(JacobianNorms, arrays, names=names) for arrays in seeds]
    return dataclasses.replace(norms[0], mean=np.mean([seed.mean for seed in norms], axis=0))


EXPERIMENT = Experiment(
    number="7",
    name="jacobian",
    title="Norm of the Jacobian",
    paper="Fig 6",
    expected="A map over the grid: the norm grows with the slope of γ.",
    trainings=lambda preset: ["gamma"],
    measure=_measure,
    conclude=_conclude,
    keeps={
        "n": Array("gains"),
        "s": Array("saturations"),
        **dict.fromkeys(
            ("start", "error", "trained", "trained_error"),
            Array("gains saturations", least=0),
        ),
    },
)
