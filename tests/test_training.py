"""Training: what a run leaves, and that a broken one ends like an unbroken one."""

import csv
import functools
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from aru_keras import models, tasks
from aru_keras.runners import callbacks, run_folder
from aru_keras.runners.run_folder import RunError, RunFolder
from aru_keras.runners.train import DivergedError, TrainConfig, resume, train

SMALL = {
    "units": 5,
    "controller_units": 3,
    "epochs": 3,
    "batch_size": 16,
    "limit": 40,
    "schedule": "plateau",
}


def history(folder):
    """The rows of history.csv without the seconds, which no two runs share."""
    with open(folder / "history.csv", newline="") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def weights(folder):
    model = keras.models.load_model(folder / "model.keras")
    return [keras.ops.convert_to_numpy(weight) for weight in model.weights]


def assert_same_run(one, other):
    assert history(one) == history(other)
    for a, b in zip(weights(one), weights(other), strict=True):
        np.testing.assert_array_equal(a, b)
    results = [json.loads((run / "results.json").read_text()) for run in (one, other)]
    for name in ("test_accuracy", "test_loss", "best_epoch", "epochs", "permutation"):
        assert results[0][name] == results[1][name]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "unbroken"
    return folder, train("digits", run_dir=folder, verbose=0, **SMALL)


def test_a_run_leaves_all_its_files(unbroken):
    folder, results = unbroken
    present = {path.name for path in folder.iterdir()}
    assert {"config.json", "history.csv", "model.keras", "results.json"} <= present
    assert {"permutation.npy", "reading.png", "checkpoint"} <= present
    assert json.loads((folder / "results.json").read_text()) == results
    assert [row["epoch"] for row in history(folder)] == ["1", "2", "3"]
    assert sorted(np.load(folder / "permutation.npy")) == list(range(64))
    assert (folder / "reading.png").read_bytes().startswith(b"\x89PNG")
    assert not list(folder.rglob(".writing-*"))


def test_the_kept_model_is_the_last_with_the_highest_validation_accuracy(unbroken):
    folder, results = unbroken
    accuracies = [float(row["val_accuracy"]) for row in history(folder)]
    best = max(range(3), key=lambda k: (accuracies[k], k))
    assert results["best_epoch"] == best + 1
    model = keras.models.load_model(folder / "model.keras")
    assert results["parameters"] == models.trainable_parameters(model)
    x, y = (values[:40] for values in tasks.load_task("digits").arrays("validation"))
    accuracy = (keras.ops.convert_to_numpy(model(x)).argmax(axis=1) == y).mean()
    assert accuracy == pytest.approx(accuracies[best], abs=1e-6)


def test_best_epoch_is_the_last_of_equals():
    rows = [{"val_accuracy": value} for value in (0.1, 0.5, 0.3, 0.5, 0.2)]
    assert [callbacks.best_epoch(rows[:k]) for k in range(6)] == [0, 1, 2, 2, 4, 4]


def test_the_same_configuration_gives_the_same_run(unbroken, tmp_path):
    folder, _ = unbroken
    train(TrainConfig.from_file(folder / "config.json"), run_dir=tmp_path / "again", verbose=0)
    assert_same_run(tmp_path / "again", folder)


def test_another_seed_gives_another_run_of_the_same_task(unbroken, tmp_path):
    folder, results = unbroken
    other = train("digits", run_dir=tmp_path, verbose=0, **{**SMALL, "epochs": 1}, seed=1)
    assert history(tmp_path)[0] != history(folder)[0]
    assert other["permutation"] == results["permutation"]


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory):
    """A function that trains a run, once for the same options, and returns its folder."""

    @functools.cache
    def trained(**options):
        folder = tmp_path_factory.mktemp("whole")
        train("digits", run_dir=folder, verbose=0, **{**SMALL, **options})
        return folder

    return trained


class Break(Exception):
    """Stands for a power cut."""


MOMENTS = ("batch", "before the commit", "after the commit")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("learner", "schedule", "moment"),
    [
        *itertools.product(["fit"], ["plateau"], MOMENTS),
        ("fit", "cosine", "batch"),
        ("agent", "cosine", "before the commit"),
        ("reward", "plateau", "batch"),
    ],
)
def test_a_run_broken_at_any_moment_ends_like_an_unbroken_one(
    learner, schedule, moment, whole_run, tmp_path, monkeypatch
):
    options = {"learner": learner, "schedule": schedule, "patience": 1, "early_stop": 3}
    whole, broken = whole_run(**options), tmp_path / "broken"
    options = {**SMALL, **options}
    with monkeypatch.context() as patch:
        _break_in_second_epoch(patch, moment)
        with pytest.raises(Break):
            train("digits", run_dir=broken, verbose=0, **options)
    assert not (broken / "results.json").exists()
    resume(broken, verbose=0)
    assert_same_run(broken, whole)


