"""Commands that end early: by Ctrl-C before they began, or as nothing reads what they print."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from aru_keras.runners import cli


def test_ctrl_c_while_a_command_is_imported_is_one_line(monkeypatch, capsys):
    def interrupted(name):
        raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "aru_keras.runners.commands.reproduce", raising=False)
    monkeypatch.setattr(cli, "importlib", SimpleNamespace(import_module=interrupted))
    assert cli.main(["reproduce"]) == 130
    assert capsys.readouterr() == ("", "aru-keras: error: interrupted\n")


@pytest.mark.parametrize("arguments", [[], ["compare", "pretrained:gru-digits"]])
def test_a_reader_that_leaves_ends_a_command_silently(arguments):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "aru_keras.runners.cli", *arguments]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_pipe_that_broke_elsewhere_is_named(monkeypatch, capsys):
    def write_to_a_process_that_died(options, checked):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("aru_keras.runners.commands.summary.run", write_to_a_process_that_died)
    assert cli.main(["summary"]) == 1
    assert "could not be read or written: [Errno 32]" in capsys.readouterr().err
