"""A value that is empty, as of a variable of the shell that is not set, is refused by its name."""

import pytest

from aru_keras.runners.cli import main

PATHS = ("config", "resume", "run-dir", "start", "source", "data-dir")


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        *((["train", "digits", f"--{name}", ""], name.replace("-", "_")) for name in PATHS),
        (["train", "--config", "", "--units", "5"], "config"),
        (["train", "--resume", ""], "resume"),
        (["train", "gym:CartPole-v1", "--run-dir", ""], "run_dir"),
        (["probe", ""], "run"),
        (["probe", "pretrained:arun-digits", "--out", ""], "out"),
        (["live", ""], "run"),
        (["analyze", ""], "run"),
        (["analyze", "pretrained:arun-digits", "--dir", ""], "dir"),
        (["sweep", "digits", "--dir", ""], "dir"),
        (["reproduce", "--dir", ""], "dir"),
        (["compare", "pretrained:arun-digits", ""], "runs"),
    ],
)
def test_an_empty_path_is_refused(arguments, name, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert f"`{name}` must not be empty. Received: ''." in err and len(err.splitlines()) == 1
    assert not out and not list(tmp_path.iterdir())
