"""Environments that fail, cannot be made, or are found where the user works."""

import errno
import sys

import gymnasium as gym
import numpy as np
import pytest
import worlds
from own_runs import untrained_agent

from aru_keras.envs import Probe
from aru_keras.runners import cli, control
from aru_keras.runners.run_folder import RunFolder, WriteError

SMALL = {
    "units": 3,
    "num_envs": 2,
    "num_steps": 8,
    "num_minibatches": 1,
    "total_timesteps": 32,
    "save_every": 1,
    "evaluation_episodes": 2,
    "verbose": 0,
}
MODULE = """
import gymnasium as gym
import numpy as np


class Count(gym.Env):
    def __init__(self, size=2):
        self.observation_space = gym.spaces.Box(0, size, (1,))
        self.action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(1, np.float32), {}

    def step(self, action):
        return np.ones(1, np.float32), 1.0, True, False, {}


gym.register("of_the_user/Count-v0", Count)
"""


class Faulty(worlds.Recall):
    """It counts how often it is closed, and fails in some way at its twentieth step."""

    error: Exception | None = None
    closed = steps = 0

    def shown(self):
        return np.array([0, np.nan if Faulty.steps == 20 else 0], np.float32)

    def step(self, action):
        Faulty.steps += 1
        if Faulty.error is not None and Faulty.steps >= 20:
            raise Faulty.error
        return super().step(action)

    def close(self):
        Faulty.closed += 1


@pytest.fixture
def faulty():
    Faulty.error, Faulty.closed, Faulty.steps = None, 0, 0
    gym.register("aru-tests/Faulty-v0", lambda space=None: Faulty(), disable_env_checker=True)
    yield Faulty
    del gym.registry["aru-tests/Faulty-v0"]


def train(folder, **options):
    return control.train("aru-tests/Faulty-v0", "relu", run_dir=folder, **{**SMALL, **options})


def test_an_error_of_the_environment_is_no_full_disk(faulty, tmp_path, monkeypatch):
    faulty.error = ConnectionResetError(errno.ECONNRESET, "peer")
    with pytest.raises(control.WorldError, match=r"`step`.*ConnectionResetError.*peer") as error:
        train(tmp_path / "run")
    assert "--resume" in str(error.value) and "Make room" not in str(error.value)
    assert isinstance(error.value.__cause__, ConnectionResetError) and faulty.closed == 2
    faulty.steps, faulty.error = 0, None

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(RunFolder, "commit_epoch", full)
    with pytest.raises(WriteError, match="Make room"):
        control.resume(tmp_path / "run", verbose=0)
    assert faulty.closed == 4


def test_environments_are_closed_whatever_fails(faulty, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="finite numbers"):
        train(tmp_path / "run")
    assert faulty.closed == 2
    monkeypatch.setattr(faulty, "__init__", init_with(gym.spaces.MultiBinary(2)))
    with pytest.raises(ValueError, match="must be Discrete"):
        train(tmp_path / "other")
    assert faulty.closed == 4 and not (tmp_path / "other").exists()


def init_with(space):
    def init(self):
        worlds.Recall.__init__(self)
        self.action_space = space

    return init


def test_a_run_whose_environment_is_gone(faulty, tmp_path, capsys):
    run = untrained_agent(tmp_path / "run", "aru-tests/Faulty-v0", "relu")
    text = (run / "config.json").read_text()
    for name in ("aru-tests/Gone-v0", "no_such_module:Some-v0", "aru-tests/VectorsOnly-v0"):
        (run / "config.json").write_text(text.replace("aru-tests/Faulty-v0", name))
        assert cli.main(["probe", str(run), "--out", str(tmp_path)]) == 2
        message = capsys.readouterr().err
        assert "`task` must be gym: and" in message and name in message
        assert message.count("\n") == 1


def test_a_module_in_the_working_folder_registers_its_environment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", ".")])
    (tmp_path / "my_count.py").write_text(MODULE)
    for make in (control.make_scalar, lambda name: control.make_world(name, 2)):
        make("my_count:of_the_user/Count-v0")
        del gym.registry["of_the_user/Count-v0"], sys.modules["my_count"]


def test_a_probe_takes_the_agent_of_its_environment(tmp_path):
    run = untrained_agent(tmp_path / "run", "aru/Digits-v0", "relu")
    env = Probe(gym.make("aru/Digits-v0"), run, "h")
    assert "h" in env.reset(seed=0)[1]
