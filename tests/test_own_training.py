"""Training on one's own sequences, from arrays, a file or a function; resumed and compared."""

import json
import sys

import keras
import numpy as np
import pytest

from aru_keras import models, tasks
from aru_keras.runners import train as train_module
from aru_keras.runners.cli import main
from aru_keras.runners.run_folder import RunFolder
from aru_keras.runners.train import TrainConfig, resume, train

SMALL = {"units": 4, "controller_units": 2, "epochs": 2, "batch_size": 16, "verbose": 0}
STEPS = 6


def rows(count=30, seed=0):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, STEPS + 1, count)
    lengths[0] = STEPS
    return [rng.normal(size=(n, 2)).astype("float32") for n in lengths]


def targets(kind, x):
    """Classes by the sign of the mean of channel 0, or the values of the running mean."""
    means = [np.cumsum(one[:, 0]) / np.arange(1, len(one) + 1) for one in x]
    if kind == "class":
        return np.array([int(mean[-1] > 0) for mean in means])
    if kind == "step class":
        return [(mean > 0).astype(int) for mean in means]
    if kind == "value":
        return np.array([mean[-1] for mean in means])
    return [mean[:, None] for mean in means]


def made(kind="class"):
    x = rows()
    return tasks.from_arrays((x, targets(kind, x)), 0.3, 0.3, name=f"own {kind}")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A finished run on each kind of target."""
    folder = tmp_path_factory.mktemp("own")
    kinds = {"class": "relu", "step class": "gamma", "value": "relu", "step value": "gru"}
    options = {**SMALL, "match_parameters": False}
    return {
        kind: train(made(kind), model, run_dir=folder / kind.replace(" ", "-"), **options)
        for kind, model in kinds.items()
    }


@pytest.mark.parametrize("kind", ["class", "step class", "value", "step value"])
def test_the_results_are_those_of_the_kept_model_by_hand(runs, kind):
    results, task = runs[kind], made(kind)
    model = keras.models.load_model(f"{results['run_dir']}/model.keras")
    x, y = task.arrays("test")
    found = keras.ops.convert_to_numpy(model(x))
    if task.spec.every_step:
        found, y = found[task.mask("test")], y[task.mask("test")]
    if task.spec.target == "class":
        assert results["test_accuracy"] == pytest.approx((found.argmax(axis=-1) == y).mean())
    else:
        rest = ((found - y) ** 2).sum(axis=0) / ((y - y.mean(axis=0)) ** 2).sum(axis=0)
        assert results["test_r2"] == pytest.approx(1 - rest.mean(), rel=1e-4)
        assert results["test_loss"] == pytest.approx(((found - y) ** 2).mean(), rel=1e-4)


def test_what_padding_holds_changes_nothing(runs):
    results, task = runs["step class"], made("step class")
    model = keras.models.load_model(f"{results['run_dir']}/model.keras")
    x = task.arrays("test")[0]
    longer = np.pad(x, [(0, 0), (0, 3), (0, 0)], constant_values=task.padding)
    cut = models.network_for(task, "gamma", units=4)
    cut.set_weights(model.get_weights())
    wide = models.build_network(
        "gamma", longer.shape[1:], classes=2, units=4, every_step=True, padding=task.padding
    )
    wide.set_weights(model.get_weights())
    seen = keras.ops.convert_to_numpy(wide(longer))[:, : x.shape[1]]
    mask = task.mask("test")
    np.testing.assert_allclose(seen[mask], keras.ops.convert_to_numpy(cut(x))[mask], rtol=1e-5)


def test_the_best_epoch_of_a_regression_has_the_lowest_loss(runs):
    state = json.loads((RunFolder(runs["value"]["run_dir"]).state).read_text())
    losses = [row["val_loss"] for row in state["history"]]
    assert runs["value"]["best_epoch"] == 1 + int(np.argmin(losses))
    assert runs["value"]["validation_r2"] == state["history"][int(np.argmin(losses))]["val_r2"]


def test_compare_has_a_table_for_each_score(runs, capsys):
    assert main(["compare", *(results["run_dir"] for results in runs.values())]) == 0
    table = capsys.readouterr().out
    assert table.count("| test accuracy |") == 1 and table.count("| test R² |") == 1
    assert [line[:9] for line in table.splitlines() if line.startswith("| step-")] == [
        "| step-cl",
        "| step-va",
    ]


def test_a_task_in_memory_is_kept_in_the_run_and_found_when_it_moves(runs, tmp_path):
    folder = RunFolder(runs["class"]["run_dir"])
    config = folder.load_config()
    assert config.task == str(folder.path / "data.npz")
    assert config.load_task().hash == made().hash
    moved = folder.path.rename(tmp_path / "moved")
    try:
        assert RunFolder(moved).load_config().load_task().hash == made().hash
    finally:
        moved.rename(folder.path)


@pytest.fixture
def file(tmp_path):
    return tasks.export(made(), tmp_path / "walks.npz")


def test_a_file_trains_and_the_run_names_it_and_knows_its_data(file, tmp_path, capsys):
    options = ["--units", "3", "--epochs", "1"]
    run = tmp_path / "run"
    options += ["--model", "relu"]
    assert main(["train", str(file), "--run-dir", str(run), *options]) == 0
    assert "Test accuracy" in capsys.readouterr().out
    config = json.loads((run / "config.json").read_text())
    assert (config["task"], config["fingerprint"]) == (str(file), made().fingerprint)
    (run / "results.json").unlink()
    assert main(["train", "--resume", str(run)]) == 0
    x = rows(seed=1)
    tasks.export(tasks.from_arrays((x, targets("class", x)), 0.3, 0.3), file)
    (run / "results.json").unlink()
    assert main(["train", "--resume", str(run)]) == 2
    assert "has changed: the 12 sequences of train changed" in capsys.readouterr().err


MODULE = """
import sys
sys.path.insert(0, {tests!r})
from test_own_training import made

