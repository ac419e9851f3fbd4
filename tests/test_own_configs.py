"""Where a run finds its data: from any folder, after a move, and for other data."""

import json
import shutil

import pytest
from test_own_training import SMALL, made

from aru_keras import tasks
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
