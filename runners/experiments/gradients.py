"""Experiment 19: gradient propagation through time (Geadah et al. 2024, C.5, Fig 18)."""

from functools import partial

import numpy as np

from aru_keras.analysis.gradients import Propagation, propagation
from aru_keras.plots.gradients import gradient_norms
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments.arrays import from_arrays, to_arrays
from aru_keras.runners.experiments.experiment import (
    Array,
    ClaimAbout,
    Conclusion,
    Experiment,
    above,
    decided,
    larger,
)
from aru_keras.runners.experiments.measured import required
from aru_keras.runners.experiments.tables import over_seeds
from aru_keras.runners.experiments.trainings import DRIVEN

FRACTION = 10
"""The full length is compared with this fraction of it, 1/10."""

TURN = 0.05
"""Decades by which a gradient norm must rise, and fall again, to have a peak; 12 %."""

LEAST = float(np.finfo("float32").tiny)
"""Lower bound of a norm, so that the logarithm of a gradient that vanishes in float32 is finite."""


def _measure(network, preset):
    x, labels = network.task.examples("train", range(preset.recorded_images))
    return to_arrays(propagation(network.model, x, labels), without=("gradient",))


def _conclude(results, preset):
    names = required(results, DRIVEN)
    seeds = {name: [from_arrays(Propagation, arrays) for arrays in results[name]] for name in names}
    return Conclusion(
        claims=decided(CLAIMS, seeds, results=results),
        figures={"propagation": gradient_norms(seeds)},
        tables=(_table(seeds),),
        note="The gradient is dL/dW_hh of the mean loss over "
        f"{preset.recorded_images} training images. Thirds of the sequence are compared by the "
        "mean norm of the contributions of their positions. The first position is left out: it "
        "contributes nothing, because h = 0 before it. A decade is a factor of ten.",
    )


def _relu_grows(relu):
    return above(
        "In ReLU the gradient grows with the accumulated length (norm at the full length over "
        f"that at 1/{FRACTION} of it, in decades)",
        [_growth(norms) for norms in relu],
        0,
    )


def _relu_is_late(relu):
    return above(
        "In ReLU late positions contribute more than early ones (last over first third, decades)",
        [-_early_over_late(norms) for norms in relu],
        0,
    )


def _gamma_grows_less(relu, gamma):
    growths = ([_growth(norms) for norms in seeds] for seeds in (relu, gamma))
    return larger("In RNN+γ the gradient grows less than in ReLU (in decades)", *growths)


def _arun_rises_and_falls(arun):
    return above(
        "In ARUN the gradient rises with the accumulated length, and falls again (the smaller "
        "of rise and fall, in decades)",
        [_turn(norms) for norms in arun],
        TURN,
    )


def _arun_is_smaller(name, arun, other):
    return above(
        "Over the whole sequence ARUN's gradient is an order of magnitude below that of "
        f"{NETWORK_LABELS[name]} (ratio of norms, in decades)",
        [_decades(_whole(theirs), _whole(own)) for own, theirs in zip(arun, other, strict=True)],
        1,
    )


def _arun_is_early(arun):
    return above(
        "In ARUN early positions contribute more than late ones (first over last third, decades)",
        [_early_over_late(norms) for norms in arun],
        0,
    )


CLAIMS = (
    ClaimAbout(("relu",), _relu_grows),
    ClaimAbout(("relu",), _relu_is_late),
    ClaimAbout(("relu", "gamma"), _gamma_grows_less),
    ClaimAbout(("arun",), _arun_rises_and_falls),
    *(ClaimAbout(("arun", name), partial(_arun_is_smaller, name)) for name in ("gamma", "relu")),
    ClaimAbout(("arun",), _arun_is_early),
)


def _decades(norm, other):
    """log₁₀ of the ratio of two norms; 0 if both vanish."""
    return np.log10(max(norm, LEAST) / max(other, LEAST))


def _whole(norms):
    """‖dL/dW_hh‖ over the whole sequence."""
    return norms.detached[0]


def _short(norms):
    """‖dL/dW_hh‖ over the last tenth of the sequence."""
    return norms.detached[-max(len(norms.detached) // FRACTION, 1)]


def _growth(norms):
    return _decades(_whole(norms), _short(norms))


def _turn(norms):
    """The rise of the norm to its maximum or its fall after it, whichever is less, in decades."""
    largest = norms.detached.max()
    return min(_decades(largest, _short(norms)), _decades(largest, _whole(norms)))


def _early_over_late(norms):
    """The contribution of the first third of the positions over that of the last, in decades."""
    positions = norms.contributions[1:]
    third = max(len(positions) // 3, 1)
    return _decades(positions[:third].mean(), positions[-third:].mean())


def _peak(norms):
    """The accumulated length at which the norm is largest."""
    return norms.lengths[norms.detached.argmax()]


def _table(networks):
    columns = {
        f"norm, 1/{FRACTION} of the length": _short,
        "norm, full length": _whole,
        "length of the largest norm": _peak,
        "first over last third (decades)": _early_over_late,
    }
    rows = (
        (NETWORK_LABELS[name], *([value(norms) for norms in seeds] for value in columns.values()))
        for name, seeds in networks.items()
    )
    return over_seeds(("network", *columns), rows)


EXPERIMENT = Experiment(
    number="19",
    name="gradients",
    title="Gradients through time",
    paper="C.5, Fig 18",
    expected="The gradient of ReLU, and less so of RNN+γ, grows with the accumulated length; that "
    "of ARUN rises, then falls, an order of magnitude below both over the whole sequence. By "
    "position ReLU's grows to the end; in ARUN early pixels count as much or more.",
    trainings=lambda preset: list(DRIVEN),
    measure=_measure,
    conclude=_conclude,
    keeps=dict.fromkeys(("contributions", "detached"), Array("T", least=0)),
)