def walks():
    return made()

def nothing():
    return 3
"""


@pytest.mark.parametrize("form", ["module", "file"])
def test_a_function_of_a_module_trains(form, tmp_path, monkeypatch):
    (tmp_path / "own_walks.py").write_text(MODULE.format(tests=str(sys.path[0])))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    name = "own_walks:walks" if form == "module" else "own_walks.py:walks"
    config = TrainConfig(name)
    assert config.load_task().hash == made().hash
    assert config.task == (name if form == "module" else str(tmp_path / name))
    with pytest.raises(ValueError, match="returns a task"):
        TrainConfig(f"{name[:-5]}nothing").load_task()
    with pytest.raises(ValueError, match="has no function 'runs'"):
        TrainConfig(f"{name[:-5]}runs").load_task()


def test_a_registered_name_is_a_task(monkeypatch):
    monkeypatch.setattr(tasks.origins, "_REGISTERED", {})
    tasks.register("own-walks", made)
    task = tasks.load_task("own-walks")
    assert task.origin == "own-walks" and task.hash == made().hash
    assert tasks.load_task(**json.loads(json.dumps(task.config()))).hash == task.hash
    with pytest.raises(ValueError, match="Did you mean 'own-walks'"):
        tasks.load_task("own-walk")
    for wrong in ("digits", "a:b", "a.npz", 3):
        with pytest.raises(ValueError, match="`name` must be letters"):
            tasks.register(wrong, made)
    with pytest.raises(ValueError, match="`function` must be a function"):
        tasks.register("walks", made())


@pytest.mark.parametrize("kind", ["class", "step class", "value", "step value"])
def test_a_file_gives_the_same_task_again(kind, tmp_path):
    x = rows()
    weights = np.linspace(0.5, 1, len(x))
    properties = {"channels": ["a", "b"], "interval": 2.5, "unit": "ms", "description": "walks"}
    task = tasks.from_arrays((x, targets(kind, x), weights), 0.3, 0.3, **properties)
    again = tasks.load_task(tasks.export(task, tmp_path / "walks"))
    assert again.fingerprint == task.fingerprint and again.spec == task.spec


def test_plain_arrays_in_a_file_are_a_task(tmp_path):
    x = np.random.default_rng(0).normal(size=(20, 5, 2))
    np.savez(tmp_path / "plain.npz", x=x, y=np.arange(20) % 2, classes=["no", "yes"], test=0.25)
    task = tasks.load_task(tmp_path / "plain.npz")
    assert (task.name, task.spec.class_names) == ("plain", ("no", "yes"))
    assert task.sizes == {"train": 12, "validation": 3, "test": 5}


NINE = np.ones((9, 2))
WRONG = {
    "absent": (None, "does not exist"),
    "cut": (b"PK", "is damaged, truncated"),
    "strange names": (
        {"x": np.ones((9, 2)), "labels": np.ones(9)},
        "'labels', which has no meaning",
    ),
    "no training": ({"test_x": np.ones((9, 2)), "test_y": np.arange(9) % 2}, "no training split"),
    "no task": (
        {"x": np.ones((9, 2)), "y": np.zeros(9, int)},
        "makes no task: `y` must have at least two classes",
    ),
    "images": (
        {"all_images": np.ones(3), "name": np.array("digits")},
        "holds the images of digits",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_file_that_is_no_task_is_named(case, tmp_path, capsys):
    path, (content, message) = tmp_path / "own.npz", WRONG[case]
    if isinstance(content, dict):
        np.savez(path, **content)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(tasks.DatasetError, match=message):
        tasks.load_task(path)
    assert main(["train", str(path), "--run-dir", str(tmp_path / "run")]) == 2
    assert not (tmp_path / "run").exists()


def test_a_task_file_may_define_dataclasses(tmp_path):
    path = tmp_path / "json.py"  # Also the name of a module that is loaded already.
    path.write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "import numpy as np\n"
        "from aru_keras import tasks\n"
        "@dataclass\n"
        "class Cell:\n"
        "    count: int = 9\n"
        "def cells():\n"
        "    x = np.ones((Cell().count, 5, 1), 'float32')\n"
        "    return tasks.from_arrays((x, np.arange(9) % 3), (x, np.arange(9) % 3),\n"
        "                             (x, np.arange(9) % 3))\n"
    )
    assert tasks.load_task(f"{path}:cells").classes == 3
    assert sys.modules["json"] is json


def test_weights_of_classes_are_those_of_the_training_batches(monkeypatch, tmp_path):
    streams = {}

    def fit(model, data, config, **options):
        streams["train"] = train_module._stream(
            data, config, "train", class_weights=config.weights_of_classes
        )
        streams["validation"] = options["validation_data"]
        raise KeyboardInterrupt

    monkeypatch.setattr(train_module, "_fit", fit)
    with pytest.raises(KeyboardInterrupt):
        train(made(), "relu", run_dir=tmp_path / "run", class_weights="2,0.5", **SMALL)
    _, y, weights = next(iter(streams["train"]))
    np.testing.assert_array_equal(weights, np.array([2, 0.5])[np.asarray(y)])
    assert len(next(iter(streams["validation"]))) == 2
    assert json.loads((tmp_path / "run/config.json").read_text())["class_weights"] == "2,0.5"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"class_weights": "1,x"}, "`class_weights` must be balanced, or numbers"),
        ({"class_weights": "1,2,3"}, "or 2 numbers"),
        ({"learner": "agent"}, "`learner` must be fit, unless the sequences"),
        ({"downsample": 2}, "`downsample` is that of the task"),
    ],
)
def test_options_that_do_not_fit_the_task_are_refused(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        train(made(), run_dir=tmp_path / "run", **SMALL, **options)
    assert not list(tmp_path.iterdir())


def test_options_of_images_are_refused_for_a_file(file):
    for option in ({"downsample": 2}, {"source": "a.npz"}):
        with pytest.raises(ValueError, match="is for the tasks of images"):
            tasks.load_task(file, **option)


def test_the_configuration_of_a_task_of_the_paper_is_what_it_was():
    assert not {"class_weights", "fingerprint"} & set(TrainConfig("digits").to_dict())
    config = TrainConfig("digits", class_weights="balanced")
    assert config.to_dict()["class_weights"] == "balanced"


def test_a_resumed_run_ends_as_an_unbroken_one(runs, tmp_path):
    results = resume(runs["class"]["run_dir"], verbose=0)
    assert results["test_loss"] == runs["class"]["test_loss"]
