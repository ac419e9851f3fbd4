"""What version 0.1 saved: `saved/0.1` was written by it, and never again."""

import csv
import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from support import tensorflow_only

import aru_keras  # noqa: F401  (registers the layers)
from aru_keras.runners.run_folder import RunFolder
from aru_keras.runners.train import resume

SAVED = Path(__file__).parent / "saved" / "0.1"


def test_a_model_of_all_layers_gives_the_same_outputs():
    arrays = np.load(SAVED / "layers.npz")
    model = keras.models.load_model(SAVED / "layers.keras")
    y = keras.ops.convert_to_numpy(model([arrays["x"], arrays["drive"]]))
    np.testing.assert_allclose(y, arrays["y"], rtol=1e-5, atol=1e-5)


@pytest.fixture
def saved_run(tmp_path):
    """A copy of a saved run, by its name."""

    def copy(name):
        return Path(shutil.copytree(SAVED / name, tmp_path / name))

    return copy


def test_a_finished_run_keeps_its_results(saved_run):
    run = saved_run("finished")
    results = json.loads((run / "results.json").read_text())
    assert resume(run, verbose=0) == {**results, "run_dir": str(run)}


@tensorflow_only
def test_the_best_model_of_a_finished_run_has_the_accuracy_that_was_written(saved_run):
    folder = RunFolder(saved_run("finished"))
    config = folder.load_config()
    x, y = config.load_task().examples("test", range(config.limit))
    logits = folder.load_model().predict(x, verbose=0)
    results = folder.load_results()
    assert np.mean(logits.argmax(-1) == y) == pytest.approx(results["test_accuracy"], abs=1e-6)


@tensorflow_only
def test_an_interrupted_run_goes_on_as_the_unbroken_one_went(saved_run):
    run = saved_run("interrupted")
    assert resume(run, verbose=0)["epochs"] == 4
    resumed, whole = (_rows(path) for path in (run / "history.csv", SAVED / "whole-history.csv"))
    assert len(resumed) == len(whole) == 4
    for ours, theirs in zip(resumed, whole, strict=True):
        for name in ("loss", "val_loss", "learning_rate"):
            assert float(ours[name]) == pytest.approx(float(theirs[name]), rel=1e-4), name


def _rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))
