"""The folder of an agent's run: it resumes to the same result, and the command line serves it."""

import json

import keras
import numpy as np
import pytest
import worlds  # noqa: F401  # It registers the environments.
from support import array

from aru_keras.runners import cli, control
from aru_keras.runners.control import training
from aru_keras.runners.run_folder import RunError, RunFolder

ID = "aru-tests/Recall-v0"
SMALL = {
    "units": 6,
    "num_envs": 4,
    "num_steps": 8,
    "num_minibatches": 2,
    "total_timesteps": 4 * 32 * 2,
    "save_every": 2,
    "evaluation_episodes": 8,
}


class KilledError(Exception):
    """Stands for a kill."""


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "unbroken"
    return folder, control.train(ID, "gamma", run_dir=folder, verbose=0, **SMALL)


def history(folder):
    """The numbers of a history, but for those that depend on the clock."""
    rows = json.loads((folder / "checkpoint" / "state.json").read_text())["history"]
    clock = ("seconds", "steps_per_second")
    return [{name: value for name, value in row.items() if name not in clock} for row in rows]


def test_a_run_leaves_its_folder(unbroken):
    folder, results = unbroken
    names = {path.name for path in folder.iterdir()}
    assert {"config.json", "model.keras", "history.csv", "results.json", "checkpoint"} <= names
    assert results["environment_steps"] == 256 and results["evaluation_episodes"] == 8
    assert 0 <= results["mean_return"] <= 1
    rows = history(folder)
    assert [row["environment_steps"] for row in rows] == [64, 128, 192, 256]
    assert rows[0]["learning_rate"] > rows[-1]["learning_rate"] > 0
    assert control.resume(folder) == results


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_killed_run_ends_like_an_unbroken_one(unbroken, tmp_path, monkeypatch, moment):
    """Killed in the third stretch; or after its checkpoint, before the model is in its place."""
    keep = RunFolder.keep_best
    learn = training.Learner.learn

    def killed(self, *arguments):
        if moment == "after" and arguments[-1] == 3:
            raise KilledError
        if moment == "before" and len(arguments) == 3 and arguments[1] == 5:
            raise KilledError
        return (keep if len(arguments) == 1 else learn)(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "keep_best", killed)
        patch.setattr(training.Learner, "learn", killed)
        with pytest.raises(KilledError):
            control.train(ID, "gamma", run_dir=tmp_path / "run", verbose=0, **SMALL)
    results = control.resume(tmp_path / "run", verbose=0)
    folder, expected = unbroken
    assert history(tmp_path / "run") == history(folder)
    assert results["mean_return"] == expected["mean_return"]
    models = [keras.models.load_model(path / "model.keras") for path in (tmp_path / "run", folder)]
    for a, b in zip(*(model.weights for model in models), strict=True):
        np.testing.assert_array_equal(array(a), array(b))


def test_a_run_is_not_overwritten_and_no_run_of_sequences(unbroken):
    folder, _ = unbroken
    with pytest.raises(RunError, match="holds a run already"):
        control.train(ID, run_dir=folder, **SMALL)
    with pytest.raises(RunError, match=r"is the run of|holds the run of an agent"):
        RunFolder(folder).load_config()


def test_the_command_line_trains_and_resumes(tmp_path, capsys):
    options = [f"--{name.replace('_', '-')}={value}" for name, value in SMALL.items()]
    run = ["--run-dir", str(tmp_path / "run")]
    assert cli.main(["train", f"gym:{ID}", "--model=relu", "--no-anneal-lr", *options, *run]) == 0
    shown = capsys.readouterr().out
    assert "relu of 6 units" in shown and "Mean return" in shown and "256 of 256" in shown
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["anneal_lr"] is False and config["num_envs"] == 4
    assert cli.main(["train", "--resume", str(tmp_path / "run")]) == 0
    assert "Mean return" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["gym:CartPole-v1", "--epochs=3"], "`epochs` is no option of an agent"),
        (["digits", "--num-envs=3"], "`num_envs` is for agents in environments"),
        (["gym:CartPole-v1", "--num-envs=6"], "`num_minibatches` must divide `num_envs`"),
        (
            ["gym:CartPole-v1", "--total-timesteps=9"],
            "must be at least num_envs · num_steps = 1024",
        ),
        (["gym:CartPole-v1", "--discount=2"], "`discount` must be from 0 to 1"),
        (["gym:NoSuch-v0"], "NoSuch"),
        (["gym:aru-tests/Recall-v0", "--mask-velocities"], "whose velocities are known"),
    ],
)
def test_bad_options_are_refused_in_one_line(options, words, capsys, tmp_path):
    with pytest.raises(SystemExit) as end:
        raise SystemExit(cli.main(["train", *options, "--run-dir", str(tmp_path / "run")]))
    assert end.value.code == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
