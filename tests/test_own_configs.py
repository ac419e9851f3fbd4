"""Where a run finds its data: from any folder, after a move, and for other data."""

import json
import shutil

import pytest
from test_own_training import SMALL, made, rows, targets

from aru_keras import tasks
from aru_keras.runners.finish import check_data
from aru_keras.runners.run_folder import RunFolder
from aru_keras.runners.train import TrainConfig, train


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run on one's own sequences."""
    folder = tmp_path_factory.mktemp("own") / "run"
    return train(made(), "relu", run_dir=folder, **SMALL)["run_dir"]


def test_a_folder_of_images_does_not_matter_to_other_tasks(tmp_path):
    file = tasks.export(made(), tmp_path / "walks.npz")
    assert TrainConfig(str(file), data_dir="nowhere").load_task().hash == made().hash


def test_a_configuration_is_taken_from_a_run_that_moved_or_for_other_data(run, tmp_path):
    moved = shutil.copytree(run, tmp_path / "moved")
    values = json.loads((moved / "config.json").read_text())
    values["task"] = str(tmp_path / "gone" / "data.npz")
    (moved / "config.json").write_text(json.dumps(values))
    config = TrainConfig.from_file(moved / "config.json")
    assert config.task == str(moved / "data.npz")
    assert config.load_task().fingerprint == values["fingerprint"]
    other = tasks.export(made("step class"), tmp_path / "other.npz")
    assert TrainConfig.from_file(moved / "config.json", task=str(other)).fingerprint is None
    assert TrainConfig.from_file(moved / "config.json", epochs=1).fingerprint


def test_a_run_on_a_file_that_is_gone_uses_a_copy_in_its_folder(tmp_path):
    file = tasks.export(made(), tmp_path / "walks.npz")
    folder = tmp_path / "run"
    train(str(file), "relu", run_dir=folder, **{**SMALL, "epochs": 1})
    file.rename(tmp_path / "elsewhere.npz")
    with pytest.raises(tasks.DatasetError, match=r"folder of the run, as walks.npz"):
        RunFolder(folder).load_config().load_task()
    for name in ("walks.npz", "data.npz"):
        copy = shutil.copy(tmp_path / "elsewhere.npz", folder / name)
        assert RunFolder(folder).load_config().task == str(copy)
        assert RunFolder(folder).load_config().load_task().hash == made().hash
        copy.unlink()


def test_a_run_with_the_options_of_another_has_its_own_copy_of_the_data(run, tmp_path):
    first = shutil.copytree(run, tmp_path / "first")
    values = json.loads((first / "config.json").read_text())
    values["task"] = str(first / "data.npz")
    (first / "config.json").write_text(json.dumps(values))
    second = tmp_path / "second"
    train(TrainConfig.from_file(first / "config.json", epochs=1), run_dir=second, verbose=0)
    shutil.rmtree(first)
    assert RunFolder(second).load_config().task == str(second / "data.npz")
    assert RunFolder(second).load_config().load_task().hash == made().hash


def test_a_run_on_a_registered_task_needs_no_registration_later(tmp_path, monkeypatch):
    monkeypatch.setattr(tasks.origins, "_REGISTERED", {})
    tasks.register("own-walks", made)
    folder = tmp_path / "run"
    train("own-walks", "relu", run_dir=folder, **{**SMALL, "epochs": 1})
    tasks.origins._REGISTERED.clear()
    assert RunFolder(folder).load_config().load_task().hash == made().hash
    with pytest.raises(tasks.DatasetError, match=r"run with other data: .* changed"):
        check_data(RunFolder(folder), changed().fingerprint)


def changed():
    """The task of the runs, with another first sequence."""
    x = [rows()[0] + 1, *rows()[1:]]
    return tasks.from_arrays((x, targets("class", rows())), 0.3, 0.3, name="own class")


def test_a_run_knows_whence_its_images_came(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tasks.export("digits", "images.npz")
    task = tasks.load_task("digits", source="images.npz")
    assert task.source == str(tmp_path / "images.npz")
    options = {**SMALL, "epochs": 1, "limit": 32}
    for given in ({"task": task}, {"task": "digits", "source": "images.npz", "data_dir": "data"}):
        results = train(given.pop("task"), "relu", run_dir=f"run-{len(given)}", **given, **options)
        config = json.loads((tmp_path / results["run_dir"] / "config.json").read_text())
        assert config["source"] == task.source
        assert config["data_dir"] == (str(tmp_path / "data") if given else None)
    assert tasks.load_task("digits").source is None
