"""Fractional orders of units and populations (Geadah et al. 2024, Fig 4b–d, 9–12)."""

from collections.abc import Mapping, Sequence

import numpy as np

from aru_keras.analysis.fractional import (
    BASELINE,
    RANGE,
    FractionalOrder,
    fractional_derivative,
)
from aru_keras.analysis.step_response import SignalIntegral, StepResponses, TaskComparison
from aru_keras.arguments import checked_units, one_of
from aru_keras.plots.style import (
    COLUMN_WIDTH,
    PAGE_WIDTH,
    UNIT_COLOURS,
    WINDOW_SHADE,
    band,
    drive_colours,
    legend_entries,
    letters,
    number,
    panels,
    unit_style,
    unlisted,
)

BINS = 40
BOUND_COLOUR, BOUND_WIDTH = "0.1", 0.1
"""Colour and width, in units of α, of the bars of orders that lie at a bound of the search."""

SIGNIFICANT = 0.05


def fitted_responses(
    responses: StepResponses, orders: Mapping[float, FractionalOrder], drive: float, units
):
    """Responses of units to a step, and D^α of them beside the drive that it should give (Fig 4b).

    Each response has a scale of its own; the lower row has one, for its drive is the same.

    Args:
        responses: Of `step_response.step_responses`.
        orders: Of `step_response.fractional_orders`, by the paper's, periodic method.
        drive: Which ξ of theirs.
        units: Indices of the units to draw.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: there is no such ξ or unit.
    """
    place = _place(responses, drive)
    h, step = responses.of("h")[place], responses.drive[place]
    units = checked_units("units", units, h.shape[1])
    figure, rows = panels(len(units), 2, width=PAGE_WIDTH, row_height=1.6)
    rows = rows.reshape(2, len(units))
    order = orders[drive]
    for unit, (upper, lower) in zip(units, rows.T, strict=True):
        upper.plot(h[:, unit], color=UNIT_COLOURS[0], lw=1.2, label=f"_unit {unit}")
        upper.set_title(f"unit {unit}: " + _order(order, unit), fontsize=9)
        lower.plot(step, color="0.6", lw=1.2, label="drive ξ")
        if order.fitted[unit]:
            found = fractional_derivative(h[:, unit], order.alpha[unit], baseline=BASELINE)
            label = "$D^\\alpha[h]$"
            lower.plot(order.gain[unit] * found, color=UNIT_COLOURS[1], lw=1.2, label=label)
        lower.set_xlabel("step t")
    for lower in rows[1, 1:]:
        lower.sharey(rows[1, 0])
        lower.tick_params(labelleft=False)
    letters(rows[:, 0])
    rows[0, 0].set_ylabel("output $h_t$")
    rows[1, 0].set_ylabel("drive, $D^\\alpha[h]$")
    _legend_below(figure, rows[1])
    return figure


def order_distributions(conditions: Mapping[str, Mapping[float, FractionalOrder]]):
    """The distribution of α over units at every ξ, of connected and isolated units (Fig 4c).

    Orders at a bound of the search, and perhaps beyond it, have a bar of their own there. All
    panels have the same scale.

    Args:
        conditions: What `step_response.fractional_orders` gives, by label, for the same ξ.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    drives = list(next(iter(conditions.values())))
    figure, rows = panels(len(drives), len(conditions), width=PAGE_WIDTH, row_height=1.5)
    edges = np.linspace(*RANGE, BINS + 1)
    rows = rows.reshape(len(conditions), len(drives))
    tallest = 1
    for place, (label, orders) in enumerate(conditions.items()):
        for axes, drive in zip(rows[place], drives, strict=True):
            counts = _draw_orders(axes, orders[drive], edges, UNIT_COLOURS[place], label)
            tallest = max(tallest, counts)
        rows[place, 0].set_ylabel(f"{label}\nunits")
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


def population_orders(
    tasks: Mapping[str, Sequence[Mapping[float, float]]], comparison: TaskComparison | None = None
):
    """α of the population over ξ, with a band of one standard error over seeds (Fig 4d).

    Args:
        tasks: By label, of each seed what `step_response.population_orders` gives.
        comparison: Of `step_response.compare_tasks`: a star marks the ξ with p < 0.05.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    figure, (axes,) = panels(1, width=COLUMN_WIDTH, row_height=2.6)
    for place, (label, seeds) in enumerate(tasks.items()):
        drives = sorted(seeds[0])
        values = np.array([[one[drive] for drive in drives] for one in seeds])
        style = {**unit_style(place), "marker": "os^v"[place % 4], "ms": 4}
        band(axes, drives, values, label=label, **style)
    axes.axhline(0, color="0.5", lw=0.8, zorder=0, label="_zero")
    axes.set(xlabel="drive ξ", ylabel="population order α")
    if comparison is not None:
        _mark_significant(axes, comparison)
    axes.legend(frameon=False, fontsize=8)
    return figure


