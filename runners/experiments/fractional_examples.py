"""Some responses of experiment 12, drawn: units of three orders, and means by the sign of α."""

from collections.abc import Iterable, Mapping

import numpy as np

from aru_keras.analysis.fractional import ORDERS, FractionalOrder, errors_over_orders
from aru_keras.analysis.step_response import StepProtocol, StepResponses
from aru_keras.plots import fractional as plots
from aru_keras.plots import fractional_fits as fits

DRIVE = 5.0
"""ξ of what is drawn."""

RANKS = (0.1, 0.5, 0.9)
"""Units drawn, by the rank of their α."""

Orders = Mapping[float, FractionalOrder]


def units(responses: StepResponses, orders: Orders) -> dict[str, np.ndarray]:
    """Three units, and their responses (T, 3)."""
    order = orders[DRIVE]
    ranked = np.argsort(np.where(order.fitted, order.alpha, np.inf))
    last = max(int(order.fitted.sum()), 1) - 1
    chosen = ranked[[round(rank * last) for rank in RANKS]]
    return {"example_units": chosen, "example_h": _under_drive(responses)[:, chosen]}


def means(responses: StepResponses, orders: Orders, condition: str) -> dict[str, np.ndarray]:
    """Mean responses of the units by the sign of their α, (T,) each, where there are such units."""
    alpha = orders[DRIVE].alpha
    chosen = {"negative": alpha < 0, "positive": alpha > 0}
    return {
        f"{condition}_{sign}": _under_drive(responses)[:, which].mean(axis=1)
        for sign, which in chosen.items()
        if which.any()
    }


def figures(arrays: Mapping[str, np.ndarray], orders: Orders, conditions: Iterable[str]) -> dict:
    """Figures of what `units` and `means` gave, by name.

    Args:
        arrays: Theirs.
        orders: Of the condition whose units are drawn.
        conditions: Those of the means.
    """
    return {
        "responses": _draw_responses(arrays, orders),
        "errors": _draw_errors(arrays, orders),
        "means": _draw_means(arrays, conditions),
    }


def _under_drive(responses):
    """h under `DRIVE`, (T, N)."""
    (place,) = np.flatnonzero(responses.drives == DRIVE)
    return responses.of("h")[place]


def _draw_responses(arrays, orders):
    chosen = np.unique(arrays["example_units"])
    h = np.zeros((1, len(arrays["example_h"]), len(orders[DRIVE].alpha)))
    h[0][:, arrays["example_units"]] = arrays["example_h"]
    drive = StepProtocol().drive(DRIVE)[None]
    responses = StepResponses(np.array([DRIVE]), drive, {"h": h}, isolated=True)
    return plots.fitted_responses(responses, orders, DRIVE, chosen)


def _draw_errors(arrays, orders):
    errors = errors_over_orders(arrays["example_h"], StepProtocol().drive(DRIVE))
    alpha = orders[DRIVE].alpha[arrays["example_units"]]
    labels = [
        f"unit {unit}: α = {one:.2f}"
        for unit, one in zip(arrays["example_units"], alpha, strict=True)
    ]
    return fits.errors_over_orders(ORDERS, dict(zip(labels, errors.T, strict=True)))


def _draw_means(arrays, conditions):
    found = {
        condition: {
            sign: arrays[f"{condition}_{sign}"]
            for sign in fits.SIGNS
            if f"{condition}_{sign}" in arrays
        }
        for condition in conditions
    }
    return fits.mean_responses(StepProtocol().drive(DRIVE), found)
