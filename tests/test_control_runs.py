"""The folder of an agent's run: it resumes to the same result, and the command line serves it."""

import csv
import json

import gymnasium as gym
import keras
import numpy as np
import pytest
import worlds  # noqa: F401  # It registers the environments.
from PIL import Image
from support import array

from aru_keras.runners import cli, control
from aru_keras.runners.control import changed_worlds, training, video
from aru_keras.runners.control.changed_worlds import UNCHANGED
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


def test_so_it_does_where_the_environment_draws_from_the_global_generators(tmp_path, monkeypatch):
    """And it has arguments of its own, which the run keeps."""
    options = {**SMALL, "save_every": 1, "total_timesteps": 96, "verbose": 0}
    options["env_options"] = {"deviation": 0.5}
    learn = training.Learner.learn

    def killed(self, segment, update, rng):
        if update == 1:
            raise KilledError
        return learn(self, segment, update, rng)

    careless = "aru-tests/Careless-v0"
    whole = control.train(careless, "relu", run_dir=tmp_path / "whole", **options)
    with monkeypatch.context() as patch:
        patch.setattr(training.Learner, "learn", killed)
        with pytest.raises(KilledError):
            control.train(careless, "relu", run_dir=tmp_path / "run", **options)
    resumed = control.resume(tmp_path / "run", verbose=0)
    assert history(tmp_path / "run") == history(tmp_path / "whole")
    assert resumed["mean_return"] == whole["mean_return"]
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["env_options"] == {"deviation": 0.5}
    control.changed_returns(tmp_path / "run", "scale", [2.0], episodes=4)


def test_arguments_of_the_environment_on_the_command_line(tmp_path, capsys):
    options = [f"--{name.replace('_', '-')}={value}" for name, value in SMALL.items()]
    run = ["--run-dir", str(tmp_path / "run")]
    given = ["--env-option", "steps=4", "--env-option=truncates=true"]
    assert cli.main(["train", f"gym:{ID}", "--model=relu", *given, *options, *run]) == 0
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["env_options"] == {"steps": 4, "truncates": True}
    assert cli.main(["probe", str(tmp_path / "run")]) == 0
    assert "in 4 steps" in capsys.readouterr().out


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


def test_what_the_units_do_while_it_acts(unbroken, tmp_path, capsys):
    folder, _ = unbroken
    assert cli.main(["probe", str(folder), "--index=2", "--out", str(tmp_path)]) == 0
    assert "in 3 steps." in capsys.readouterr().out
    assert (tmp_path / "episode-2.png").stat().st_size > 1000
    with open(tmp_path / "episode-2.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["x_1"] for row in rows] == ["0.0", "1.0", "2.0"]
    cell = keras.models.load_model(folder / "model.keras").get_layer("recurrent").cell
    shown = [[float(row[f"n_{k}"]) for k in range(6)] for row in rows]
    np.testing.assert_allclose(shown, np.tile(array(cell.n), (3, 1)), rtol=1e-6)
    with pytest.raises(SystemExit, match="2"):
        raise SystemExit(cli.main(["probe", str(folder), "--perturb=step:1"]))
    assert "`perturb` is for runs on a task" in capsys.readouterr().err


def test_the_last_policy_is_shown_where_the_environment_renders(tmp_path):
    config = control.ControlConfig("gym:aru-tests/Reach-v0", "relu", units=3)
    world = control.make_world(config.environment, 1)
    agent = control.ControlAgent(
        control.build_agent("relu", world.features, world.actions, units=3), world.actions
    )
    with Image.open(video.record_episode(agent, config, tmp_path / "policy.gif")) as shown:
        assert shown.n_frames == 5
    for name in ("Recall", "Boastful"):
        blind = control.ControlConfig(f"gym:aru-tests/{name}-v0", "relu", units=3)
        assert video.record_episode(agent, blind, tmp_path / "none.gif") is None
    broken = control.ControlConfig("gym:aru-tests/Blind-v0", "relu", units=3)
    with pytest.warns(UserWarning, match=r"No none.gif: .* \(RuntimeError: no display\)"):
        assert video.record_episode(agent, broken, tmp_path / "none.gif") is None
    assert not (tmp_path / "none.gif").exists()


def test_a_changed_world(unbroken):
    """What does not change brings the same, and what is not seen brings what chance does."""
    folder, results = unbroken
    for change, amplitude in UNCHANGED.items():
        if change in ("gravity", "length"):
            with pytest.raises(ValueError, match=f"`change` must be one that {ID} has"):
                control.changed_returns(folder, change, [1.0])
        else:
            same = control.changed_returns(folder, change, [amplitude], episodes=8)
            assert same == pytest.approx([results["mean_return"]])
    world = control.make_world("CartPole-v1", 2)
    changed_worlds.multiply(changed_worlds.attributes(world.env, "length"), 2.0)
    assert (world.env.unwrapped.length, world.env.unwrapped.polemass_length) == (1.0, 0.1)


def test_an_environment_that_would_not_heed_a_change_is_not_changed():
    class Lander(gym.Env):
        gravity = -10.0

    class LightCartPole(gym.envs.classic_control.CartPoleEnv):
        pass

    assert changed_worlds.attributes(Lander(), "gravity") == []
    ((_, name, value),) = changed_worlds.attributes(LightCartPole(), "gravity")
    assert (name, value) == ("gravity", 9.8)


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
        (["gym:CartPole-v1", "--env-option=size"], "must be NAME=VALUE"),
        (["gym:CartPole-v1", "--env-option=render_mode=human"], "`env_options` must be arguments"),
        (["gym:CartPole-v1", "--env-option=size=3"], "CartPole-v1"),
        (["digits", "--env-option=size=3"], "`env_options` is for agents in environments"),
        (["gym:aru-tests/Recall-v0", "--mask-velocities"], "whose velocities are known"),
    ],
)
def test_bad_options_are_refused_in_one_line(options, words, capsys, tmp_path):
    with pytest.raises(SystemExit) as end:
        raise SystemExit(cli.main(["train", *options, "--run-dir", str(tmp_path / "run")]))
    assert end.value.code == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