def signal_integrals(integrals: Mapping[str, SignalIntegral]):
    """D^α of signals under the step, with the line fitted during it, dotted, by ξ (Fig 9).

    Args:
        integrals: Of `step_response.signal_integral`, by signal, for the same ξ.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    width = PAGE_WIDTH if len(integrals) > 1 else COLUMN_WIDTH
    figure, row = panels(len(integrals), width=width)
    for axes, (signal, found) in zip(row, integrals.items(), strict=True):
        during = np.array([found.during[0], found.during[-1]])
        colours = drive_colours(found.drives)
        for drive, trace, colour in zip(found.drives, found.traces, colours, strict=True):
            axes.plot(trace, color=colour, lw=1.2, label=f"ξ = {number(drive)}")
        for fit in found.lines:
            if not fit.failed:
                axes.plot(during, fit(during), color="k", ls=":", lw=1, label="fitted line")
        axes.axvspan(*during, color=WINDOW_SHADE, zorder=0, label="drive on")
        axes.set(xlabel="step t", ylabel=f"$D^{{{found.alpha:g}}}[{signal}_t]$")
    if len(row) > 1:
        letters(row)
    figure.legend(*legend_entries(row), frameon=False, fontsize=7, loc="outside right")
    return figure


def _place(responses, drive):
    names = [f"{one:g}" for one in responses.drives]
    return names.index(one_of("drive", f"{drive:g}", names))


def _order(order, unit):
    if not order.fitted[unit]:
        return "constant, no order"
    return f"α = {number(order.alpha[unit], '.2f')}" + " (bound)" * bool(order.at_bound[unit])


def _legend_below(figure, panels):
    handles, labels = legend_entries(panels)
    place = {"ncols": len(labels), "loc": "outside lower center"}
    figure.legend(handles, labels, **place, frameon=False, fontsize=8)


def _draw_orders(axes, order, edges, colour, label):
    """A histogram with the bounds apart, and the height of its tallest bar."""
    inside = order.alpha[order.fitted & ~order.at_bound]
    counts, _, bars = axes.hist(inside, bins=edges, color=colour)
    bars.set_label(unlisted(label))
    beyond = order.alpha[order.fitted & order.at_bound]
    at = [np.count_nonzero(beyond < 0), np.count_nonzero(beyond > 0)]
    label = "at a bound of the search, α = ±1"
    axes.bar(RANGE, at, color=BOUND_COLOUR, width=BOUND_WIDTH, label=label)
    axes.axvline(0, ymax=0.85, color="k", lw=0.8, ls=":", label="α = 0")
    text = f"{order.differentiating:.0%} < 0" if order.fitted.any() else "no orders"
    axes.text(0.03, 0.97, text, transform=axes.transAxes, va="top", fontsize=7)
    reach = RANGE[1] + BOUND_WIDTH
    axes.set(xlim=(-reach, reach), xticks=(-1, 0, 1))
    return max(*counts, *at)


def _mark_significant(axes, comparison):
    drives = [drive for drive, test in comparison.by_drive.items() if test.p < SIGNIFICANT]
    # In the axes' own height, so that the stars stay above the curves.
    place = axes.get_xaxis_transform()
    label = f"p < {SIGNIFICANT:g}" if drives else None
    axes.plot(drives, [0.99] * len(drives), "k*", ms=6, transform=place, label=label, clip_on=False)
