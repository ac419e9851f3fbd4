"""Points of the plane of (n, s) whose λ₁ is −∞: no colour, no number, and a cross."""

import csv

import numpy as np
import pytest

from aru_keras.analysis.landscape import Landscape
from aru_keras.plots.landscape import landscape_maps
from aru_keras.plots.number_table import numbers, save_numbers

N, S = (values.ravel() for values in np.meshgrid([1.0, 5.0, 10.0], [0.0, 1.0]))
LABEL = r"$\lambda_1 = -\infty$"
FORGETFUL = np.array([-np.inf, 0.2, -0.5, -np.inf, 0.0, 1.0])


def drawn(exponent):
    return landscape_maps(Landscape(N, S, np.exp(0.1 * N * S), exponent, np.linspace(0, 1, 6)))


def crosses(figure):
    return [line for line in figure.axes[1].get_lines() if line.get_label() == LABEL]


@pytest.mark.parametrize("exponent", [FORGETFUL, np.full(6, -np.inf)])
def test_a_point_that_forgets_in_one_step_has_a_cross_and_no_colour(exponent):
    figure, singular = drawn(exponent), np.isinf(exponent)
    mesh = np.ma.filled(figure.axes[1].collections[0].get_array(), np.nan).ravel()
    np.testing.assert_array_equal(mesh, np.where(singular, np.nan, exponent))
    (line,) = crosses(figure)
    np.testing.assert_array_equal(line.get_xydata(), np.stack([N, S], axis=1)[singular])
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [LABEL]


def test_without_such_points_there_is_neither_cross_nor_legend():
    figure = drawn(np.linspace(-1, 1, 6))
    assert not crosses(figure) and not figure.legends


def test_the_table_says_where_and_has_no_number_there(tmp_path):
    figure = drawn(FORGETFUL)
    marked = [(row["x"], row["y"]) for row in numbers(figure) if row["series"] == LABEL]
    assert marked == [(1.0, 0.0), (1.0, 1.0)]
    with open(save_numbers(figure, tmp_path / "maps"), encoding="utf-8") as opened:
        rows = [row for row in csv.DictReader(opened) if "nats" in row["series"]]
    assert [row["value"] for row in rows] == ["", "0.2", "-0.5", "", "0", "1"]
