"""Experiments as such: the workspace that resumes, and the report."""

import dataclasses
import json
import re

import numpy as np
import pytest
from filelock import FileLock
from offers import offer_experiment, offer_preset

from aru_keras.runners.cli import main
from aru_keras.runners.experiments import analyze, report, reproduce, trainings, workspace
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.experiment import (
    Claim,
    Conclusion,
    Experiment,
    Table,
    above,
)
from aru_keras.runners.experiments.presets import PRESETS
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.run_folder import RunError

SIZES = {"units": 5, "controller_units": 2, "limit": 64, "batch_size": 32, "epochs": 1}
TINY = dataclasses.replace(
    PRESETS["quick"],
    name="tiny",
    options=SIZES | {"match_parameters": False},
    transfer_epochs=1,
)


def counting(measured):
    """An experiment on two networks that says how often it measured."""

    def measure(network, preset):
        measured.append((network.name, network.seed))
        return {"accuracy": network.results["test_accuracy"], "units": network.cell.units}

    def conclude(results, preset):
        rows = tuple((name, str(results.stacked(name, "units"))) for name in results)
        return Conclusion(
            (above("units", results.stacked("relu", "units"), 1),),
            {},
            (Table(("network", "units | seeds"), rows),),
        )

    return Experiment(
        number="99",
        name="counting",
        title="Counting <units>",
        paper="Fig 0",
        expected="five",
        trainings=lambda preset: ["relu", "gamma-rotated-readout"],
        measure=measure,
        conclude=conclude,
    )


@pytest.mark.slow
def test_nothing_is_trained_or_measured_twice(tmp_path):
    measured, said = [], []
    experiment = counting(measured)
    space = workspace.Workspace(tmp_path, TINY, said.append)
    first = space.results(experiment, [0, 1])
    names = ("relu", "gamma-rotated-readout")
    assert measured == [(name, seed) for name in names for seed in (0, 1)]
    # As after an interruption: one measurement and one run are not there any more.
    (tmp_path / "measured/counting/relu-seed1.npz").unlink()
    (tmp_path / "runs/relu-seed1/results.json").unlink()
    del measured[:], said[:]
    second = workspace.Workspace(tmp_path, TINY, said.append).results(experiment, [0, 1])
    assert measured == [("relu", 1)]
    assert said == ["training relu-seed1", "measuring counting of relu, seed 1"]
    for name in first:
        np.testing.assert_array_equal(
            first.stacked(name, "accuracy"), second.stacked(name, "accuracy")
        )


def test_what_another_revision_measured_is_measured_anew(tmp_path):
    measured = []
    space = workspace.Workspace(tmp_path, TINY, lambda line: None)
    first = dataclasses.replace(counting(measured), trainings=lambda preset: ["relu"])
    for experiment in (first, first, dataclasses.replace(first, revision=2)):
        space.results(experiment, [0])
    assert measured == [("relu", 0)] * 2
    # Version 0.1 wrote no revision: what it measured is the first one's.
    (path,) = (tmp_path / "measured").rglob("*.npz")
    arrays = workspace.read_arrays(path)
    del arrays["revision"]
    workspace.write_arrays(path, arrays)
    space.results(first, [0])
    assert len(measured) == 2


def test_a_training_starts_from_the_one_it_names(tmp_path):
    space = workspace.Workspace(tmp_path, TINY, lambda line: None)
    network = space.network("gamma-rotated-readout", 3)
    start = workspace.TrainedRun(
        "gamma", 3, network.folder.__class__(tmp_path / "runs/gamma-seed3")
    )
    assert network.config.task == "rotated-digits" and network.config.seed == 3
    for name in ("kernel", "recurrent_kernel", "n", "s"):
        np.testing.assert_array_equal(getattr(network.cell, name), getattr(start.cell, name))
    assert not np.array_equal(
        network.model.get_layer("readout").kernel, start.model.get_layer("readout").kernel
    )
    assert not np.array_equal(start.start.get_layer("recurrent").cell.kernel, start.cell.kernel)