def _break_in_second_epoch(patch, moment):
    if moment == "batch":

        def at_batch(self, batch, logs=None):
            if self.epoch == 1 and batch == 1:
                raise Break

        patch.setattr(callbacks.StopOnNaN, "on_train_batch_end", at_batch)
        return
    write = run_folder.write_json

    def at_commit(path, value):
        second = path.name == "state.json" and len(value["history"]) == 2
        if second and moment == "before the commit":
            raise Break
        write(path, value)
        if second:
            raise Break

    patch.setattr(run_folder, "write_json", at_commit)


@pytest.mark.slow
def test_a_killed_process_leaves_a_run_that_resumes(unbroken, tmp_path):
    folder = tmp_path / "killed"
    command = [sys.executable, "-m", "aru_keras.runners.cli", "train", "digits"]
    for name, value in SMALL.items():
        command += ["--" + name.replace("_", "-"), str(value)]
    with subprocess.Popen(
        [*command, "--run-dir", folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None and not (folder / "checkpoint/state.json").exists():
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    resume(folder, verbose=0)
    assert_same_run(folder, unbroken[0])


def test_resuming_a_finished_run_changes_nothing(unbroken):
    folder, results = unbroken
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert resume(folder) == results
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_run_is_never_overwritten(unbroken):
    folder, _ = unbroken
    with pytest.raises(RunError, match=r"holds a run already.*--resume"):
        train("digits", run_dir=folder, verbose=0, **SMALL)


def test_resuming_nothing_is_refused(tmp_path):
    with pytest.raises(RunError, match="holds no run"):
        resume(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("name", ["state.json", "epoch-0003.keras"])
def test_a_damaged_checkpoint_is_named(name, unbroken, tmp_path):
    folder = tmp_path / "damaged"
    shutil.copytree(unbroken[0], folder)
    (folder / "results.json").unlink()
    file = folder / "checkpoint" / name
    file.write_bytes(file.read_bytes()[:20])
    with pytest.raises(RunError, match=r"checkpoint in .*damaged.*--config"):
        resume(folder, verbose=0)


@pytest.mark.parametrize("learner", ["fit", "agent"])
def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_state(
    learner, tmp_path, monkeypatch
):
    monkeypatch.setattr(callbacks, "plateau_rate", lambda config, losses: 1e38)
    with pytest.raises(DivergedError, match=r"epoch 2.*after epoch 1 is kept.*--learning-rate"):
        train("digits", "relu", learner=learner, run_dir=tmp_path, verbose=0, **SMALL)
    model, rows = RunFolder(tmp_path).load_state()
    assert [row["epoch"] for row in rows] == [1]
    assert all(np.isfinite(keras.ops.convert_to_numpy(w)).all() for w in model.weights)
    assert not (tmp_path / "results.json").exists()


@pytest.mark.parametrize("model", ["gamma", "relu", "gru"])
def test_every_kind_of_network_trains(model, tmp_path):
    options = {**SMALL, "epochs": 1, "match_parameters": False}
    results = train("digits", model, run_dir=tmp_path, verbose=0, **options)
    assert 0 <= results["test_accuracy"] <= 1
    assert (tmp_path / "reading.png").exists() == (model != "gru")


def test_early_stop_ends_the_run(tmp_path):
    options = {**SMALL, "epochs": 30, "learning_rate": 1e-12, "early_stop": 1}
    results = train("digits", "relu", run_dir=tmp_path, verbose=0, **options)
    losses = [float(row["val_loss"]) for row in history(tmp_path)]
    assert results["epochs"] == len(losses) == 2 + int(np.argmin(losses)) < 30


def test_one_bar_over_all_epochs_ends_where_the_run_ends(tmp_path, capsys):
    options = {**SMALL, "epochs": 30, "learning_rate": 1e-12, "early_stop": 1}
    epochs = train("digits", "relu", run_dir=tmp_path, verbose="epochs", **options)["epochs"]
    shown = capsys.readouterr().out
    assert f"{epochs}/30" in shown and f"{epochs + 1}/30" not in shown
    assert shown.rstrip(" ").endswith("\n")
    assert "accuracy:" not in shown  # Keras' own bars.


def test_plateau_rate_falls_after_patience_epochs_without_a_better_loss():
    config = TrainConfig("digits", learning_rate=1.0, schedule="plateau", patience=2, decay=0.5)
    losses = [3.0, 2.0, 2.0, 2.5, 2.1, 1.0, 1.1, 1.2]
    rates = [callbacks.plateau_rate(config, losses[:k]) for k in range(len(losses) + 1)]
    assert rates == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25]


def test_events_hold_histograms_of_n_and_s(unbroken):
    tensorflow = pytest.importorskip("tensorflow")
    folder, _ = unbroken
    seen = {}
    for file in (folder / "events").iterdir():
        for event in tensorflow.compat.v1.train.summary_iterator(str(file)):
            for value in event.summary.value:
                seen.setdefault(value.tag, []).append(event.step)
    assert seen["n"] == seen["s"] == seen["val_loss"] == [1, 2, 3]
