"""The pretrained networks: what their cards say is true, and they stand wherever a run does."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from support import BACKEND, array

from aru_keras import envs, models, probing, tasks
from aru_keras.models import pretrained
from aru_keras.models.pretrained import PRETRAINED, load_pretrained, run_path
from aru_keras.perturbations import StepDrive
from aru_keras.runners import cli
from aru_keras.runners.config import TrainConfig
from aru_keras.runners.experiments.perturbed import measured
from aru_keras.runners.experiments.workspace import TrainedRun
from aru_keras.runners.run_folder import RunFolder

NAME = "arun-digits"
RUN = f"pretrained:{NAME}"
ROOT = Path(__file__).parents[1]
ON_DIGITS = ("arun", "gamma", "relu", "lstm", "gru")


def task_of(entry):
    """The task of a network; a test is skipped where its data is not on this machine."""
    try:
        return tasks.load_task(entry.task, downsample=entry.downsample, download=False)
    except tasks.DatasetError as error:
        pytest.skip(f"the data of {entry.task} is not here: {error}")


@pytest.mark.parametrize("name", PRETRAINED)
def test_a_network_is_as_accurate_as_its_card_says(name):
    entry = PRETRAINED[name]
    task, model = task_of(entry), load_pretrained(name)
    x, labels = task.arrays("test")
    _, accuracy = model.evaluate(x, labels, batch_size=500, verbose=0)
    assert len(x) == entry.test_images
    # On another backend a few images may fall on the other side of a boundary.
    assert accuracy == pytest.approx(entry.test_accuracy, abs=2.5 / len(x))
    low, high = entry.interval
    assert low < accuracy < high and f"{entry.test_accuracy:.2%}" in models.model_card(name)
    assert models.trainable_parameters(model) == entry.parameters


def test_the_five_networks_are_there_on_the_digits():
    assert {f"{network}-digits" for network in ON_DIGITS} <= set(PRETRAINED)


@pytest.mark.parametrize("name", PRETRAINED)
def test_the_command_of_a_network_is_its_configuration(name):
    entry, config = PRETRAINED[name], RunFolder(f"pretrained:{name}").load_config()
    program, command, *options = entry.command.split()
    assert (program, command) == ("aru-keras", "train")
    parser = cli._Parser()
    train = cli._command("train")
    train.add_options(parser)
    assert train.check(parser.parse_args(options), parser) == config
    assert (entry.task, entry.network, entry.seed) == (config.task, config.model, config.seed)


def test_all_networks_take_little_room():
    size = sum(file.stat().st_size for file in pretrained.RUNS.rglob("*") if file.is_file())
    assert size < 4 * 2**20


def test_every_file_of_a_network_is_in_the_list_with_its_hash():
    for name, entry in PRETRAINED.items():
        files = {file.name: file.read_bytes() for file in (pretrained.RUNS / name).iterdir()}
        hashes = {file: hashlib.sha256(content).hexdigest() for file, content in files.items()}
        assert hashes == dict(entry.files)


@pytest.mark.parametrize("name", PRETRAINED)
def test_the_card_says_where_accuracy_goes_under_perturbations(name):
    card = json.loads((pretrained.RUNS / name / "card.json").read_text("utf-8"))
    text = models.model_card(name)
    assert set(card["robustness"]) == (
        {"contrast"} if PRETRAINED[name].network in models.GATED else {"contrast", "step"}
    )
    for curve in card["robustness"].values():
        assert curve["amplitudes"][0] == 0
        assert all(f"{value:.1%}" in text for value in curve["accuracy"])
    for fact in ("licence of the data", "not good for", "one seed", PRETRAINED[name].command):
        assert fact in text


def test_a_pretrained_network_stands_for_a_run_in_a_probe():
    env = envs.Probe(gym.make("aru/Digits-v0", split="test"), RUN)
    _, info = env.reset(options={"index": 3})
    direct = probing.OnlineStep(load_pretrained(NAME))
    x, _ = tasks.load_task("digits").examples("test", [3])
    _, _, signals = direct(x[:, 0], direct.initial_state(1))
    np.testing.assert_allclose(array(info["n"]), array(signals["n"])[0], atol=1e-6)


def test_a_pretrained_network_stands_for_a_run_in_a_rig():
    rig = envs.UnitRigEnv(RUN, steps=5)
    assert rig.reset()[0]["n"].shape == (PRETRAINED[NAME].units,)


def test_a_pretrained_network_stands_for_a_run_at_the_start_of_a_training():
    from aru_keras.runners.train import compiled_network

    config = TrainConfig("digits", controller_units=32, start=RUN)
    started = compiled_network(config, config.load_task())
    for mine, theirs in zip(started.weights, load_pretrained(NAME).weights, strict=True):
        np.testing.assert_array_equal(array(mine), array(theirs))


def test_a_pretrained_network_stands_for_a_run_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["probe", RUN, "--perturb", "step:5"]) == 0
    assert Path("runs", NAME, "probes", "test-0-step-5.png").exists()
    assert cli.main(["analyze", RUN, "--only", "spectrum"]) == 0
    assert f"aru-keras analyze {RUN}" in Path("runs", NAME, "analysis", "report.md").read_text()
    capsys.readouterr()
    assert cli.main(["compare", RUN, "pretrained:gamma-digits"]) == 0
    assert "| arun-digits | digits | arun |" in capsys.readouterr().out
    assert not list(pretrained.RUNS.rglob("*.npz"))


def test_an_analysis_leaves_the_folder_in_the_package_as_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = RunFolder("pretrained:relu-digits")
    before = sorted(folder.path.iterdir())
    arrays = measured(TrainedRun("relu", 0, folder), {"step": [StepDrive(5.0)]}, limit=20)
    assert arrays["step_accuracy"].shape == (1,)
    assert sorted(folder.path.iterdir()) == before
    assert [file.name for file in Path("runs/relu-digits").iterdir()] == ["scores-20-images.json"]


def test_a_pretrained_network_is_not_trained_on():
    with pytest.raises(Exception, match="holds a run already"):
        RunFolder(RUN).check_free()


@pytest.mark.parametrize(
    "take", [load_pretrained, lambda name: run_path(f"pretrained:{name}"), models.model_card]
)
def test_a_wrong_name_is_answered_with_the_names(take):
    with pytest.raises(ValueError, match=r"`name` must be one of .*Did you mean 'arun-digits'"):
        take("arun-digit")


@pytest.mark.parametrize("file", ["model.keras", "config.json"])
@pytest.mark.parametrize("change", ["changed", "missing"])
def test_a_changed_file_is_one_clear_error(file, change, tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "RUNS", tmp_path)
    shutil.copytree(Path(pretrained.__file__).parent / "pretrained_runs" / NAME, tmp_path / NAME)
    load_pretrained(NAME)
    if change == "missing":
        (tmp_path / NAME / file).unlink()
    else:
        (tmp_path / NAME / file).write_bytes(b"changed")
    with pytest.raises(ValueError, match=f"arun-digits.* must have the file .*{file} as it was"):
        load_pretrained(NAME)
    with pytest.raises(ValueError, match="Install aru-keras again"):
        RunFolder(RUN)


def test_a_run_of_ones_own_is_no_name_and_the_error_says_how_to_load_it():
    with pytest.raises(ValueError, match=r'`name` must be.*probing\.load_network\("runs/RUN"\)'):
        load_pretrained("runs/RUN")


WITHOUT_TENSORFLOW = f"""
import sys
for absent in ("tensorflow", "gymnasium", "matplotlib", "tensorflow_datasets"):
    sys.modules[absent] = None  # An import of it fails.
from aru_keras import models, probing, tasks
task = tasks.load_task("digits")
x, y = task.examples("test", range(50))
model = models.load_pretrained({NAME!r})
print((model(x).numpy() if hasattr(model(x), "numpy") else model(x)).argmax(axis=1).tolist())
print(probing.read({RUN!r}, task).predictions[-1])
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_network_loads_on_every_backend_without_tensorflow(backend):
    pytest.importorskip(backend)
    code = WITHOUT_TENSORFLOW.replace("model(x).numpy()", "model(x).detach().numpy()")
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    classes = json.loads(done.stdout.splitlines()[0])
    x, labels = tasks.load_task("digits").examples("test", range(50))
    here = array(load_pretrained(NAME)(x)).argmax(axis=1)
    assert np.sum(classes != here) <= 1, f"{backend} and {BACKEND} differ"
    assert np.mean(classes == labels) > 0.8


def test_the_package_gives_the_table():
    assert models.PRETRAINED is PRETRAINED
    assert run_path("some/folder") == Path("some/folder")
