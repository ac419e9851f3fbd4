"""The page that says how to add an experiment tells what works."""

import dataclasses
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from aru_keras.runners import experiments
from aru_keras.runners.experiments import catalogue, reproduce
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.presets import PRESETS
from aru_keras.runners.experiments.trainings import DRIVEN

PAGE = Path(__file__).parents[1] / "docs" / "adding-an-experiment.md"
NAME = "output-level"
TINY = dataclasses.replace(
    PRESETS["quick"],
    name="tiny",
    options={"units": 5, "controller_units": 2, "limit": 32, "epochs": 1},
    recorded_images=3,
)


@pytest.fixture
def blocks(monkeypatch):
    """The experiment and the test of the page, as modules; the experiment is in the catalogue."""
    texts = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert len(texts) == 2
    name = f"{experiments.__name__}.{NAME.replace('-', '_')}"
    modules = [ModuleType(name), ModuleType("page")]
    monkeypatch.setitem(sys.modules, name, modules[0])
    exec(texts[0], vars(modules[0]))
    monkeypatch.setitem(EXPERIMENTS, NAME, catalogue._experiment(NAME))
    exec(texts[1], vars(modules[1]))
    return modules


@pytest.mark.slow
def test_the_page_that_adds_an_experiment_tells_what_works(blocks, tmp_path, monkeypatch):
    monkeypatch.setitem(PRESETS, "tiny", TINY)
    report, _ = reproduce.reproduce("tiny", tmp_path, only=[NAME], say=lambda line: None)
    text = report.read_text(encoding="utf-8")
    assert "## 21. Mean output under a drive (not in the paper)" in text
    assert "ReLU's output grows more than ARUN's | shown, below 3 seeds" in text
    assert (tmp_path / "figures" / f"{NAME}-levels.csv").exists()
    measured = {path.name for path in (tmp_path / "measured" / NAME).iterdir()}
    assert measured == {f"{name}-seed0.npz" for name in DRIVEN}


def test_the_test_of_the_page_passes(blocks):
    blocks[1].test_the_claims_follow_the_slopes()
