"""Responses of units to a step, and their orders (Geadah et al. 2024, Figs 4b–c and 10–12)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from aru_keras._util.arguments import checked_units, one_of
from aru_keras._util.deprecated import renamed
from aru_keras.analysis.comparison import compared_steps
from aru_keras.analysis.fractional import (
    ORDER_RANGE,
    FractionalOrder,
    fractional_derivative,
)
from aru_keras.analysis.step_response import StepResponses
from aru_keras.plots.style import (
    COLUMN_WIDTH,
    PAGE_WIDTH,
    UNIT_COLOURS,
    WINDOW_SHADE,
    legend_entries,
    letters,
    number,
    panels,
    unit_style,
    unlisted,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIGNS = {"negative": "α < 0", "positive": "α > 0"}
"""The two kinds of units, by the sign of their order."""


def errors_over_orders(orders: Sequence[float], errors: Mapping[str, np.ndarray]) -> "Figure":
    """The mean square error of D^α[h] as a function of α, with its least value (Figs 10–12).

    Args:
        orders: α, (K,).
        errors: Errors of each response by label, (K,), a column of `analysis.errors_over_orders`.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: the errors are not one an order.
    """
    figure, (axes,) = panels(1, width=COLUMN_WIDTH, row_height=2.6)
    for index, (label, values) in enumerate(errors.items()):
        if np.shape(values) != np.shape(orders):
            raise ValueError(
                f"`errors` must have one number for each of the {len(orders)} orders. Received: "
                f"shape {np.shape(values)} of {label!r}."
            )
        best = int(np.argmin(values))
        axes.plot(orders, values, label=label, **unit_style(index))
        colour = unit_style(index)["color"]
        axes.plot(orders[best], values[best], "o", ms=4, color=colour, label=f"_{label}, least")
    axes.set(xlabel="order α", ylabel="mean square error", yscale="log")
    axes.legend(frameon=False, fontsize=8, loc="upper right", bbox_to_anchor=(1, 1.02))
    return figure


def mean_responses(
    drive: np.ndarray, conditions: Mapping[str, Mapping[str, np.ndarray]]
) -> "Figure":
    """Mean responses to a step of units that differentiate and that integrate (Fig 4b–c, bottom).

    Args:
        drive: ξ at every step, (T,).
        conditions: By label, such as "connected", the mean response (T,) by sign of α, a key of
            `SIGNS`; a sign that no unit has is left out.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: the drive is 0 at every step.
    """
    during = np.flatnonzero(drive)
    if not len(during):
        raise ValueError(
            "`drive` must be that of a step, and not 0 throughout. Received: 0 at all "
            f"{np.size(drive)} steps. Give it as StepProtocol().drive(5.0) does."
        )
    figure, row = panels(len(conditions), width=PAGE_WIDTH)
    for axes in row[1:]:
        axes.sharey(row[0])
    for axes, (label, responses) in zip(row, conditions.items(), strict=True):
        axes.axvspan(during[0] - 0.5, during[-1] + 0.5, color=WINDOW_SHADE, zorder=0)
        for index, (sign, symbol) in enumerate(SIGNS.items()):
            if sign in responses:
                axes.plot(responses[sign], label=f"_{symbol}", **unit_style(index))
        axes.set(xlabel="step $t$", title=label)
    letters(row)
    row[0].set_ylabel("mean output $h_t$")
    for index, symbol in enumerate(SIGNS.values()):
        row[0].plot([], [], label=symbol, **unit_style(index))
    figure.legend(loc="outside right", frameon=False, fontsize=8)
    return figure


ORDER_BINS = 40
_BOUND_COLOUR, _BOUND_WIDTH = "0.1", 0.1
"""Colour and width, in units of α, of the bars of orders that lie at a bound of the search."""


def fitted_responses(
    responses: StepResponses,
    orders: Mapping[float, FractionalOrder],
    drive: float,
    units: Sequence[int],
    *,
    names: Sequence[int | str] | None = None,
) -> "Figure":
    """Responses of units to a step, and D^α of them beside the drive that it should give (Fig 4b).

    Each response has a scale of its own; the lower row has one, for its drive is the same.

    Args:
        responses: What `analysis.step_responses` gives.
        orders: What `analysis.fractional_orders` gives, by the paper's, periodic method.
        drive: Which ξ of theirs.
        units: Indices of the units to draw.
        names: What the figure calls them; None for their indices.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: there is no such ξ or unit.
    """
    index = _drive_index(responses, drive)
    h, step = responses.of("h")[index], responses.drive[index]
    units = checked_units("units", units, h.shape[1])
    figure, rows = panels(len(units), 2, width=PAGE_WIDTH, row_height=1.6)
    rows = rows.reshape(2, len(units))
    order = orders[drive]
    names = units if names is None else names
    _, rest = compared_steps(step)
    for unit, name, (upper, lower) in zip(units, names, rows.T, strict=True):
        upper.plot(h[:, unit], color=UNIT_COLOURS[0], lw=1.2, label=f"_unit {name}")
        upper.set_title(f"unit {name}: " + _order(order, unit), fontsize=9)
        lower.plot(step, color="0.6", lw=1.2, label="drive ξ")
        if order.fitted[unit]:
            derivative = fractional_derivative(h[:, unit], order.alpha[unit], baseline=rest)
            label = "$D^\\alpha[h]$"
            lower.plot(order.gain[unit] * derivative, color=UNIT_COLOURS[1], lw=1.2, label=label)
        lower.set_xlabel("step t")
    for lower in rows[1, 1:]:
        lower.sharey(rows[1, 0])
        lower.tick_params(labelleft=False)
    letters(rows[:, 0])
    rows[0, 0].set_ylabel("output $h_t$")
    rows[1, 0].set_ylabel("drive, $D^\\alpha[h]$")
    _legend_below(figure, rows[1])
    return figure


def order_distributions(conditions: Mapping[str, Mapping[float, FractionalOrder]]) -> "Figure":
    """The distribution of α over units at every ξ, of connected and isolated units (Fig 4c).

    Orders at a bound of the search, and perhaps beyond it, have a bar of their own there. All
    panels have the same scale.

    Args:
        conditions: What `analysis.fractional_orders` gives, by label, for the same ξ.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    drives = list(next(iter(conditions.values())))
    figure, rows = panels(len(drives), len(conditions), width=PAGE_WIDTH, row_height=1.5)
    edges = np.linspace(*ORDER_RANGE, ORDER_BINS + 1)
    rows = rows.reshape(len(conditions), len(drives))
    tallest = 1
    for index, (label, orders) in enumerate(conditions.items()):
        for axes, drive in zip(rows[index], drives, strict=True):
            counts = _draw_orders(axes, orders[drive], edges, UNIT_COLOURS[index], label)
            tallest = max(tallest, counts)
        rows[index, 0].set_ylabel(f"{label}\nunits")
    for axes in rows.flat:
        # Room above the tallest bar for the shares.
        axes.set_ylim(0, 1.3 * tallest)
        axes.tick_params(labelleft=axes in rows[:, 0])
    for axes, drive in zip(rows[0], drives, strict=True):
        axes.set_title(f"ξ = {number(drive)}", fontsize=9)
    for axes in rows[-1]:
        axes.set_xlabel("order α")
    letters(rows[:, 0])
    _legend_below(figure, rows[:1, 0])
    return figure


