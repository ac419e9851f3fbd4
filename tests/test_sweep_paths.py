"""Sweeps of data in files: the same file from any folder is the same, another file is not."""

import numpy as np
import pytest
from test_sweep import TINY, finish_at_once, quiet

from aru_keras import tasks
from aru_keras.runners import finish as finishing
from aru_keras.runners import grid, own_data
from aru_keras.runners import sweep as module
from aru_keras.runners.config import TrainConfig
from aru_keras.runners.run_folder import RunFolder
from aru_keras.runners.search_space import SearchSpace
from aru_keras.runners.study import Study
from aru_keras.runners.sweep import sweep
from aru_keras.tasks import DatasetError


@pytest.fixture
def digits(tmp_path):
    """The digits as a file in a folder."""
    (tmp_path / "a").mkdir()
    return tasks.export("digits", tmp_path / "a/digits.npz")


def change(path):
    """Turn the images of a file upside down."""
    with np.load(path) as file:
        arrays = dict(file)
    turned = {name: x[:, ::-1] for name, x in arrays.items() if x.ndim > 1}
    assert turned
    np.savez(path, **{**arrays, **turned})


def test_the_same_relative_path_in_another_folder_is_other_data(digits, tmp_path, monkeypatch):
    names = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir(exist_ok=True)
        monkeypatch.chdir(tmp_path / folder)
        given = {"task": ["digits"], "source": ["digits.npz"], "start": ["runs/one"]}
        (config,) = grid.configurations(given)
        assert config.source == str(tmp_path / folder / "digits.npz")
        assert config.start == str(tmp_path / folder / "runs/one")
        names.append(grid.run_name(config, 0))
        names += SearchSpace({**given, "units": [3, 4]}).names([0], 0)
    assert names[0] != names[3] and names[1] != names[4] and names[2] == names[5]
    (config,) = grid.configurations({"task": ["digits"], "start": ["pretrained:arun-digits"]})
    assert config.start == "pretrained:arun-digits"


def test_no_table_mixes_runs_on_old_and_new_images(digits, tmp_path):
    options = {**TINY, "limit": 32, "folder": tmp_path / "sweep", "say": quiet}
    before = sweep("digits", source=str(digits), **options)
    change(digits)
    with pytest.raises(DatasetError, match=rf"{digits} has changed: the \d+ sequences of train"):
        sweep("digits", source=str(digits), **options)
    assert (tmp_path / "sweep/sweep.md").read_text() == before


def test_a_run_that_an_earlier_version_named_is_used(digits, tmp_path, monkeypatch):
    calls = []
    monkeypatch.chdir(digits.parent)
    config = TrainConfig("digits", source="digits.npz", units=3)
    run = RunFolder(tmp_path / "sweep/runs" / grid.run_name(config, 0))
    run.path.mkdir(parents=True)
    run.create(own_data.in_any_folder(config), None)
    finish_at_once(lambda config: 0.5, [])(run, config)
    monkeypatch.setattr(module, "finish", finish_at_once(lambda config: 0.5, calls))
    options = {"units": 3, "folder": tmp_path / "sweep", "say": quiet}
    assert "0.5" in sweep("digits", source="digits.npz", **options) and not calls
    monkeypatch.chdir(tmp_path)
    sweep("digits", source=str(digits), **options)
    assert calls == [(3, 0)]


def test_images_of_a_file_have_a_fingerprint_and_those_of_the_paper_have_none(digits):
    assert finishing.fingerprint_of("digits") is None
    fingerprint = finishing.fingerprint_of("digits", str(digits))
    config = TrainConfig("digits", source=str(digits), downsample=2, fingerprint=fingerprint)
    assert config.load_task().downsample == 2


def test_a_search_that_an_earlier_version_named_goes_on(tmp_path):
    pytest.importorskip("optuna", reason="the extra search is not installed")
    Study(tmp_path, "old", 0)
    assert Study(tmp_path, "new", 0, ["old"]).name == "old"
    assert Study(tmp_path, "new", 0).name == Study(tmp_path, "new", 0, ["old"]).name == "new"
