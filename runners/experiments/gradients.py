"""Experiment 19: how gradients travel back through time (Geadah et al. 2024, C.5, Fig 18)."""

import numpy as np

from aru_keras.analysis.gradients import Propagation, propagation
from aru_keras.plots.gradients import gradients as gradients_figure
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments.experiment import (
    Array,
    Conclusion,
    Experiment,
    Table,
    above,
    larger,
)
from aru_keras.runners.experiments.measured import cell, required
from aru_keras.runners.experiments.trainings import DRIVEN

FRACTION = 10
"""The full length is held against one part in so many."""

TURN = 0.05
"""Decades by which a gradient must rise, and fall again, to have a peak; 12 %."""

LEAST = float(np.finfo("float32").tiny)
"""What a norm counts as at least: gradients that vanish, in float32, are 0."""


def _measure(network, preset):
    x, labels = network.task.examples("train", range(preset.recorded_images))
    found = propagation(network.model, x, labels)
    return {"contributions": found.contributions, "detached": found.detached}


def _conclude(results, preset):
    names = required(results, DRIVEN)
    found = {
        # The gradient itself is not kept: only its norms are drawn.
        name: [
            Propagation(one["contributions"], one["detached"], np.empty((0, 0)))
            for one in results[name]
        ]
        for name in names
    }
    return Conclusion(
        tuple(_claims(found)),
        {"propagation": gradients_figure(found)},
        (_table(found),),
        f"dL/dW_hh of the mean loss of {preset.recorded_images} training images. Thirds of the "
        "sequence are compared by the mean norm of what a position adds; the first position, "
        "before which h = 0, adds nothing and is left out. A decade is a factor of ten.",
    )


def _claims(found):
    if "relu" in found:
        relu = found["relu"]
        yield above(
            "In ReLU the gradient grows with the accumulated length (norm at the full length over "
            f"that at 1/{FRACTION} of it, in decades)",
            [_growth(one) for one in relu],
            0,
        )
        yield above(
            "In ReLU late positions add more than early ones (last over first third, in decades)",
            [-_early_over_late(one) for one in relu],
            0,
        )
    if {"relu", "gamma"} <= set(found):
        growths = ([_growth(one) for one in found[name]] for name in ("relu", "gamma"))
        yield larger("In RNN+γ it grows less than in ReLU (decades)", *growths)
    if "arun" in found:
        yield above(
            "In ARUN the gradient rises with the accumulated length, and falls again (the smaller "
            "of both, in decades)",
            [_turn(one) for one in found["arun"]],
            TURN,
        )
        for other in (name for name in found if name != "arun"):
            pairs = zip(found[other], found["arun"], strict=True)
            yield above(
                "Over the whole sequence ARUN's gradient is an order of magnitude below that of "
                f"{NETWORK_LABELS[other]} (ratio of norms, in decades)",
                [_decades(_whole(one), _whole(arun)) for one, arun in pairs],
                1,
            )
        yield above(
            "In ARUN early positions add more than late ones (first over last third, in decades)",
            [_early_over_late(one) for one in found["arun"]],
            0,
        )


def _decades(norm, other):
    """log₁₀ of a ratio of norms, 0 where both vanish."""
    return np.log10(max(norm, LEAST) / max(other, LEAST))


def _whole(one):
    """‖dL/dW_hh‖ over the whole sequence."""
    return one.detached[0]


def _short(one):
    """‖dL/dW_hh‖ over the last tenth of the sequence."""
    return one.detached[-max(len(one.detached) // FRACTION, 1)]


def _growth(one):
    return _decades(_whole(one), _short(one))


def _turn(one):
    """How far the norm rises to its largest, or falls from there, whichever is less, in decades."""
    largest = one.detached.max()
    return min(_decades(largest, _short(one)), _decades(largest, _whole(one)))


def _early_over_late(one):
    """What the first third of the positions adds over what the last does, in decades."""
    positions = one.contributions[1:]
    third = max(len(positions) // 3, 1)
    return _decades(positions[:third].mean(), positions[-third:].mean())


def _peak(one):
    """The accumulated length at which the norm is largest."""
    return one.lengths[one.detached.argmax()]


def _table(found):
    columns = {
        f"norm, 1/{FRACTION} of the length": _short,
        "norm, full length": _whole,
        "largest at length": _peak,
        "first over last third (decades)": _early_over_late,
    }
    rows = [
        (NETWORK_LABELS[name], *(cell([value(one) for one in seeds]) for value in columns.values()))
        for name, seeds in found.items()
    ]
    return Table(("network", *columns), tuple(rows))


EXPERIMENTS = (
    Experiment(
        "19",
        "gradients",
        "Gradients through time",
        "C.5, Fig 18",
        "The gradient of ReLU, and less so of RNN+γ, grows with the accumulated length; that of "
        "ARUN rises, then falls, an order of magnitude below both over the whole sequence. By "
        "position ReLU's grows to the end; in ARUN early pixels count as much or more.",
        lambda preset: list(DRIVEN),
        _measure,
        _conclude,
        keeps=dict.fromkeys(("contributions", "detached"), Array("T", least=0)),
    ),
)
