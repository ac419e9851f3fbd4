"""What differs on systems that the tests do not run on, as far as it can be shown here."""

import io
import os
import sys

import pytest

from aru_keras._util.files import replacing
from aru_keras.runners import cli


def test_what_is_flushed_is_open_for_writing(tmp_path, monkeypatch):
    """Windows refuses to flush a file that is open for reading alone."""
    flushed = []
    monkeypatch.setattr(os, "fsync", lambda file: flushed.append(os.write(file, b"")))
    with replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("whole", encoding="utf-8")
    assert flushed == [0]
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "whole"


def test_a_console_without_a_character_shows_another_in_its_place(monkeypatch):
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="ascii"))
    monkeypatch.setattr(sys, "argv", ["aru-keras", "benchmark", "--help"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 0
    sys.stdout.flush()
    assert b"64?64?64" in shown.getvalue()
