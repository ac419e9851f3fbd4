"""What is damaged, or of another run, ends an analysis with one line; the old report stays."""

import dataclasses
import errno
import json
import shutil

import keras
import numpy as np
import pytest
from offers import offer_preset

from aru_keras import models
from aru_keras._util import files
from aru_keras.runners.cli import main
from aru_keras.runners.experiments import reproduce
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.presets import PRESETS
from aru_keras.runners.train import train

SMALL = {"units": 5, "controller_units": 2, "limit": 64, "batch_size": 32, "epochs": 1}
TINY = dataclasses.replace(
    PRESETS["quick"],
    name="tiny",
    options={**SMALL, "match_parameters": False},
    test_images=20,
    step_amplitudes=(0, 5),
    contrast_amplitudes=(0, 1),
)
SCORES = "scores-20-images.json"


@pytest.fixture(scope="module")
def analysed(tmp_path_factory):
    """A finished run of seed 7, with a report on its robustness."""
    run = tmp_path_factory.mktemp("runs") / "relu"
    train("digits", "relu", seed=7, run_dir=run, verbose=0, **SMALL)
    with pytest.MonkeyPatch.context() as patch:
        offer_preset(patch, TINY)
        assert analyse(run) == 0
    return run


@pytest.fixture
def run(analysed, tmp_path, monkeypatch):
    offer_preset(monkeypatch, TINY)
    return shutil.copytree(analysed, tmp_path / "relu")


def analyse(run, *only):
    return main(["analyze", str(run), "--preset", "tiny", "--only", *(only or ["robustness"])])


def report_of(run):
    return {path: path.read_bytes() for path in (run / "analysis").glob("report.*")}


def refused(run, capsys, *words):
    """Whether an analysis ends with one line that has these words, and leaves the report."""
    before = report_of(run)
    capsys.readouterr()
    assert len(before) == 2 and analyse(run) == 2
    err = capsys.readouterr().err
    assert len(err.strip().splitlines()) == 1
    for word in words:
        assert word in err
    assert report_of(run) == before


def changed(path, change):
    """Change the value in a JSON file."""
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


@pytest.mark.parametrize("text", ["", "[]", "5", "null", "{}", '{"identity": {}}', "[" * 5000])
def test_scores_that_are_none_are_refused(run, capsys, text):
    (run / SCORES).write_text(text)
    refused(run, capsys, f"{run / SCORES} is damaged", "must hold scores", "Remove it")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("accuracy", 7.0, "`accuracy` of row 1 must be a number from 0 to 1, not 7.0"),
        ("accuracy", -0.1, "`accuracy` of row 1"),
        ("accuracy", float("nan"), "NaN in it"),
        ("accuracy", "1", "`accuracy` of row 1"),
        ("loss", -1.0, "`loss` of row 1"),
        ("loss", None, "`loss` of row 1"),
        ("n", 21, "`n` of row 1 must be 20"),
        ("perturbation", "step", "is damaged"),
        ("perturbation", [{"kind": "bang"}], "bang"),
    ],
)
def test_scores_out_of_their_range_are_refused(run, capsys, field, value, words):
    changed(run / SCORES, lambda held: held["scores"][0].update({field: value}))
    refused(run, capsys, str(run / SCORES), words)


@pytest.mark.parametrize("key", ["model_file", "weights", "images", "task"])
def test_scores_of_another_network_are_refused(run, capsys, key):
    changed(run / SCORES, lambda held: held["identity"].update({key: "0123456789abcdef"}))
    refused(run, capsys, str(run / SCORES), "0123456789abcdef", "remove it")


def test_scores_from_before_the_model_file_was_hashed_go_on(run, monkeypatch):
    changed(run / SCORES, lambda held: held["identity"].pop("model_file"))
    before = (run / "analysis/report.md").read_text().partition("## 3.")[2]
    monkeypatch.setattr("aru_keras.runners.experiments.perturbed.Evaluator.__call__", None)
    assert analyse(run) == 0
    assert (run / "analysis/report.md").read_text().endswith(before) and before


@pytest.mark.parametrize(
    ("file", "field", "value", "words"),
    [
        ("config.json", "model", "gru", "model relu, which would be gru"),
        ("results.json", "units", 6, "units 6, which would be 5"),
        ("results.json", "parameters", 7, "parameters 7"),
        ("results.json", "task", "sdigits", "task sdigits, which would be digits"),
    ],
)
def test_files_of_different_runs_are_refused(run, capsys, file, field, value, words):
    changed(run / file, lambda held: held.update({field: value}))
    refused(run, capsys, "results.json must hold the results of config.json", words)


