"""The folder of a run: one process has it, and what is in it belongs together."""

import errno
import json
import re
import shutil
import threading

import numpy as np
import pytest
from support import another_process

from aru_keras import tasks
from aru_keras._util.files import remove_leftovers, replacing
from aru_keras.envs.probe import Probe
from aru_keras.envs.sequence import SequenceEnv
from aru_keras.runners import callbacks, cli, run_folder
from aru_keras.runners.probe import probe
from aru_keras.runners.run_folder import RunError, RunFolder
from aru_keras.runners.train import DivergedError, TrainConfig, resume, train

SMALL = {"downsample": 2, "units": 5, "epochs": 2, "batch_size": 16, "limit": 32}

EPOCH = {"epoch": 1, "val_loss": 1.0, "val_accuracy": 0.5, "seconds": 1.0}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "finished"
    train("digits", "relu", run_dir=folder, verbose=0, **SMALL)
    return folder


@pytest.fixture
def copy(finished, tmp_path):  # To be damaged.
    return shutil.copytree(finished, tmp_path / "copy")


@pytest.fixture
def unfinished(copy):
    (copy / "results.json").unlink()
    return copy


def _another_in(folder):
    imports = "from aru_keras.runners.run_folder import RunFolder"
    return another_process(imports, f"RunFolder({str(folder)!r}).held()")


def untouched(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_one_process_has_a_run_until_it_ends(unfinished):
    before = untouched(unfinished)
    with _another_in(unfinished):
        with pytest.raises(RunError, match="Another process trains the run"):
            resume(unfinished, verbose=0)
        assert untouched(unfinished) == before
    assert resume(unfinished, verbose=0)["epochs"] == 2


def test_a_new_run_is_not_begun_where_another_process_begins_one(tmp_path):
    with _another_in(tmp_path):
        with pytest.raises(RunError, match=r"Another process.*--run-dir"):
            train("digits", "relu", run_dir=tmp_path, verbose=0, **SMALL)
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_folder_that_cannot_be_written_is_not_trained_in(unfinished, monkeypatch):
    def read_only(path):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(run_folder, "locked", read_only)
    with pytest.raises(RunError, match="must be a folder that can be written"):
        resume(unfinished, verbose=0)


def test_default_folders_made_at_once_are_different(tmp_path):
    made = []
    makers = [
        threading.Thread(target=lambda: made.append(RunFolder.new(tmp_path / "runs", "run").path))
        for _ in range(8)
    ]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert sorted(path.name for path in made) == ["run", *(f"run-{k}" for k in range(2, 9))]


def test_what_a_killed_process_was_writing_goes_and_nothing_else(tmp_path):
    target = tmp_path / "digits.npz"
    writing = f"replacing({str(target)!r}) as temporary, temporary.open('w')"
    users = [tmp_path / ".writing-notes.txt", tmp_path / ".writing-0123abcd-notes.txt"]
    for file in users:
        file.write_text("mine")
    imports = "from aru_keras._util.files import replacing"
    with another_process(imports, writing):
        remove_leftovers(tmp_path)
        assert len(list(tmp_path.iterdir())) == 3
    with replacing(target) as temporary:
        temporary.write_text("whole")
        remove_leftovers(tmp_path)
    assert target.read_text() == "whole"
    assert sorted(tmp_path.iterdir()) == sorted([target, *users])


def test_a_run_writes_its_own_order_where_one_died_in_its_first_epoch(tmp_path):
    orders = [tasks.load_task("digits", permutation_seed=seed).permutation for seed in (0, 1)]
    for seed, order in enumerate(orders):
        RunFolder(tmp_path).create(TrainConfig("digits", permutation_seed=seed), order)
        np.testing.assert_array_equal(np.load(tmp_path / "permutation.npy"), order)
        RunFolder(tmp_path).check_order()
    RunFolder(tmp_path).create(TrainConfig("smnist"), None)
    assert not (tmp_path / "permutation.npy").exists()


def _edit_seed(folder):
    values = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(values | {"permutation_seed": 5}))


def _cut_short(folder):
    file = folder / "permutation.npy"
    file.write_bytes(file.read_bytes()[:90])


def _reverse(folder):
    np.save(folder / "permutation.npy", np.load(folder / "permutation.npy")[::-1])


def _remove_order(folder):
    (folder / "permutation.npy").unlink()


def _change_hash(folder):
    values = json.loads((folder / "results.json").read_text())
    (folder / "results.json").write_text(json.dumps(values | {"permutation": "01234567"}))


