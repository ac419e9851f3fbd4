"""Files of figures, and their size on the page of a report."""

import re

import pytest
from drawings import scores
from figures import AMPLITUDES, scaling
from PIL import Image

from aru_keras.analysis.family import activation_family
from aru_keras.plots import family as family_plot
from aru_keras.plots import gain_scaling, robustness, sensitivity, style
from aru_keras.runners.cli import main
from aru_keras.runners.experiments import report
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.experiment import Conclusion


@pytest.mark.parametrize("command", [["reproduce"], ["analyze", "pretrained:arun-digits"]])
def test_reports_are_drawn_in_the_formats_that_are_asked_for(command, tmp_path, capsys):
    options = ["--dir", str(tmp_path), "--only", "family", "--format", "pdf", "--dpi", "50"]
    assert main([*command, *options]) == 0
    files = tmp_path / "figures"
    # The report shows the PNG.
    names = {f"family-curves.{suffix}" for suffix in ("png", "pdf", "csv")}
    assert {file.name for file in files.iterdir()} == names
    with Image.open(files / "family-curves.png") as picture:
        assert picture.width == pytest.approx(50 * style.PAGE_WIDTH, abs=1)
    assert (files / "family-curves.csv").read_text(encoding="utf-8").startswith("panel,over,")


@pytest.mark.parametrize("option", [("--format", "gif"), ("--dpi", "-1")])
def test_reproduce_refuses_before_it_begins(option, tmp_path, capsys):
    folder = tmp_path / "new"
    assert main(["reproduce", "--dir", str(folder), "--only", "family", *option]) == 2
    assert option[1] in capsys.readouterr().err and not folder.exists()


@pytest.mark.parametrize("dpi", [60, 200])
def test_figures_have_on_the_page_the_size_in_which_they_were_drawn(dpi, tmp_path):
    widths = {"one": style.COLUMN_WIDTH, "page": style.PAGE_WIDTH}
    figures = {name: style.panels(1, width=width)[0] for name, width in widths.items()}
    conclusion, experiment = Conclusion(figures=figures), EXPERIMENTS["family"]
    drawn = report.save_figures(tmp_path / "figures", experiment, conclusion, dpi=dpi)
    section = report.Section(experiment, conclusion, drawn)
    page = report.write(tmp_path, "Title", {}, [section])[1].read_text(encoding="utf-8")
    shown = [int(width) for width in re.findall(r'<img alt="[^"]*" width="(\d+)"', page)]
    assert shown == pytest.approx([report.CSS_INCH * one for one in widths.values()], abs=2)


def test_every_figure_can_be_saved(tmp_path):
    figures = [
        robustness.robustness_curves({"arun": [scores(5)]}, AMPLITUDES),
        sensitivity.sensitivity_maps({"arun": scores((2, 2))}, (0, 1), (0, 1)),
        gain_scaling.gains_under_noise(scaling(AMPLITUDES)),
        family_plot.activation_curves(activation_family()),
    ]
    for place, figure in enumerate(figures):
        for file in style.save(figure, tmp_path / str(place)):
            assert file.stat().st_size > 5000
