"""Experiment 12: fractional orders of single units (Geadah et al. 2024, Fig 4b–c, 10–12).

A response h ≈ D^(−α)[ξ] to a step ξ has order α. With α > 0 the unit integrates, with α < 0 it
differentiates.
"""

import dataclasses
import itertools
from functools import partial

import numpy as np

from aru_keras.analysis.comparison import compared_steps
from aru_keras.analysis.fractional import ADEQUATE, FractionalOrder
from aru_keras.analysis.step_response import StepProtocol, fractional_orders
from aru_keras.plots.fractional_order import order_distributions
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments import fractional_order_examples as examples
from aru_keras.runners.experiments.experiment import (
    Array,
    ClaimAbout,
    Conclusion,
    Experiment,
    above,
    decided,
    larger,
    open_claim,
)
from aru_keras.runners.experiments.measured import required, where_described
from aru_keras.runners.experiments.responses import STEPS, responses_of
from aru_keras.runners.experiments.tables import entry, over_seeds, percent
from aru_keras.runners.experiments.trainings import DRIVEN

CONDITIONS = {"connected": False, "isolated": True}
NOISES = (0.1, 5.0)
"""Standard deviations of the noise on the units' inputs: ours, and that of the authors in Fig 4."""

FREE = "free gain"
ESTIMATES = {
    "the paper's": {},
    FREE: {"free_gain": True},
    "causal": {"method": "causal"},
}
"""Options of `analysis.fractional_order`, by the name of the estimate."""

EXAMPLE_OF = (NOISES[0], "isolated")


def _measure(network, preset):
    """Three estimates of the order of every unit, connected and isolated, and example responses."""
    arrays = {}
    for noise, (condition, isolated) in itertools.product(NOISES, CONDITIONS.items()):
        responses = responses_of(
            network, preset, STEPS, inputs={"noise": noise}, isolated=isolated, signals="h"
        )
        orders = [fractional_orders(responses, **options) for options in ESTIMATES.values()]
        key = _key(condition, noise)
        arrays[f"{key}_orders"] = np.array([_packed(by_drive) for by_drive in orders], "float32")
        arrays[f"{key}_fitted"] = np.array([order.fitted for order in orders[0].values()])
        if noise == NOISES[0]:
            arrays |= examples.means(responses, orders[0], condition)
        if (noise, condition) == EXAMPLE_OF:
            arrays |= examples.units(responses, orders[0])
    return arrays


def _key(condition, noise):
    return f"{condition}_{noise:g}"


def _conclude(results, preset):
    """Shares of integrating and of differentiating units."""
    names = required(results, DRIVEN)
    orders = {
        (name, condition, noise): [_orders(seed, _key(condition, noise)) for seed in results[name]]
        for name in names
        for noise in NOISES
        for condition in CONDITIONS
    }
    first = names[0]
    drawn = {
        condition: orders[first, condition, NOISES[0]][0]["the paper's"] for condition in CONDITIONS
    }
    by_network = {
        name: {tuple(key): seeds for (other, *key), seeds in orders.items() if other == name}
        for name in names
    }
    return Conclusion(
        claims=decided(CLAIMS, by_network, results=results),
        figures={
            "distributions": order_distributions(drawn),
            **examples.figures(results[first][0], drawn["isolated"], CONDITIONS),
        },
        tables=(_order_table(orders),),
        note="Noise is the standard deviation of the noise on each unit's input, drawn at every "
        f"step; in Fig 4 the authors use {NOISES[1]:g}. "
        f"Figures: {NETWORK_LABELS[first]}, {results.drawn}, noise {NOISES[0]:g}, the paper's "
        f"estimate; the responses are of isolated units at the ranks {examples.RANKS} of α. "
        "Shares and means are over units that respond and over "
        f"ξ from {STEPS[0]:g} to {STEPS[-1]:g}. All claims but the second use the paper's "
        "estimate. This estimate does not normalize the response, so that a gain other than 1 "
        "looks like an order, and it treats the recording as periodic. The second estimate also "
        "fits the gain c, and the third is causal. The estimates can differ strongly, even in "
        "sign. R² is "
        "1 − ⟨(c·D^α[h] − ξ)²⟩ / var ξ. If it is below 0, the best order is farther from the drive "
        "than a constant, and only reflects how large h is: claims about estimates whose median R² "
        "is not above 0 with every seed are undecided. "
        f"The last two columns are about fits with R² > {ADEQUATE:g} and c > 0.",
    )


def _packed(orders):
    """The arrays α, gain and error, (3, D, N), with 0 where there is no fit."""
    fields = [
        [getattr(order, name) for order in orders.values()] for name in ("alpha", "gain", "error")
    ]
    return np.nan_to_num(np.array(fields), nan=0.0)