@pytest.mark.parametrize("damage", [_edit_seed, _cut_short, _reverse, _remove_order, _change_hash])
def test_an_order_of_pixels_that_is_not_the_runs_is_refused(damage, copy):
    damage(copy)
    for use in (lambda: resume(copy, verbose=0), lambda: probe(copy)):
        with pytest.raises(RunError, match=r"permutation.*[Rr]estore"):
            use()
    env = SequenceEnv(tasks.load_task("digits", downsample=2))
    with pytest.raises(ValueError, match=r"permutation.*[Rr]estore"):
        Probe(env, copy)


def test_a_run_that_blows_up_in_its_last_batch_has_diverged(tmp_path, capsys):
    options = "--downsample 2 --units 5 --controller-units 2 --batch-size 32 --limit 32 --epochs 1"
    options += " --learning-rate 1e30 --weight-decay 0 --clip-norm 0"
    arguments = ["train", "digits", *options.split(), "--run-dir", str(tmp_path)]
    assert cli.main(arguments) == 1
    shown = capsys.readouterr().err
    assert re.search("validation loss became (nan|inf) after the last batch of epoch 1", shown)
    left = {path.name for path in tmp_path.rglob("*")}
    assert not left & {"results.json", "state.json", "model.keras", "history.csv"}


def test_an_epoch_whose_validation_is_not_finite_is_not_kept(tmp_path):
    keeper = callbacks.StopOnNaN(RunFolder(tmp_path))
    keeper.on_epoch_begin(2)
    keeper.on_epoch_end(2, {"loss": 1.0, "val_loss": 2.0})
    with pytest.raises(DivergedError, match=r"inf after .* epoch 3.*after epoch 2 is kept"):
        keeper.on_epoch_end(2, {"loss": 1.0, "val_loss": float("inf")})


def test_nothing_is_decided_on_nan():
    losses = callbacks.validation_losses([{"val_loss": v} for v in (2.0, float("nan"), 1.0)])
    config = TrainConfig("digits", early_stop=1, schedule="plateau", patience=1)
    assert not callbacks.stops_early(config, losses)
    assert callbacks.stops_early(config, losses[:2])
    rate = config.learning_rate * config.decay
    assert callbacks.plateau_rate(config, losses) == pytest.approx(rate)


@pytest.mark.parametrize("gone", ["checkpoint/state.json", "checkpoint"])
def test_a_run_without_its_state_is_neither_resumed_nor_begun_anew(gone, unfinished):
    path = unfinished / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    before = untouched(unfinished)
    with pytest.raises(RunError, match=r"state.json.* is missing.*--config"):
        resume(unfinished, verbose=0)
    with pytest.raises(RunError, match="holds a run already"):
        train("digits", "relu", run_dir=unfinished, verbose=0, **SMALL)
    assert untouched(unfinished) == before


def test_a_run_killed_before_it_kept_its_best_model_keeps_it_when_it_resumes(unfinished):
    RunFolder(unfinished).model.write_bytes(b"cut short")
    state = json.loads((unfinished / "checkpoint/state.json").read_text())
    state["history"][-1]["val_accuracy"] = 1.0
    (unfinished / "checkpoint/state.json").write_text(json.dumps(state))
    assert resume(unfinished, verbose=0)["best_epoch"] == 2


@pytest.mark.parametrize(
    "change",
    [
        {"checkpoint": "../../finished/checkpoint/epoch-0002.keras"},
        {"checkpoint": "epoch-0001.keras"},
        {"checkpoint": None},
        {"history": []},
        {"history": None},
        {"history": [{}, {}]},
        {"history": [{"epoch": 1}, {"epoch": 2}]},
        {"history": [EPOCH, EPOCH | {"epoch": 2, "val_accuracy": 10**400}]},
        {"history": [EPOCH, EPOCH | {"epoch": 2, "val_loss": "low"}]},
        {"history": [EPOCH, EPOCH | {"epoch": 2, "of another run": 1}]},
    ],
    ids=lambda change: str(change)[:100],
)
def test_a_state_that_is_not_the_runs_is_refused(change, unfinished):
    file = unfinished / "checkpoint/state.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(RunError, match=r"checkpoint in .* is damaged"):
        resume(unfinished, verbose=0)


def test_a_checkpoint_that_is_linked_from_elsewhere_is_refused(unfinished, finished):
    checkpoint = unfinished / "checkpoint/epoch-0002.keras"
    checkpoint.unlink()
    checkpoint.symlink_to(finished / "checkpoint/epoch-0002.keras")
    with pytest.raises(RunError, match="lies outside"):
        resume(unfinished, verbose=0)