@pytest.mark.parametrize(("field", "value"), [("downsample", 2), ("permutation_seed", 1)])
def test_a_run_on_another_order_of_pixels_is_refused(run, capsys, field, value):
    changed(run / "config.json", lambda held: held.update({field: value}))
    refused(run, capsys, "permutation.npy must hold the order of pixels", f"{field} {value}")


def test_a_model_of_another_run_is_refused(run, capsys):
    model = keras.models.load_model(run / "model.keras")
    model.get_layer("readout").bias.assign(np.ones(10))
    model.save(run / "model.keras")
    refused(run, capsys, str(run / SCORES), "must hold scores of")


def test_a_model_of_another_input_is_refused(run, capsys):
    model = models.build_network("relu", (16, 1), units=5, match_parameters=False)
    model.save(run / "model.keras")
    refused(run, capsys, "model.keras must read", "(64, 1) of digits", "reads (16, 1)")


DAMAGED_RESULTS = [
    "",
    "[]",
    "5",
    "null",
    "{}",
    '{"test_accuracy": null}',
    "[" * 5000,
    "NaN",
]


@pytest.mark.parametrize("text", DAMAGED_RESULTS)
def test_results_of_another_shape_are_named_everywhere(run, capsys, text):
    file = run / "results.json"
    whole = file.read_text()
    file.write_text(text)
    refused(run, capsys, f"{file} is damaged", "must hold the results of a run", "--resume")
    assert main(["train", "--resume", str(run)]) == 2
    assert f"{file} is damaged" in capsys.readouterr().err
    good = run.parent / "good"
    good.mkdir()
    (good / "results.json").write_text(whole)
    assert main(["compare", str(run), str(good)]) == 0
    shown = capsys.readouterr()
    assert (
        "| good | digits | relu | 5 |" in shown.out
        and "| relu |" not in shown.out.splitlines()[2][:8]
    )
    assert f"left out: {file} is damaged" in shown.err and len(shown.err.splitlines()) == 1
    assert main(["compare", str(run)]) == 2
    assert f"{file} is damaged" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("test_accuracy", 7.0),
        ("test_accuracy", float("nan")),
        ("test_loss", float("nan")),
        ("test_loss", float("inf")),
        ("train_seconds", "61"),
        ("units", 2.5),
        ("epochs", True),
        ("peak_memory_mb", -1),
    ],
)
def test_numbers_out_of_their_range_are_no_results(run, capsys, field, value):
    changed(run / "results.json", lambda held: held.update({field: value}))
    words = "NaN in it" if value != value else f"`{field}` must be"
    refused(run, capsys, str(run / "results.json"), words)


def test_a_name_that_no_folder_can_have_is_no_finished_run(capsys):
    assert main(["compare", "a" * 1000]) == 2
    assert "no finished run among" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["figure", "report", "scores"])
def test_a_full_disk_is_one_line_and_the_report_stays(run, capsys, monkeypatch, what):
    if what == "scores":
        changed(run / SCORES, lambda held: held["scores"].pop())
    suffix = {"figure": ".png", "report": ".html", "scores": ".json"}[what]
    replace = files.os.replace

    def full(source, target):
        if str(target).endswith(suffix):
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(files.os, "replace", full)
    refused(run, capsys, "cannot be written (No space left on device)", "Make room")
    assert not list(run.rglob(".writing-*"))


def test_a_run_that_can_only_be_read_is_measured_into_another_folder(run, tmp_path, monkeypatch):
    (run / SCORES).unlink()
    monkeypatch.setattr(files.os, "access", lambda path, mode: path != run)
    reproduced = tmp_path / "report"
    words = ["analyze", str(run), "--preset", "tiny", "--only", "robustness", "--dir"]
    assert main([*words, str(reproduced)]) == 0
    assert (reproduced / "report.md").exists() and not (run / SCORES).exists()


def test_a_network_that_overflows_is_a_result_of_the_analysis(run, monkeypatch):
    one = dataclasses.replace(EXPERIMENTS["robustness"], measure=overflow)
    monkeypatch.setitem(EXPERIMENTS, "robustness", one)
    assert analyse(run) == 0
    assert "Not measured: too large" in (run / "analysis/report.md").read_text()


def overflow(network, preset):
    raise reproduce.NetworkOverflowError("too large")
