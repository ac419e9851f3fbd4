"""Experiment 12: fractional orders of single units (Geadah et al. 2024, Fig 4b–c, 10–12).

A response h ≈ D^(−α)[ξ] to a step ξ has order α: α > 0 integrates, α < 0 differentiates.
"""

from functools import partial

import numpy as np

from aru_keras.analysis.fractional import FractionalOrder
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
    Conclusion,
    Experiment,
    Table,
    above,
    larger,
)
from aru_keras.runners.experiments.measured import cell, required
from aru_keras.runners.experiments.trainings import DRIVEN

STEPS = tuple(drive for drive in DRIVES if drive)
"""ξ of the experiments; without a drive there is no order."""

CONDITIONS = {"connected": False, "isolated": True}
ESTIMATES = {
    "the paper's": {},
    "free gain": {"free_gain": True},
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
        note=f"Figures: {NETWORK_LABELS[first]}, seed 0, the paper's estimate; responses: isolated "
        f"units at the ranks {EXAMPLE_RANKS} of α. Shares and means are over units that respond "
        f"and over ξ from {STEPS[0]:g} to {STEPS[-1]:g}. The claims are judged by the paper's "
        "estimate. It normalises nothing, so that a gain other than 1 reads as an order, and it "
        "goes round in time; the second estimate fits the gain as well, the third does not go "
        "round. They can differ a lot, even in sign.",
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
    return step_responses(network.model, drives, protocol=protocol, **options)


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
            drive: FractionalOrder(*three, one)
            for drive, three, one in zip(STEPS, estimated, fitted, strict=True)
        }
        for name, estimated in zip(ESTIMATES, by_drive, strict=True)
    }


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


def _order_table(orders):
    columns = (_integrating, _differentiating, _mean_order, _at_bound)
    rows = [
        (
            NETWORK_LABELS[name],
            condition,
            estimated,
            *(cell([column(seed[estimated]) for seed in seeds]) for column in columns),
        )
        for (name, condition), seeds in orders.items()
        for estimated in ESTIMATES
    ]
    header = ("network", "units", "estimate", "share α > 0", "share α < 0", "mean α", "share ±1")
    return Table(header, tuple(rows))


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
    ),
)
