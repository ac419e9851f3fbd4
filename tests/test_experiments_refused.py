"""An experiment that cannot be made with a run says why in its section, and the others are made."""

import dataclasses
import json
import shutil

import keras
import pytest
from offers import offer_preset
from trained import SMALL, TINY

from aru_keras.runners.cli import main
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.presets import PRESETS
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.trained_run import StartError, TrainedRun
from aru_keras.runners.run_folder import RunFolder
from aru_keras.runners.train import train

QUICK = dataclasses.replace(
    TINY, test_images=20, step_amplitudes=(0, 5), contrast_amplitudes=(0, 1)
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "relu"
    train("digits", "relu", run_dir=run, verbose=0, **{**SMALL, "controller_units": 2})
    return run


@pytest.fixture
def run(trained, tmp_path, monkeypatch):
    offer_preset(monkeypatch, QUICK)
    return shutil.copytree(trained, tmp_path / "relu")


def changed(path, change):
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def sections(run):
    """What the report says about robustness and the spectrum, which needs the start."""
    words = ["analyze", str(run), "--preset", "tiny", "--only", "robustness", "spectrum"]
    assert main(words) == 0
    report = (run / "analysis/report.md").read_text("utf-8")
    _, robustness, spectrum = report.split("\n## ")[-3:]
    return robustness, spectrum


def test_both_are_made_of_a_run_as_it_was_trained(run):
    assert all("Not measured" not in section for section in sections(run))


@pytest.mark.parametrize("name", ["robustness", "spectrum"])
def test_an_experiment_that_fails_says_why_and_the_others_are_made(run, monkeypatch, name):
    def measure(network, preset):
        raise ValueError("something else")

    one = dataclasses.replace(EXPERIMENTS[name], measure=measure)
    monkeypatch.setitem(EXPERIMENTS, name, one)
    refused = ["Not measured: something else" in section for section in sections(run)]
    assert refused == [name == "robustness", name == "spectrum"]


def test_a_mistake_in_a_program_is_no_section(run, monkeypatch):
    def measure(network, preset):
        raise TypeError("a mistake")

    one = dataclasses.replace(EXPERIMENTS["spectrum"], measure=measure)
    monkeypatch.setitem(EXPERIMENTS, "spectrum", one)
    with pytest.raises(TypeError, match="a mistake"):
        sections(run)


def test_a_start_that_has_moved_is_said_where_it_is_needed(run):
    change = {"start": str(run.parent / "moved"), "take": "recurrent"}
    changed(run / "config.json", lambda held: held.update(change))
    robustness, spectrum = sections(run)
    assert "Not measured" not in robustness
    assert "before the training of" in spectrum and "which holds none" in spectrum


def test_the_start_is_not_made_again_on_another_backend(run):
    other = "jax" if keras.config.backend() == "tensorflow" else "tensorflow"
    changed(run / "results.json", lambda held: held["versions"].update(backend=other))
    robustness, spectrum = sections(run)
    assert "Not measured" not in robustness
    assert f"KERAS_BACKEND={other}" in spectrum and keras.config.backend() in spectrum
    with pytest.raises(StartError, match=f"Keras must run on {other}"):
        _ = TrainedRun("relu", 0, RunFolder(run)).start


@pytest.mark.parametrize("versions", [{}, None, "3.11"])
def test_a_run_that_does_not_say_its_backend_has_a_start(run, versions):
    changed(run / "results.json", lambda held: held.update(versions=versions))
    assert isinstance(TrainedRun("relu", 0, RunFolder(run)).start, keras.Model)


@pytest.mark.parametrize("name", [name for name in EXPERIMENTS if name != "family"])
def test_an_experiment_without_a_network_names_those_that_it_needs(name):
    words = "This experiment needs one of .*(arun|gamma|relu).*no network|at least three points"
    with pytest.raises(ValueError, match=words):
        EXPERIMENTS[name].conclude(Results({}), PRESETS["medium"])
