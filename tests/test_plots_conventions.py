"""What holds for all figures: signs, legends, letters, scales."""

import inspect
import re

import numpy as np
import pytest
from figures import AMPLITUDES, FIGURES, order, transient_seed
from matplotlib.colors import to_rgba
from matplotlib.text import Text

from aru_keras.analysis.jacobian import jacobian_norms
from aru_keras.plots import accuracy, fractional_order, jacobian, transients

TWO_ROWS = ("family", "fitted-responses", "gain-scaling", "maps", "order-distributions")


@pytest.fixture(params=FIGURES)
def name(request):
    return request.param


def legend_lines(figure):
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes)]
    return [line for one in legends if one is not None for line in one.get_lines()]


def panels(figure):
    return [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]


def test_a_minus_is_a_minus(name):
    figure = FIGURES[name]()
    figure.draw_without_rendering()
    for text in figure.findobj(Text):
        outside_formulas = "".join(text.get_text().split("$")[::2])
        assert not re.search(r"(?<!\w)-[\d.∞]|\de-\d", outside_formulas), text.get_text()


def test_what_is_dashed_or_dotted_is_in_a_legend(name):
    figure = FIGURES[name]()
    named = {_look(line) for line in legend_lines(figure)}
    for axes in panels(figure):
        for line in axes.get_lines():
            if line.get_linestyle() not in ("-", "None"):
                assert _look(line) in named, line.get_label()


def _look(line):
    return to_rgba(line.get_color()), str(line.get_linestyle())


@pytest.mark.parametrize("which", [*TWO_ROWS, "transients"])
def test_rows_of_panels_have_letters(which):
    figure = FIGURES[which]()
    rows = {}
    for axes in panels(figure):
        if axes.has_data():
            rows.setdefault(axes.get_subplotspec().rowspan.start, []).append(axes)
    assert len(rows) == 2
    letters = [row[0].get_title(loc="left") for row in rows.values()]
    assert all(re.fullmatch("[A-Z]", letter) for letter in letters) and letters == sorted(letters)
    assert letters[0] == "A" and letters[0] != letters[1]


def test_panels_of_a_row_that_are_compared_have_the_same_limits():
    for which in ("noise-boundary", "order-distributions", "mean-responses"):
        first, *others = panels(FIGURES[which]())
        for axes in others:
            assert axes.get_xlim() == first.get_xlim() and axes.get_ylim() == first.get_ylim()
    lower = panels(FIGURES["fitted-responses"]())[2:]
    assert lower[0].get_ylim() == lower[1].get_ylim()
    traces, levels = panels(transients.transient_courses([transient_seed(5.0)]))[:2]
    assert traces.get_ylim() == levels.get_ylim()


def test_orders_at_a_bound_of_the_search_have_bars_of_their_own():
    figure = fractional_order.order_distributions(
        {"a": {1.0: order([-1, -1, -0.97, 0.3, 1, np.nan])}}
    )
    inside, bound = figure.axes[0].containers
    assert [bar.get_height() for bar in bound] == [2, 1]
    assert [bar.get_x() + bar.get_width() / 2 for bar in bound] == pytest.approx([-1, 1])
    assert sum(bar.get_height() for bar in inside) == 2
    assert bound[0].get_facecolor() != inside[0].get_facecolor()
    (legend,) = figure.legends
    assert "at a bound of the search, α = ±1" in [text.get_text() for text in legend.get_texts()]
    assert legend.get_patches()[0].get_facecolor() == bound[0].get_facecolor()


def test_the_title_of_a_response_says_that_its_order_is_at_the_bound():
    assert fractional_order._order(order([-1, -0.5]), 0) == "α = −1.00 (bound)"
    assert fractional_order._order(order([-1, -0.5]), 1) == "α = −0.50"


def test_seeds_look_as_in_the_legend():
    figure = accuracy.accuracies({"a": {"arun": [0.9, 0.8], "gru": [0.7]}, "b": {"arun": [0.6]}})
    entries = dict(
        zip(
            [text.get_text() for text in figure.legends[0].get_texts()],
            legend_lines(figure),
            strict=True,
        )
    )
    assert list(entries) == ["ARUN", "GRU", "a seed", "one seed alone"]
    filled, hollow, alone = (entries[key] for key in ("ARUN", "GRU", "one seed alone"))
    assert filled.get_markerfacecolor() == filled.get_color()
    assert hollow.get_markerfacecolor() == alone.get_markerfacecolor() == "white"
    drawn = {one.get_label(): one.lines[0] for one in figure.axes[0].containers}
    assert drawn["_gru"].get_markerfacecolor() == hollow.get_markerfacecolor()
    seeds = next(line for line in figure.axes[0].get_lines() if line.get_label() == "_arun, seeds")
    for of in ("color", "marker", "markersize", "linestyle"):
        assert getattr(seeds, f"get_{of}")() == getattr(entries["a seed"], f"get_{of}")()


def test_the_norms_line_and_the_trained_paths_are_explained():
    norms = jacobian_norms(1.5 * np.eye(4), [1.0, 9], [-1.0, 1])
    (bar,) = [one for one in jacobian.jacobian_map(norms).axes if one.get_label() == "<colorbar>"]
    ends = [one for lines in bar.collections for one in getattr(lines, "get_segments", list)()]
    assert any(np.allclose(one[:, 1], 1) for one in ends)
    (legend,) = FIGURES["landscape"]().legends
    assert [text.get_text() for text in legend.get_texts()] == [
        r"$\lambda_1 = -\infty$",
        "trained $(n, s)$",
        "its start",
        "its end",
    ]


def test_there_is_an_example_of_every_figure():
    from aru_keras import plots

    public = [getattr(plots, name) for name in plots.__all__]
    drawing = [one for one in public if "A `matplotlib.fig" in (inspect.getdoc(one) or "")]
    # `plots.reading` and `plots.picture_of` draw the same.
    assert len(drawing) == len(FIGURES)
    assert len(AMPLITUDES) == 5