def _drive_index(responses, drive):
    names = [f"{amplitude:g}" for amplitude in responses.drives]
    return names.index(one_of("drive", f"{drive:g}", names))


def _order(order, unit):
    if not order.fitted[unit]:
        return "constant, no order"
    return f"α = {number(order.alpha[unit], '.2f')}" + " (bound)" * bool(order.at_bound[unit])


def _legend_below(figure, panels):
    handles, labels = legend_entries(panels)
    options = {"ncols": len(labels), "loc": "outside lower center"}
    figure.legend(handles, labels, **options, frameon=False, fontsize=8)


def _draw_orders(axes, order, edges, colour, label):
    """A histogram with the bounds apart, and the height of its tallest bar."""
    inside = order.alpha[order.fitted & ~order.at_bound]
    counts, _, bars = axes.hist(inside, bins=edges, color=colour)
    bars.set_label(unlisted(label))
    beyond = order.alpha[order.fitted & order.at_bound]
    at = [np.count_nonzero(beyond < 0), np.count_nonzero(beyond > 0)]
    label = "at a bound of the search, α = ±1"
    axes.bar(ORDER_RANGE, at, color=_BOUND_COLOUR, width=_BOUND_WIDTH, label=label)
    axes.axvline(0, ymax=0.85, color="k", lw=0.8, ls=":", label="α = 0")
    text = f"{order.differentiating:.0%} < 0" if order.fitted.any() else "no orders"
    axes.text(0.03, 0.97, text, transform=axes.transAxes, va="top", fontsize=7)
    reach = ORDER_RANGE[1] + _BOUND_WIDTH
    axes.set(xlim=(-reach, reach), xticks=(-1, 0, 1))
    return max(*counts, *at)


__getattr__ = renamed(
    __name__,
    {
        "BINS": "ORDER_BINS",
        "BOUND_COLOUR": "_BOUND_COLOUR",
        "BOUND_WIDTH": "_BOUND_WIDTH",
        "SIGNIFICANT": "aru_keras.plots.fractional_tasks:_SIGNIFICANT",
        "population_orders": "aru_keras.plots.fractional_tasks:population_orders",
        "signal_integrals": "aru_keras.plots.fractional_signals:signal_integrals",
    },
)
