"""What stands behind fractional orders: their errors, and the responses (Geadah et al. 2024, Fig 4
and 10–12)."""

from collections.abc import Mapping, Sequence

import numpy as np

from aru_keras.plots.style import COLUMN_WIDTH, PAGE_WIDTH, letter, panels, unit_style

SIGNS = {"negative": "α < 0", "positive": "α > 0"}
"""The two kinds of units, by the sign of their order."""


def errors_over_orders(orders: Sequence[float], errors: Mapping[str, np.ndarray]):
    """The mean square error of D^α[h] as a function of α, with its least value (Figs 10–12).

    Args:
        orders: α, (K,).
        errors: Of each response by label, (K,), as a column of `fractional.errors_over_orders`.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: the errors are not one an order.
    """
    figure, (axes,) = panels(1, width=COLUMN_WIDTH, row_height=2.6)
    for place, (label, values) in enumerate(errors.items()):
        if np.shape(values) != np.shape(orders):
            raise ValueError(
                f"`errors` must have one number for each of the {len(orders)} orders. Received: "
                f"shape {np.shape(values)} of {label!r}."
            )
        best = int(np.argmin(values))
        axes.plot(orders, values, label=label, **unit_style(place))
        colour = unit_style(place)["color"]
        axes.plot(orders[best], values[best], "o", ms=4, color=colour, label=f"_{label}, least")
    axes.set(xlabel="order α", ylabel="mean square error", yscale="log")
    axes.legend(frameon=False, fontsize=8, loc="upper right", bbox_to_anchor=(1, 1.02))
    return figure


def mean_responses(drive: np.ndarray, conditions: Mapping[str, Mapping[str, np.ndarray]]):
    """Mean responses to a step of units that differentiate and that integrate (Fig 4b–c, bottom).

    Args:
        drive: ξ at every step, (T,).
        conditions: By label, such as "connected", the mean response (T,) by sign of α, a key of
            `SIGNS`; a sign that no unit has is left out.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    figure, row = panels(len(conditions), width=PAGE_WIDTH)
    during = np.flatnonzero(drive)
    for axes, (label, responses), text in zip(row, conditions.items(), "ABCD", strict=False):
        axes.axvspan(during[0], during[-1], color="0.93", zorder=0)
        for place, (sign, symbol) in enumerate(SIGNS.items()):
            if sign in responses:
                axes.plot(responses[sign], label=f"_{symbol}", **unit_style(place))
        axes.set(xlabel="step $t$", title=label)
        letter(axes, text)
    row[0].set_ylabel("mean output $h_t$")
    for place, symbol in enumerate(SIGNS.values()):
        row[0].plot([], [], label=symbol, **unit_style(place))
    figure.legend(loc="outside right", frameon=False, fontsize=8)
    return figure
