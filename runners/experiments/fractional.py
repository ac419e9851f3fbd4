"""Experiment 12: fractional orders of single units (Geadah et al. 2024, Fig 4b–c, 10–12).

A response h ≈ D^(−α)[ξ] to a step ξ has order α: α > 0 integrates, α < 0 differentiates.
"""

import dataclasses
from functools import partial

import numpy as np

from aru_keras.analysis.fractional import ADEQUATE, WINDOW, FractionalOrder
from aru_keras.analysis.step_response import (
    DRIVES,
    StepProtocol,
    StepResponses,
    fractional_orders,
    step_responses,
)
from aru_keras.plots import fractional as plots
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments.experiment import (
    Array,
    Claim,
    Conclusion,
    Experiment,
    Table,
    above,
    larger,
)
from aru_keras.runners.experiments.measured import cell, finite_signals, required
from aru_keras.runners.experiments.trainings import DRIVEN

STEPS = tuple(drive for drive in DRIVES if drive)
"""ξ of the experiments; without a drive there is no order."""

CONDITIONS = {"connected": False, "isolated": True}
FREE = "free gain"
ESTIMATES = {
    "the paper's": {},
    FREE: {"free_gain": True},
    "causal": {"method": "causal"},
}
"""Options of `fractional.fractional_order`."""

EXAMPLE_DRIVE = 5.0
EXAMPLE_RANKS = (0.1, 0.5, 0.9)
"""Units drawn, by the rank of their α."""


def _measure_orders(network, preset):
    """Orders of every unit by three estimates, connected and isolated, and three responses."""
    found = {}
    for condition, isolated in CONDITIONS.items():
        responses = responses_of(network, preset, STEPS, isolated=isolated, signals="h")
        orders = [fractional_orders(responses, **options) for options in ESTIMATES.values()]
        found[f"{condition}_orders"] = np.array([_packed(one) for one in orders], "float32")
        found[f"{condition}_fitted"] = np.array([one.fitted for one in orders[0].values()])
    return found | _examples(responses, orders[0])


def _conclude_orders(results, preset):
    """Shares of integrating and of differentiating units."""
    names = required(results, DRIVEN)
    orders = {
        (name, condition): [_orders(seed, condition) for seed in results[name]]
        for name in names
        for condition in CONDITIONS
    }
    first = names[0]
    drawn = {one: orders[first, one][0]["the paper's"] for one in CONDITIONS}
    return Conclusion(
        claims=_order_claims(orders) if "arun" in names else (),
        figures={
            "distributions": plots.order_distributions(drawn),
            "responses": _draw_examples(results[first][0], drawn["isolated"]),
        },
        tables=(_order_table(orders),),
        note=f"Figures: {NETWORK_LABELS[first]}, seed {results.seeds[0]}, the paper's estimate; "
        f"responses: isolated units at the ranks {EXAMPLE_RANKS} of α. Shares and means are over "
        f"units that respond and over ξ from {STEPS[0]:g} to {STEPS[-1]:g}. Claims are judged by "
        "the paper's estimate, but for the second. It normalises nothing, so that a gain other "
        "than 1 reads as an order, and it goes round in time; the second estimate fits the gain as "
        "well, the third does not go round. They can differ a lot, even in sign. R² is "
        "1 − ⟨(c·D^α[h] − ξ)²⟩ / var ξ; below 0 the best order is farther from the drive than a "
        "constant is, and says how large h is. "
        f"The last two columns are about fits with R² > {ADEQUATE:g} and c > 0.",
    )


def responses_of(network, preset, drives, **options) -> StepResponses:
    """Responses of a network under the paper's protocol.

    Args:
        network: A `workspace.Network`; its seed is that of the inputs.
        preset: With the number of repeats.
        drives: ξ.
        **options: Of `step_response.step_responses`.
    """
    protocol = StepProtocol(repeats=preset.repeats, seed=network.seed)
    found = step_responses(network.model, drives, protocol=protocol, **options)
    finite_signals(found.signals, max(drives))
    return found


def _packed(orders):
    """α, gain and error, (3, D, N), 0 where there is none."""
    parts = [[getattr(one, name) for one in orders.values()] for name in ("alpha", "gain", "error")]
    return np.nan_to_num(np.array(parts), nan=0.0)


def _orders(arrays, condition):
    """By estimate and ξ, the `FractionalOrder` of the units."""
    fitted = arrays[f"{condition}_fitted"]
    orders = np.where(fitted, arrays[f"{condition}_orders"].astype("float64"), np.nan)
    by_drive = np.moveaxis(orders, 2, 1)
    return {
        name: {
            drive: FractionalOrder(*three, one, _variance(drive))
            for drive, three, one in zip(STEPS, estimated, fitted, strict=True)
        }
        for name, estimated in zip(ESTIMATES, by_drive, strict=True)
    }


