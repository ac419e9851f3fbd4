"""Names of tasks of one's own, and functions that make them: errors that say what to do."""

import pytest

from aru_keras import tasks
from aru_keras.runners.cli import main

LOADERS = """
import numpy as np
from aru_keras import tasks

def with_argument(folder):
    pass

def fails():
    return {}["x"]

def wrong():
    x = np.ones((9, 2))
    return tasks.from_arrays((x, np.arange(8) % 2))

def absent():
    return tasks.load_task("no.npz")
"""
PLACES = {
    "with_argument": (ValueError, "without arguments.*'folder'.*defaults"),
    "fails": (ValueError, r"loader.py:fails raised KeyError at loader.py:9: 'x'"),
    "wrong": (ValueError, r"raised ValueError at loader.py:13: `train` must hold as y a target"),
    "absent": (tasks.DatasetError, r"raised DatasetError at loader.py:16: .*no.npz does not exist"),
}


@pytest.mark.parametrize("function", PLACES)
def test_an_error_in_a_loader_has_its_line(function, tmp_path, monkeypatch):
    (tmp_path / "loader.py").write_text(LOADERS)
    monkeypatch.chdir(tmp_path)
    kind, message = PLACES[function]
    with pytest.raises(kind, match=message) as found:
        tasks.load_task(f"loader.py:{function}")
    assert function == "with_argument" or found.value.__cause__ is not None


@pytest.mark.parametrize("text", ["x = y = z + 1", "def f(:"])
def test_a_loader_that_cannot_be_imported_says_why(text, tmp_path):
    (tmp_path / "loader.py").write_text(text)
    with pytest.raises(ValueError, match=r"\((NameError at loader.py:1|SyntaxError): "):
        tasks.load_task(f"{tmp_path}/loader.py:f")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("recordings", "Only an .npz is read as it is: write a function that reads this"),
        ("x.npy", "Only an .npz is read as it is"),
        ("a/b.csv", "Only an .npz is read as it is"),
        ("oscillations", "Did you mean 'oscillations.npz'"),
        ("loader.py", "Name the function in it that returns a task: 'loader.py:FUNCTION'"),
        ("digitz", "Did you mean 'digits'"),
    ],
)
def test_the_name_of_a_file_that_is_no_task_is_not_taken_for_a_misspelt_one(
    name, message, tmp_path, monkeypatch
):
    (tmp_path / "recordings").mkdir()
    (tmp_path / "oscillations.npz").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=f"{message}.*module:function") as found:
        tasks.load_task(name)
    assert ("rotated" in str(found.value)) == (name == "digitz")


def test_a_path_that_cannot_be_written_is_named_as_it_was_given(tmp_path):
    path = tmp_path / "absent/digits.npz"
    with pytest.raises(
        tasks.DatasetError, match=r"Cannot write .*digits.npz \(No such file"
    ) as found:
        tasks.export("digits", path)
    assert ".writing" not in str(found.value)


def test_the_help_of_export_names_every_form(capsys):
    with pytest.raises(SystemExit):
        main(["export", "--help"])
    said = capsys.readouterr().out
    for form in ("digits", "adding", ".npz", "module:function", "file.py:function"):
        assert form in said
