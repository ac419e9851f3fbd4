"""Runs that an error or a signal breaks off: one line, and the last whole epoch is there."""

import errno
import os
import signal

import keras
import pytest

from aru_keras.runners import cli, run_folder
from aru_keras.runners.run_folder import RunFolder
from aru_keras.runners.train import WriteError, train

SMALL = {"downsample": 2, "units": 5, "epochs": 2, "batch_size": 16, "limit": 32}


class _OfTensorFlow(Exception):
    """Stands for tf.errors.OpError, which is no OSError."""


@pytest.mark.parametrize("tensorflow", [False, True])
def test_a_full_disk_ends_a_run_with_one_line_and_its_last_state(
    tensorflow, tmp_path, monkeypatch, capsys
):
    full = OSError(errno.ENOSPC, "No space left on device")
    if tensorflow:
        full = _OfTensorFlow(f"{tmp_path / 'run/events'}/events.out; No space left on device")
    code, err = _broken_in_second_epoch(tmp_path / "run", monkeypatch, capsys, full)
    assert code == 1
    assert "No space left" in err and "--resume" in err and len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "code"), [("SIGTERM", 143), ("SIGUSR1", 143), ("SIGHUP", 129), ("SIGINT", 130)]
)
def test_a_signal_within_a_commit_ends_with_what_to_resume(
    name, code, tmp_path, monkeypatch, capsys
):
    number = getattr(signal, name)
    handler = signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL
    # Whoever started the tests may have it ignored, as `nohup` does.
    before = signal.signal(number, handler)
    try:
        ended, err = _broken_in_second_epoch(tmp_path / "run", monkeypatch, capsys, number)
        assert signal.getsignal(number) == handler
    finally:
        signal.signal(number, before)
    assert ended == code
    assert f"--resume {tmp_path / 'run'}" in err and len(err.strip().splitlines()) == 1


def _broken_in_second_epoch(folder, monkeypatch, capsys, how):
    """Exit code and error output of a run that an error or a signal meets in its second commit."""
    write = run_folder.write_json

    def broken(path, value):
        if path.name == "state.json" and len(value["history"]) == 2:
            if isinstance(how, Exception):
                raise how
            os.kill(os.getpid(), how)
        write(path, value)

    options = [f"--{name.replace('_', '-')}={value}" for name, value in SMALL.items()]
    with monkeypatch.context() as patch:
        patch.setattr(run_folder, "write_json", broken)
        code = cli.main(["train", "digits", "--model=relu", *options, f"--run-dir={folder}"])
    model, rows = RunFolder(folder).load_state()
    assert len(rows) == 1 and isinstance(model, keras.Model)
    assert not list(folder.rglob(".writing-*"))
    return code, capsys.readouterr().err


def test_a_folder_that_is_gone_is_named(tmp_path, monkeypatch):
    folder, commit = tmp_path / "run", RunFolder.commit_epoch

    def moved(self, model, rows, *, best):
        folder.rename(tmp_path / "moved")
        commit(self, model, rows, best=best)

    monkeypatch.setattr(RunFolder, "commit_epoch", moved)
    with pytest.raises(WriteError, match=r"broke off.*put the folder back"):
        train("digits", "relu", run_dir=folder, verbose=0, **SMALL)
    assert not folder.exists()
