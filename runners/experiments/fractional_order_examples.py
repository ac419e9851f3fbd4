"""Example responses of experiment 12: units of three orders, and means by the sign of α."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from aru_keras.analysis.fractional import ORDERS, FractionalOrder, errors_over_orders
from aru_keras.analysis.step_response import StepProtocol, StepResponses
from aru_keras.plots import fractional_order as plots
from aru_keras.plots.fractional_order import SIGNS, fitted_responses, mean_responses
from aru_keras.plots.style import number
from aru_keras.runners.experiments.responses import responses_to

DRIVE = 5.0
"""Amplitude ξ of the examples."""

RANKS = (0.1, 0.5, 0.9)
"""Ranks of α of the example units."""

Orders = Mapping[float, FractionalOrder]


def units(responses: StepResponses, orders: Orders) -> dict[str, np.ndarray]:
    """Three example units, and their responses, (T, 3)."""
    order = orders[DRIVE]
    ranked = np.argsort(np.where(order.fitted, order.alpha, np.inf))
    last = max(int(order.fitted.sum()), 1) - 1
    chosen = ranked[[round(rank * last) for rank in RANKS]]
    return {"example_units": chosen, "example_h": _under_drive(responses)[:, chosen]}


def means(responses: StepResponses, orders: Orders, condition: str) -> dict[str, np.ndarray]:
    """The mean responses, (T,) each, of the units with α < 0 and of those with α > 0, if any."""
    alpha = orders[DRIVE].alpha
    chosen = {"negative": alpha < 0, "positive": alpha > 0}
    return {
        f"{condition}_{sign}": _under_drive(responses)[:, which].mean(axis=1)
        for sign, which in chosen.items()
        if which.any()
    }


def figures(arrays: Mapping[str, np.ndarray], orders: Orders, conditions: Iterable[str]) -> dict:
    """The figures of the examples, by name.

    Args:
        arrays: Arrays of `units` and `means`.
        orders: Orders in the condition of the example units.
        conditions: Names of the conditions of the means.
    """
    return {
        "responses": _draw_responses(arrays, orders),
        "errors": _draw_errors(arrays, orders),
        "means": _draw_means(arrays, conditions),
    }


def _under_drive(responses):
    """The responses h under `DRIVE`, (T, N)."""
    (index,) = np.flatnonzero(responses.drives == DRIVE)
    return responses.of("h")[index]


def _draw_responses(arrays, orders):
    """The figure of the example units, each unit once, labelled with its number."""
    units, columns = np.unique(arrays["example_units"], return_index=True)
    responses = responses_to([DRIVE], {"h": arrays["example_h"][None, :, columns]}, isolated=True)
    fields = ("alpha", "gain", "error", "fitted")
    order = orders[DRIVE]
    of_units = replace(order, **{name: getattr(order, name)[units] for name in fields})
    return fitted_responses(responses, {DRIVE: of_units}, DRIVE, range(len(units)), names=units)


def _draw_errors(arrays, orders):
    errors = errors_over_orders(arrays["example_h"], StepProtocol().drive(DRIVE))
    alpha = orders[DRIVE].alpha[arrays["example_units"]]
    labels = [
        f"unit {unit}: α = {number(value, '.2f')}"
        for unit, value in zip(arrays["example_units"], alpha, strict=True)
    ]
    return plots.errors_over_orders(ORDERS, dict(zip(labels, errors.T, strict=True)))


def _draw_means(arrays, conditions):
    responses = {
        condition: {
            sign: arrays[f"{condition}_{sign}"] for sign in SIGNS if f"{condition}_{sign}" in arrays
        }
        for condition in conditions
    }
    return mean_responses(StepProtocol().drive(DRIVE), responses)