def _variance(drive):
    """Of the step in the window of the fit."""
    return float(StepProtocol().drive(drive)[slice(*WINDOW)].var())


def _examples(responses, orders):
    place, order = STEPS.index(EXAMPLE_DRIVE), orders[EXAMPLE_DRIVE]
    ranked = np.argsort(np.where(order.fitted, order.alpha, np.inf))
    last = max(int(order.fitted.sum()), 1) - 1
    units = ranked[[round(rank * last) for rank in EXAMPLE_RANKS]]
    return {"example_units": units, "example_h": responses.of("h")[place][:, units]}


def _draw_examples(arrays, orders):
    units = np.unique(arrays["example_units"])
    h = np.zeros((1, len(arrays["example_h"]), len(orders[EXAMPLE_DRIVE].alpha)))
    h[0][:, arrays["example_units"]] = arrays["example_h"]
    drive = StepProtocol().drive(EXAMPLE_DRIVE)[None]
    responses = StepResponses(np.array([EXAMPLE_DRIVE]), drive, {"h": h}, isolated=True)
    return plots.fitted_responses(responses, orders, EXAMPLE_DRIVE, units)


def _over_drives(orders, value):
    return float(np.mean([value(one) for one in orders.values()]))


_integrating = partial(_over_drives, value=lambda one: one.integrating)
_differentiating = partial(_over_drives, value=lambda one: one.differentiating)
_mean_order = partial(_over_drives, value=lambda one: np.nanmean(one.alpha))
_at_bound = partial(_over_drives, value=lambda one: one.at_bound[one.fitted].mean())
_r_squared = partial(_over_drives, value=lambda one: np.median(one.r_squared[one.fitted]))


def _adequate(orders):
    """The share of the fits, over units and ξ, that describe a response."""
    fitted = sum(one.fitted.sum() for one in orders.values())
    return sum(one.adequate.sum() for one in orders.values()) / fitted


def _positive(orders):
    """Of the fits that describe a response, the share with α > 0; None where there is none."""
    alpha = np.concatenate([one.alpha[one.adequate] for one in orders.values()])
    return float(np.mean(alpha > 0)) if alpha.size else None


COLUMNS = {
    "share α > 0": _integrating,
    "share α < 0": _differentiating,
    "mean α": _mean_order,
    "share ±1": _at_bound,
    "median R²": _r_squared,
    f"share R² > {ADEQUATE:g}": _adequate,
    "of these α > 0": _positive,
}
"""Of the table, each a function of the orders by ξ."""


def _order_claims(orders):
    connected, isolated = (
        [seed["the paper's"] for seed in orders["arun", condition]] for condition in CONDITIONS
    )
    return (
        above(
            "Connected: more than half of the units integrate, α > 0",
            [_integrating(one) for one in connected],
            0.5,
        ),
        _described_claim([seed[FREE] for seed in orders["arun", "connected"]]),
        above(
            "Isolated: more than half of the units differentiate, α < 0",
            [_differentiating(one) for one in isolated],
            0.5,
        ),
        larger(
            "Isolation shifts units toward differentiation: mean α is larger connected",
            [_mean_order(one) for one in connected],
            [_mean_order(one) for one in isolated],
        ),
    )


def _described_claim(connected):
    """The claim about connected units, of orders that describe a response, whatever its size."""
    text = (
        f"Connected, of the fits with a free gain and R² > {ADEQUATE:g} alone: more than half have "
        "α > 0"
    )
    shares = [_positive(one) for one in connected]
    if None in shares:
        return Claim(text, None, "a seed without such a fit")
    claim = above(text, shares, 0.5)
    described = cell([100 * _adequate(one) for one in connected])
    return dataclasses.replace(claim, evidence=f"{claim.evidence}; {described} % of the fits")


def _order_table(orders):
    rows = [
        (
            NETWORK_LABELS[name],
            condition,
            estimated,
            *(
                _over_seeds([column(seed[estimated]) for seed in seeds])
                for column in COLUMNS.values()
            ),
        )
        for (name, condition), seeds in orders.items()
        for estimated in ESTIMATES
    ]
    return Table(("network", "units", "estimate", *COLUMNS), tuple(rows))


def _over_seeds(values):
    return "none" if None in values else cell(values)


EXPERIMENTS = (
    Experiment(
        "12",
        "fractional-order",
        "Fractional order of the units",
        "Fig 4b–c, 10–12",
        "Connected, most units integrate (α > 0, sensitising); isolated, they shift toward "
        "differentiation, and more than half have α < 0 (adapting).",
        lambda preset: ("arun", "gamma"),
        _measure_orders,
        _conclude_orders,
        keeps={
            **{f"{one}_orders": Array("3 3 steps N") for one in CONDITIONS},
            **{f"{one}_fitted": Array("steps N") for one in CONDITIONS},
            "example_units": Array("examples", least=0),
            "example_h": Array("T examples"),
        },
    ),
)
