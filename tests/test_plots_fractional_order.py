"""The figures of fractional orders hold what they are given."""

import numpy as np
import pytest
from drawings import RNG, drawn, holds
from figures import responses

from aru_keras.analysis.fractional import FractionalOrder
from aru_keras.analysis.step_response import fractional_orders
from aru_keras.plots import fractional_order


def test_a_unit_without_an_order_has_no_curve():
    found = responses()
    figure = fractional_order.fitted_responses(found, fractional_orders(found), 5.0, [1, 2])
    upper, constant, lower, bare = figure.axes
    np.testing.assert_array_equal(upper.get_lines()[0].get_ydata(), found.of("h")[2, :, 1])
    assert upper.get_title() == "unit 1: α = 0.20"
    np.testing.assert_allclose(
        lower.get_lines()[1].get_ydata()[80:220], found.drive[2, 80:220], atol=1e-4
    )
    assert "no order" in constant.get_title() and len(bare.get_lines()) == 1
    with pytest.raises(ValueError, match="`drive` must be one of 0, 1, 5"):
        fractional_order.fitted_responses(found, {}, 7.0, [0])


def test_histograms_hold_every_order_and_state_the_share():
    alpha = np.array([-0.5, -0.4, 0.3, np.nan])
    order = FractionalOrder(alpha, np.ones(4), np.zeros(4), np.isfinite(alpha), 1.0)
    figure = fractional_order.order_distributions({"connected": {1.0: order, 5.0: order}})
    for axes in figure.axes:
        assert sum(bar.get_height() for bar in axes.patches) == 3
        assert axes.texts[0].get_text() == "67% < 0"


def test_errors_over_orders_mark_the_best():
    orders = np.linspace(-1, 1, 5)
    errors = {"unit 3": np.array([4, 2, 1, 3, 5.0]), "unit 5": np.array([1, 2, 3, 4, 5.0])}
    (axes,) = fractional_order.errors_over_orders(orders, errors).axes
    assert all(holds(axes, one, orders) for one in errors.values())
    marks = [line.get_xydata()[0] for line in axes.get_lines() if len(line.get_xydata()) == 1]
    np.testing.assert_allclose(marks, [(0, 1), (-1, 1)])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(errors)
    with pytest.raises(ValueError, match="one number for each of the 5 orders"):
        fractional_order.errors_over_orders(orders, {"a": np.ones(4)})


def test_mean_responses_are_drawn_by_the_sign_of_the_order():
    drive = np.where((np.arange(30) > 9) & (np.arange(30) < 20), 5.0, 0.0)
    both = {"negative": RNG.random(30), "positive": RNG.random(30)}
    found = {"connected": both, "isolated": {"negative": RNG.random(30)}}
    left, right = fractional_order.mean_responses(drive, found).axes
    assert all(holds(left, one) for one in both.values()) and len(drawn(right)) == 1
    assert [axes.get_title() for axes in (left, right)] == ["connected", "isolated"]
    assert [axes.get_title(loc="left") for axes in (left, right)] == ["A", "B"]


def test_every_condition_has_a_panel_and_the_steps_of_the_drive_are_shaded():
    drive = np.where((np.arange(30) > 9) & (np.arange(30) < 20), 5.0, 0.0)
    conditions = {f"noise {k}": {"positive": RNG.random(30)} for k in range(5)}
    panels = fractional_order.mean_responses(drive, conditions).axes
    for axes, (label, means) in zip(panels, conditions.items(), strict=True):
        assert axes.get_title() == label and holds(axes, means["positive"])
        (shade,) = axes.patches
        assert (shade.get_x(), shade.get_x() + shade.get_width()) == (9.5, 19.5)
    assert [axes.get_title(loc="left") for axes in panels] == list("ABCDE")


def test_mean_responses_need_a_drive():
    with pytest.raises(ValueError, match=r"`drive` must be that of a step.*0 at all 30 steps"):
        fractional_order.mean_responses(np.zeros(30), {"connected": {"positive": np.ones(30)}})
