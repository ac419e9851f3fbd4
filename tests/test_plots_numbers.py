"""The numbers behind figures: what is drawn is in the table, under its name."""

import csv

import numpy as np
import pytest
from figures import AMPLITUDES, FIGURES, order, scores, transient_seed

from aru_keras import plots
from aru_keras.plots import accuracy, fractional_order, robustness, sensitivity, style, transients


def of(rows, **where):
    """Rows with these values."""
    return [row for row in rows if all(row.get(key) == value for key, value in where.items())]


def column(rows, name):
    return np.array([row[name] for row in rows])


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_a_table_with_a_name_for_every_number(name, tmp_path):
    figure = FIGURES[name]()
    file = plots.save_numbers(figure, tmp_path / "a.b")
    assert file == tmp_path / "a.b.csv"
    with open(file, newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    assert rows and all(row["panel"] for row in rows)
    assert all(row["series"] for row in rows), rows
    for row in rows:
        assert any(row[key] for key in ("x", "y", "low", "value"))


def test_lines_and_bands_are_whole():
    seeds = [transient_seed(5.0), transient_seed(6.0, growth=3.0)]
    rows = plots.numbers(transients.transient_courses(seeds))
    line = of(rows, panel="A", series="2")
    assert line[0]["over"] == "step $t$" and line[0]["quantity"] == "mean gain $n_t$"
    mean = np.mean([seed[1].n.mean for seed in seeds], axis=0)
    np.testing.assert_allclose(column([row for row in line if "y" in row], "y"), mean)
    band = [row for row in line if "low" in row]
    middle = (column(band, "low") + column(band, "high")) / 2
    np.testing.assert_allclose(middle, mean)
    # And every seed by itself, each moved to where the mean is before the drive.
    for index, seed in enumerate(seeds):
        own = column(of(rows, panel="A", series=f"2, line {index + 1}"), "y")
        np.testing.assert_allclose(own - own[0], seed[1].n.mean - seed[1].n.mean[0], atol=1e-12)
    steady = of(rows, panel="B", series="steady state")
    assert [row["x"] for row in steady if "y" in row] == [1, 2]


def test_estimates_have_their_interval_and_the_name_of_their_place():
    rows = plots.numbers(accuracy.accuracies({"a task": {"arun": [0.9, 0.92], "gru": [0.8]}}))
    (found,) = of(rows, series="arun")
    assert found["x"] == "a task" and found["quantity"] == "accuracy (%)"
    values = [found[key] for key in ("y", "low", "high")]
    np.testing.assert_allclose(values, [91, 91 - 12.7062, 91 + 12.7062], atol=1e-4)
    np.testing.assert_allclose(column(of(rows, series="arun, seeds"), "y"), [90, 92])
    (single,) = of(rows, series="gru")
    assert "low" not in single and single["y"] == pytest.approx(80)


def test_maps_have_a_row_a_field_with_the_places_as_they_are_written():
    found = scores((3, 2))
    rows = plots.numbers(sensitivity.sensitivity_maps({"arun": found}, (0, 5, 20), (-1, 1)))
    field = of(rows, x="−1", y="20", panel="A ARUN")
    assert [row["value"] for row in field] == [100 * found.accuracy[2, 0]]
    assert len(rows) == 12 and {row["panel"] for row in rows} == {"A ARUN", "B ARUN"}
    assert {row["quantity"] for row in rows} == {robustness.CONTRAST_LABEL}


def test_bars_and_lines_across_the_panel():
    orders = {"connected": {1.0: order([-1, 0.3, 0.31, np.nan])}}
    rows = plots.numbers(fractional_order.order_distributions(orders))
    bars = of(rows, series="connected")
    assert sum(row["y"] for row in bars) == 2 and len(bars) == fractional_order.ORDER_BINS
    bound = of(rows, series="at a bound of the search, α = ±1")
    assert [(row["x"], row["y"]) for row in bound] == [(-1, 1), (1, 0)]
    assert [row for row in of(rows, series="α = 0")] == [
        {"panel": "A ξ = 1", "over": "order α", "quantity": "connected\nunits"}
        | {"series": "α = 0", "x": 0}
    ]
    rows = plots.numbers(robustness.robustness_curves({"arun": [scores(5)]}, AMPLITUDES))
    (chance,) = of(rows, series="chance", panel="A")
    assert chance["y"] == 10 and "x" not in chance


def test_figures_are_saved_in_the_formats_and_dots_that_are_asked_for(tmp_path):
    from PIL import Image

    figure = FIGURES["robustness"]()
    files = plots.save(figure, tmp_path / "a", formats=("pdf", "png", "pdf"), dpi=50)
    assert [file.name for file in files] == ["a.pdf", "a.png"]
    assert files[0].read_bytes().startswith(b"%PDF")
    with Image.open(files[1]) as picture:
        assert picture.width == round(50 * figure.get_figwidth())
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.pdf", "a.png"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"formats": ("jpeg",)}, "`formats` must be one of png, svg, pdf. Received: 'jpeg'"),
        ({"formats": ()}, "`formats` must name one or more"),
        ({"dpi": 0}, "`dpi` must be a whole number of at least 1. Received: 0"),
    ],
)
def test_formats_and_dots_that_cannot_be(options, text, tmp_path):
    with pytest.raises(ValueError, match=text):
        style.save(FIGURES["jacobian"](), tmp_path / "a", **options)
    assert not list(tmp_path.iterdir())