def test_a_folder_keeps_to_its_preset_and_its_options(tmp_path):
    workspace.Workspace(tmp_path, TINY)
    with pytest.raises(RunError, match="made with another preset, 'tiny'"):
        workspace.Workspace(tmp_path, PRESETS["quick"])
    (tmp_path / "preset.json").unlink()
    space = workspace.Workspace(tmp_path, TINY, lambda line: None)
    space.network("relu", 0)
    config = tmp_path / "runs/relu-seed0/config.json"
    config.write_text(config.read_text().replace('"units": 5', '"units": 6'))
    (tmp_path / "runs/relu-seed0/results.json").unlink()
    with pytest.raises(RunError, match="a run with other options"):
        space.network("relu", 0)


def test_a_measurement_is_a_number_and_whole(tmp_path):
    with pytest.raises(ValueError, match="overflows, so there is no value of loss"):
        workspace.write_arrays(tmp_path / "a.npz", {"loss": [1.0, np.nan]})
    assert not list(tmp_path.iterdir())
    (tmp_path / "b.npz").write_bytes(b"half")
    with pytest.raises(RunError, match="is damaged"):
        workspace.read_arrays(tmp_path / "b.npz")


def test_a_network_that_diverges_is_a_result(tmp_path, monkeypatch):
    def diverge(*args, **kwargs):
        raise workspace.train.DivergedError("NaN")

    monkeypatch.setattr(workspace.train, "train", diverge)
    results = workspace.Workspace(tmp_path, TINY, lambda line: None).results(counting([]), [0])
    assert len(results) == 0
    assert results.left_out == (
        "These trainings diverged: relu with seed 0; gamma-rotated-readout with seed 0. The "
        "section shows nothing."
    )


@pytest.mark.parametrize(
    ("found", "seeds", "names"),
    [
        ({"a": [1, 2, 3], "b": [4, 5, 6]}, [0, 1, 2], ["a", "b"]),
        # The difference within seeds is that of the seeds that both have, whichever they lack.
        ({"a": [None, 2, 3, 4], "b": [1, 2, 3, None]}, [1, 2], ["a", "b"]),
        ({"a": [1, 2], "b": [None, None]}, [0, 1], ["a"]),
        ({"a": [1, 2], "b": [None, 2], "c": [1, None]}, [0, 1], ["a"]),
        ({"a": {3: 1, 5: None}, "b": {3: 1, 5: 2}}, [3], ["a", "b"]),
        ({}, [], []),
    ],
)
def test_networks_are_compared_on_the_seeds_that_all_have(found, seeds, names):
    results = Results(found)
    assert results.seeds == seeds and list(results) == names
    assert all(len(results[name]) == len(seeds) for name in results)
    every = [one for row in found.values() for one in (row.values() if type(row) is dict else row)]
    assert bool(results.left_out) == (None in every)


def test_the_report_says_which_networks_diverged(tmp_path):
    results = Results({"relu": [{"units": np.array(5)}, None]})
    found = reproduce.section(counting([]), lambda: results, TINY, tmp_path)
    assert found.conclusion.note.startswith("These trainings diverged: relu with seed 1.")


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_every_network_of_every_experiment_can_be_trained(preset):
    known = trainings.trainings(preset)
    for experiment in EXPERIMENTS.values():
        assert set(experiment.trainings(preset)) <= set(known), experiment.name
    for training in known.values():
        assert training.start is None or training.start in known
        # The configuration refuses what does not fit.
        start = "runs/RUN" if training.start else None
        assert trainings.config(training, 2, start).seed == 2 + training.seed_shift


def section(holds, tmp_path):
    from aru_keras.plots import style

    figure, (axes,) = style.panels(1)
    axes.plot([0, 1])
    one = counting([])
    conclusion = Conclusion((Claim("a < b", holds, "1 | 2"),), {"line": figure}, note="A & B.")
    return report.Section(
        one, conclusion, report.save_figures(tmp_path / "figures", one, conclusion)
    )


def test_the_report_says_what_was_expected_and_what_came_out(tmp_path):
    failed = report.Section(counting([]), None, {}, "too short")
    files = report.write(tmp_path, "Title", {"seeds": "2"}, [section(False, tmp_path), failed])
    markdown, page = (file.read_text(encoding="utf-8") for file in files)
    for text in (markdown, page):
        assert "disagrees" in text and "not measured" in text and "too short" in text
        assert "does not hold" in text and "Expected: five" in text
    assert "1 \\| 2" in markdown and "a &lt; b" in page and "Counting &lt;units&gt;" in page
    (figure,) = re.findall(r"!\[.*?\]\((.*?)\)", markdown)
    assert (tmp_path / figure).exists() and (tmp_path / figure).with_suffix(".svg").exists()
    # One file by itself: nothing is fetched from anywhere.
    assert re.findall(r'src="(.{22})', page) == ["data:image/png;base64,"]