def _orders(arrays, key):
    """The `FractionalOrder` of the units, by estimate and ξ."""
    fitted = arrays[f"{key}_fitted"]
    orders = np.where(fitted, arrays[f"{key}_orders"].astype("float64"), np.nan)
    by_drive = np.moveaxis(orders, 2, 1)
    return {
        name: {
            drive: FractionalOrder(*three, mask, _variance(drive))
            for drive, three, mask in zip(STEPS, estimated, fitted, strict=True)
        }
        for name, estimated in zip(ESTIMATES, by_drive, strict=True)
    }


def _variance(drive):
    """The variance of the step drive in the window of the fit."""
    step = StepProtocol().drive(drive)
    window, _ = compared_steps(step)
    return float(step[slice(*window)].var())


def _over_drives(orders, value):
    return float(np.mean([value(order) for order in orders.values()]))


_integrating = partial(_over_drives, value=lambda order: order.integrating)
_differentiating = partial(_over_drives, value=lambda order: order.differentiating)
_mean_order = partial(_over_drives, value=lambda order: np.nanmean(order.alpha))
_at_bound = partial(_over_drives, value=lambda order: order.at_bound[order.fitted].mean())
_r_squared = partial(_over_drives, value=lambda order: np.median(order.r_squared[order.fitted]))


def _adequate(orders):
    """The share of the fits, over units and ξ, that describe the response."""
    fitted = sum(order.fitted.sum() for order in orders.values())
    return sum(order.adequate.sum() for order in orders.values()) / fitted


def _positive(orders):
    """The share with α > 0 among the fits that describe the response; None if there are none."""
    alpha = np.concatenate([order.alpha[order.adequate] for order in orders.values()])
    return float(np.mean(alpha > 0)) if alpha.size else None


COLUMNS = {
    "share α > 0": _integrating,
    "share α < 0": _differentiating,
    "mean α": _mean_order,
    "share |α| = 1": _at_bound,
    "median R²": _r_squared,
    f"share R² > {ADEQUATE:g}": _adequate,
    "of these α > 0": _positive,
}
"""Columns of the table, each a function of the orders by ξ."""


def _claims(noise, arun):
    connected, isolated = (
        [seed["the paper's"] for seed in arun[condition, noise]] for condition in CONDITIONS
    )
    quality = {
        "connected": [_r_squared(orders) for orders in connected],
        "isolated": [_r_squared(orders) for orders in isolated],
    }
    where = f" (noise {noise:g})"
    integrating = above(
        f"Connected: more than half of the units integrate, α > 0{where}",
        [_integrating(orders) for orders in connected],
        0.5,
    )
    differentiating = above(
        f"Isolated: more than half of the units differentiate, α < 0{where}",
        [_differentiating(orders) for orders in isolated],
        0.5,
    )
    shift = larger(
        f"Isolation shifts units toward differentiation: mean α is larger connected{where}",
        [_mean_order(orders) for orders in connected],
        [_mean_order(orders) for orders in isolated],
    )
    return (
        *where_described([integrating], {"connected": quality["connected"]}),
        _described_claim([seed[FREE] for seed in arun["connected", noise]], where),
        *where_described([differentiating], {"isolated": quality["isolated"]}),
        *where_described([shift], quality),
    )


def _described_claim(connected, where):
    """The claim about connected units by orders that describe the response, with a free gain."""
    text = (
        f"Connected: among the fits with a free gain and R² > {ADEQUATE:g}, more than half have "
        f"α > 0{where}"
    )
    shares = [_positive(orders) for orders in connected]
    if None in shares:
        return open_claim(text, len(shares), "a seed has no such fit")
    claim = above(text, shares, 0.5)
    described = entry(percent([_adequate(orders) for orders in connected]))
    return dataclasses.replace(claim, evidence=f"{claim.evidence}; {described} % of the fits")


def _order_table(orders):
    rows = [
        (
            NETWORK_LABELS[name],
            condition,
            f"{noise:g}",
            estimated,
            *([column(seed[estimated]) for seed in seeds] for column in COLUMNS.values()),
        )
        for (name, condition, noise), seeds in orders.items()
        for estimated in ESTIMATES
    ]
    header = ("network", "units", "noise", "estimate", *COLUMNS)
    return over_seeds(header, rows, missing="none")


CLAIMS = tuple(ClaimAbout(("arun",), partial(_claims, noise)) for noise in NOISES)


_KEYS = tuple(_key(condition, noise) for condition in CONDITIONS for noise in NOISES)


EXPERIMENT = Experiment(
    number="12",
    name="fractional-order",
    title="Fractional order of the units",
    paper="Fig 4b–c, 10–12",
    expected="Connected, most units integrate (α > 0, sensitizing); isolated, they shift toward "
    "differentiation, and more than half have α < 0 (adapting).",
    trainings=lambda preset: ("arun", "gamma"),
    measure=_measure,
    conclude=_conclude,
    keeps={
        **{f"{key}_orders": Array("3 3 steps N") for key in _KEYS},
        **{f"{key}_fitted": Array("steps N") for key in _KEYS},
        "example_units": Array("examples", least=0),
        "example_h": Array("T examples"),
    },
    revision=2,
)
