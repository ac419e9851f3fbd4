"""The folder of a reproduction: what is damaged in it, or of another run, is named."""

import dataclasses
import re
import shutil

import numpy as np
import pytest
from offers import offer_experiment, offer_preset

from aru_keras.runners.cli import main
from aru_keras.runners.experiments import workspace
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.experiment import SHARE, Array, Conclusion, Experiment
from aru_keras.runners.experiments.presets import PRESETS
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.run_folder import RunError

TINY = dataclasses.replace(
    PRESETS["quick"],
    name="tiny",
    options={
        "units": 5,
        "controller_units": 2,
        "limit": 64,
        "batch_size": 32,
        "epochs": 1,
        "match_parameters": False,
    },
    transfer_epochs=1,
)
RUN, RETRAINED = "relu", "gamma-rotated-readout"


def measure(network, preset):
    return {"accuracy": network.results["test_accuracy"], "curve": np.zeros((8, 3))}


PROBING = Experiment(
    number="99",
    name="probing",
    title="Probing",
    paper="Fig 0",
    expected="nothing",
    trainings=lambda preset: [RUN, RETRAINED],
    measure=measure,
    conclude=lambda results, preset: Conclusion(note=f"of {list(results)}"),
    keeps={"accuracy": SHARE, "curve": Array("T 3")},
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A reproduction of two networks, of which one starts from a third."""
    path = tmp_path_factory.mktemp("made") / "reproduction"
    workspace.Workspace(path, TINY, lambda line: None).results(PROBING, [0])
    return path


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    offer_preset(monkeypatch, TINY)
    offer_experiment(monkeypatch, PROBING)
    return shutil.copytree(made, tmp_path / "reproduction")


def reproduce(folder):
    return main(["reproduce", "--preset", "tiny", "--only", "probing", "--dir", str(folder)])


def refused(folder, capsys, *words):
    assert reproduce(folder) == 2
    err = capsys.readouterr().err
    assert len(err.strip().splitlines()) == 1
    for word in words:
        assert word in err


def space(folder):
    return workspace.Workspace(folder, TINY, lambda line: None)


def test_a_folder_goes_on_wherever_it_is_moved(folder, monkeypatch):
    monkeypatch.setattr(workspace.train, "train", None)
    assert space(folder).results(PROBING, [0]).seeds == [0]
    (folder / f"measured/probing/{RETRAINED}-seed0.npz").unlink()
    assert space(folder).results(PROBING, [0]).seeds == [0]


def test_a_network_that_was_trained_anew_is_measured_anew(folder):
    path = folder / f"measured/probing/{RUN}-seed0.npz"
    before = path.stat().st_mtime_ns
    space(folder).results(PROBING, [0])
    assert path.stat().st_mtime_ns == before
    run = folder / f"runs/{RUN}-seed0"
    results = (run / "results.json").read_text()
    shutil.move(run, folder / "elsewhere")
    assert not space(folder).lacks(PROBING, RUN, 0)  # What was measured is all that is known.
    shutil.move(folder / "elsewhere", run)
    other = re.sub(r'"test_loss": [^,]*', '"test_loss": 7.5', results)
    (run / "results.json").write_text(other)
    assert space(folder).lacks(PROBING, RUN, 0)
    space(folder).results(PROBING, [0])
    assert path.stat().st_mtime_ns > before and not space(folder).lacks(PROBING, RUN, 0)


def test_a_training_that_diverged_is_made_again_when_its_folder_is_removed(tmp_path, monkeypatch):
    def diverge(*args, **kwargs):
        raise workspace.train.DivergedError("NaN")

    with monkeypatch.context() as patch:
        patch.setattr(workspace.train, "train", diverge)
        assert not space(tmp_path).results(PROBING, [0])
    monkeypatch.setattr(workspace.train, "resume", diverge)
    assert not space(tmp_path).results(PROBING, [0])
    for run in (tmp_path / "runs").iterdir():
        shutil.rmtree(run)
    assert list(space(tmp_path).results(PROBING, [0])) == [RUN, RETRAINED]


@pytest.mark.parametrize("measured", [True, False])
def test_a_foreign_finished_run_is_refused(folder, capsys, measured):
    if not measured:
        shutil.rmtree(folder / "measured")
    config = folder / "runs/relu-seed0/config.json"
    config.write_text(config.read_text().replace('"seed": 0', '"seed": 5'))
    refused(folder, capsys, f"{config.parent} holds a run with other options: seed 5")


def test_a_run_in_whose_folder_other_results_lie_is_refused(folder, capsys):
    shutil.rmtree(folder / "measured")
    shutil.copy(folder / "runs/gamma-seed0/results.json", folder / "runs/relu-seed0/results.json")
    refused(folder, capsys, "runs/relu-seed0/results.json", "model gamma, which would be relu")


def test_a_damaged_history_is_named(folder):
    network = space(folder).network("gamma", 0)
    whole = network.folder.history.read_text()
    assert network.history["epoch"].tolist() == [1.0] and "n" in network.history
    header = whole.splitlines()[0]
    for text in ("", header, f"{header}\n1", whole.replace("\n1,", "\none,"), f"{whole}2"):
        network.folder.history.write_text(text)
        with pytest.raises(RunError, match=r"history\.csv is damaged .* must hold a table"):
            _ = network.history


def arrays(**changes):
    found = {"accuracy": np.array(0.5), "curve": np.zeros((8, 3))} | changes
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"accuracy": None}, "no accuracy in it"),
        ({"accuracy": np.zeros(2)}, "accuracy must be (), not (2,)"),
        ({"accuracy": np.array(7.0)}, "accuracy must be from 0 to 1"),
        ({"accuracy": np.array(np.nan)}, "NaN in accuracy"),
        ({"accuracy": np.array("high")}, "accuracy must be numbers"),
        ({"curve": np.zeros((3, 8))}, "curve must be (T, 3), not (3, 8)"),
        ({"curve": np.array([None])}, "curve holds Python objects"),
        ({"accuracy": None, "curve": None}, "no array in it"),
    ],
)
def test_a_measurement_of_another_shape_is_named(folder, capsys, changes, words):
    path = folder / "measured/probing/relu-seed0.npz"
    np.savez_compressed(path, **arrays(**changes))
    refused(folder, capsys, f"{path} is damaged", words, "Remove it to measure anew")


@pytest.mark.parametrize("content", [b"", b"PK", b"half a file"])
def test_a_measurement_cut_short_is_named(folder, capsys, content):
    path = folder / "measured/probing/relu-seed0.npz"
    path.write_bytes(content)
    refused(folder, capsys, f"{path} is damaged", "Remove it to measure anew")


@pytest.mark.parametrize("text", ["", "[]", "null", "5", "{}", '{"name": 5}', "[" * 5000])
def test_a_damaged_mark_is_named(folder, capsys, text):
    (folder / "preset.json").write_text(text)
    refused(folder, capsys, f"{folder / 'preset.json'} is damaged", "made with 'tiny', remove")


@pytest.mark.parametrize("text", ["", "[]", "null", "-1", "NaN", "Infinity", '"5"', "[" * 5000])
def test_a_damaged_clock_is_named(folder, capsys, text):
    (folder / "seconds.json").write_text(text)
    refused(folder, capsys, f"{folder / 'seconds.json'} is damaged", "number of seconds")


def test_damage_leaves_the_report_that_stood_there(folder, capsys, monkeypatch):
    assert reproduce(folder) == 0
    before = (folder / "report.md").read_bytes(), (folder / "report.html").read_bytes()
    (folder / "measured/probing/relu-seed0.npz").write_bytes(b"")
    words = ["reproduce", "--preset", "tiny", "--dir", str(folder), "--only"]
    assert main([*words, "family", "probing"]) == 2
    after = (folder / "report.md").read_bytes(), (folder / "report.html").read_bytes()
    assert after == before
    (folder / "measured/probing/relu-seed0.npz").unlink()
    assert main([*words, "family", "probing"]) == 0
    assert "## 1. " in (folder / "report.md").read_text()


def test_an_interrupted_report_leaves_the_figures_of_the_one_before(folder, monkeypatch):
    def stop(results, preset):
        raise KeyboardInterrupt

    words = ["reproduce", "--preset", "tiny", "--dir", str(folder), "--only", "family", "probing"]
    assert main(words) == 0
    before = {path: path.stat().st_mtime_ns for path in (folder / "figures").iterdir()}
    offer_experiment(monkeypatch, dataclasses.replace(PROBING, conclude=stop))
    assert before and main(words) == 130
    assert {path: path.stat().st_mtime_ns for path in (folder / "figures").iterdir()} == before


def test_every_experiment_says_what_it_keeps_of_a_network():
    for one in EXPERIMENTS.values():
        assert one.keeps or not one.trainings(TINY), one.name


def test_axes_of_one_name_are_equally_long():
    sizes = {"ξ": 3}
    Array("ξ N").check("a", np.zeros((3, 7)), sizes)
    Array("N").check("b", np.zeros(7), sizes)
    for array, value in ((Array("N"), np.zeros(6)), (Array("ξ"), np.zeros(7)), (Array("2"), 1)):
        with pytest.raises(ValueError, match=r"^c must be \("):
            array.check("c", np.asarray(value), sizes)
    Array(optional=True).check("d", None, sizes)


def test_what_was_measured_of_other_seeds_is_not_called_seed_0():
    found = Results({"arun": {7: {"start": np.ones(3), "trained": np.ones(3)}}})
    assert "seed 7" in EXPERIMENTS["spectrum"].conclude(found, TINY).note