def test_reproduce_writes_a_report_and_counts_its_time(tmp_path, monkeypatch):
    offer_preset(monkeypatch, TINY)
    offer_experiment(monkeypatch, counting([]))
    files = reproduce.reproduce("tiny", tmp_path / "a", only=["counting"], say=lambda line: None)
    text = files[0].read_text(encoding="utf-8")
    assert "| shown |" in text and "shown, below 3 seeds" in text
    before = json.loads((tmp_path / "a/seconds.json").read_text())
    again = reproduce.reproduce("tiny", tmp_path / "a", only=["counting"], say=lambda line: None)
    assert again == files and json.loads((tmp_path / "a/seconds.json").read_text()) >= before


@pytest.mark.slow
def test_the_same_seeds_give_the_same_numbers(tmp_path, monkeypatch):
    offer_preset(monkeypatch, TINY)
    found = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        reproduce.reproduce("tiny", folder, only=["spectrum"], say=lambda line: None)
        files = sorted((folder / "measured").rglob("*.npz"))
        found.append({file.name: workspace.read_arrays(file) for file in files})
    first, second = found
    assert list(first) == list(second) == ["arun-seed0.npz", "relu-seed0.npz"]
    for name, arrays in first.items():
        for key, value in arrays.items():
            np.testing.assert_array_equal(value, second[name][key])


@pytest.mark.slow
def test_two_processes_do_not_work_in_one_folder(tmp_path, monkeypatch):
    offer_preset(monkeypatch, TINY)
    offer_experiment(monkeypatch, counting([]))
    arguments = {"folder": tmp_path, "only": ["counting"], "say": lambda line: None}
    with FileLock(tmp_path / ".lock"), pytest.raises(RunError, match="Another process works in"):
        reproduce.reproduce("tiny", **arguments)
    reproduce.reproduce("tiny", **arguments)


def test_analyze_measures_one_network_and_leaves_the_run_as_it_was(tmp_path, capsys):
    space = workspace.Workspace(tmp_path, TINY, lambda line: None)
    run = space.network("arun", 0).folder.path
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert main(["analyze", str(run), "--only", "controller", "spectrum", "noise-boundary"]) == 0
    assert "[3/3]" in capsys.readouterr().out
    report = (run / "analysis/report.md").read_text(encoding="utf-8")
    assert "## 14. States of the controller" in report and "## 18. " in report
    assert "not measured" not in report
    assert main(["analyze", str(run), "--only", "family"]) == 0  # It needs no network.
    assert all(path.read_bytes() == content for path, content in before.items())
    # Experiments that compare networks, or are about others, are not offered.
    assert main(["analyze", str(run), "--only", "jacobian"]) == 2
    assert "it is about other networks: gamma." in capsys.readouterr().err
    assert main(["analyze", str(run), "--only", "landscape"]) == 2
    assert "aru-keras reproduce --only landscape" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "fitting", "others"),
    [
        ("arun", {"family", "accuracy", "controller"}, {"jacobian", "heterogeneity", "evolution"}),
        ("gamma", {"family", "jacobian", "heterogeneity"}, {"controller", "landscape"}),
        ("gru", {"family", "accuracy", "robustness"}, {"lyapunov", "transfer"}),
    ],
)
def test_analyze_has_a_row_for_every_experiment(model, fitting, others):
    found = {name for name, one in EXPERIMENTS.items() if analyze._fits(one, model, TINY)}
    assert fitting <= found and not others & found
    for name in others:
        reason = analyze._why_not(EXPERIMENTS[name], TINY)
        assert "other networks" in reason or f"reproduce --only {name}" in reason


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["reproduce", "--preset", "quik"], "Did you mean 'quick'"),
        (["reproduce", "--only", "acuracy"], "Did you mean 'accuracy'"),
        (["reproduce", "--seeds", "0"], "`seeds` must be a whole number"),
        (["analyze", "nowhere"], "holds no run"),
        (["reproduce", "--only", "family", "--dir", __file__], "`folder` must be a folder"),
    ],
)
def test_bad_input_is_one_line(arguments, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert words in capsys.readouterr().err and not list(tmp_path.iterdir())
