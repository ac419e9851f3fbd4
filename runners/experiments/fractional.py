"""Experiment 12: fractional orders of single units (Geadah et al. 2024, Fig 4b–c, 10–12).

A response h ≈ D^(−α)[ξ] to a step ξ has order α: α > 0 integrates, α < 0 differentiates.
"""

import dataclasses
import itertools
from functools import partial

import numpy as np

from aru_keras.analysis.fractional import (
    ADEQUATE,
    WINDOW,
    FractionalOrder,
)
from aru_keras.analysis.step_response import (
    DRIVES,
    StepProtocol,
    StepResponses,
    fractional_orders,
    step_responses,
)
from aru_keras.plots import fractional as plots
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments import fractional_examples as examples
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
NOISES = (0.1, 5.0)
"""Standard deviations of the noise on the units' inputs: ours, and the authors' of Fig 4."""

FREE = "free gain"
ESTIMATES = {
    "the paper's": {},
    FREE: {"free_gain": True},
    "causal": {"method": "causal"},
}
"""Options of `fractional.fractional_order`."""

EXAMPLE_OF = (NOISES[0], "isolated")


def _measure_orders(network, preset):
    """Orders of every unit by three estimates, connected and isolated, and three responses."""
    found = {}
    for noise, (condition, isolated) in itertools.product(NOISES, CONDITIONS.items()):
        responses = responses_of(
            network, preset, STEPS, inputs={"noise": noise}, isolated=isolated, signals="h"
        )
        orders = [fractional_orders(responses, **options) for options in ESTIMATES.values()]
        key = _key(condition, noise)
        found[f"{key}_orders"] = np.array([_packed(one) for one in orders], "float32")
        found[f"{key}_fitted"] = np.array([one.fitted for one in orders[0].values()])
        if noise == NOISES[0]:
            found |= examples.means(responses, orders[0], condition)
        if (noise, condition) == EXAMPLE_OF:
            found |= examples.units(responses, orders[0])
    return found


def _key(condition, noise):
    return f"{condition}_{noise:g}"


def _conclude_orders(results, preset):
    """Shares of integrating and of differentiating units."""
    names = required(results, DRIVEN)
    orders = {
        (name, condition, noise): [_orders(seed, _key(condition, noise)) for seed in results[name]]
        for name in names
        for noise in NOISES
        for condition in CONDITIONS
    }
    first = names[0]
    drawn = {one: orders[first, one, NOISES[0]][0]["the paper's"] for one in CONDITIONS}
    claims = [_order_claims(orders, noise) for noise in NOISES if "arun" in names]
    return Conclusion(
        claims=tuple(itertools.chain.from_iterable(claims)),
        figures={
            "distributions": plots.order_distributions(drawn),
            **examples.figures(results[first][0], drawn["isolated"], CONDITIONS),
        },
        tables=(_order_table(orders),),
        note="Noise: its standard deviation on each unit's input, afresh at every step; the "
        f"authors' is {NOISES[1]:g} in Fig 4. "
        f"Figures: {NETWORK_LABELS[first]}, seed {results.seeds[0]}, noise {NOISES[0]:g}, the "
        "paper's estimate; responses: isolated "
        f"units at the ranks {examples.RANKS} of α. Shares and means are over units that respond "
        f"and over ξ from {STEPS[0]:g} to {STEPS[-1]:g}. Claims are judged by the paper's "
        "estimate, but for the second. It normalises nothing, so that a gain other than 1 reads as "
        "an order, and it goes round in time; the second estimate fits the gain as well, the third "
        "does not go round. They can differ a lot, even in sign. R² is 1 − ⟨(c·D^α[h] − ξ)²⟩ / var "
        "ξ; below 0 the best order is farther from the drive than a constant is, and says how "
        "large h is. "
        f"The last two columns are about fits with R² > {ADEQUATE:g} and c > 0.",
    )


def responses_of(network, preset, drives, inputs=None, **options) -> StepResponses:
    """Responses of a network under the paper's protocol.

    Args:
        network: A `workspace.Network`; its seed is that of the inputs.
        preset: With the number of repeats.
        drives: ξ.
        inputs: Fields of the `StepProtocol` that differ from its defaults.
        **options: Of `step_response.step_responses`.
    """
    protocol = StepProtocol(repeats=preset.repeats, seed=network.seed, **(inputs or {}))
    found = step_responses(network.model, drives, protocol=protocol, **options)
    finite_signals(found.signals, max(drives))
    return found


def _packed(orders):
    """α, gain and error, (3, D, N), 0 where there is none."""
    parts = [[getattr(one, name) for one in orders.values()] for name in ("alpha", "gain", "error")]
    return np.nan_to_num(np.array(parts), nan=0.0)


def _orders(arrays, key):
    """By estimate and ξ, the `FractionalOrder` of the units."""
    fitted = arrays[f"{key}_fitted"]
    orders = np.where(fitted, arrays[f"{key}_orders"].astype("float64"), np.nan)
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


def _order_claims(orders, noise):
    connected, isolated = (
        [seed["the paper's"] for seed in orders["arun", condition, noise]]
        for condition in CONDITIONS
    )
    where = f" (noise {noise:g})"
    return (
        above(
            f"Connected: more than half of the units integrate, α > 0{where}",
            [_integrating(one) for one in connected],
            0.5,
        ),
        _described_claim([seed[FREE] for seed in orders["arun", "connected", noise]], where),
        above(
            f"Isolated: more than half of the units differentiate, α < 0{where}",
            [_differentiating(one) for one in isolated],
            0.5,
        ),
        larger(
            f"Isolation shifts units toward differentiation: mean α is larger connected{where}",
            [_mean_order(one) for one in connected],
            [_mean_order(one) for one in isolated],
        ),
    )


def _described_claim(connected, where):
    """The claim about connected units, of orders that describe a response, whatever its size."""
    text = (
        f"Connected, of the fits with a free gain and R² > {ADEQUATE:g} alone: more than half have "
        f"α > 0{where}"
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
            f"{noise:g}",
            estimated,
            *(
                _over_seeds([column(seed[estimated]) for seed in seeds])
                for column in COLUMNS.values()
            ),
        )
        for (name, condition, noise), seeds in orders.items()
        for estimated in ESTIMATES
    ]
    return Table(("network", "units", "noise", "estimate", *COLUMNS), tuple(rows))


def _over_seeds(values):
    return "none" if None in values else cell(values)


_KEYS = tuple(_key(condition, noise) for condition in CONDITIONS for noise in NOISES)

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
            **{f"{key}_orders": Array("3 3 steps N") for key in _KEYS},
            **{f"{key}_fitted": Array("steps N") for key in _KEYS},
            "example_units": Array("examples", least=0),
            "example_h": Array("T examples"),
        },
        revision=2,
    ),
)
