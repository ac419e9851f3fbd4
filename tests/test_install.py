"""The package as it is installed: mapped folders, wheels, other backends."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALL = "import aru_keras, aru_keras.envs, aru_keras.runners, aru_keras.runners.train"


KEPT = (".py", ".pyi", ".npz", ".typed", ".keras", ".json", ".npy")
"""Suffixes of the files that a wheel must hold."""


def python(code, *, folder, site=None, **variables):
    """Run `code` in a fresh interpreter in `folder`; its output and error output.

    With `site`, that folder stands for the installed package: the packages of this environment
    come after it, and without their .pth files, by which an editable install would be found. A
    variable of None is not set.
    """
    environment = {**os.environ, **variables}
    environment = {name: value for name, value in environment.items() if value is not None}
    command = [sys.executable]
    if site is not None:
        command.append("-S")
        environment["PYTHONPATH"] = os.pathsep.join([str(site), sysconfig.get_path("purelib")])
    done = subprocess.run(
        [*command, "-c", code], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy so that nothing is left in the checkout."""
    folder = tmp_path_factory.mktemp("build")
    tracked = ["aru_keras", "envs", "runners"]
    tracked += ["pyproject.toml", "README.md", "LICENSE"]
    source = folder / "source"
    source.mkdir()
    for name in tracked:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "-w",
        str(folder),
        str(source),
    ]
    subprocess.run(build, check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def plain(wheel, tmp_path_factory):
    """A folder with the wheel's contents, as a plain install leaves them."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_wheel_holds_every_module_and_data_file(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for folder, package in (
        ("aru_keras", "aru_keras"),
        ("envs", "aru_keras/envs"),
        ("runners", "aru_keras/runners"),
    ):
        for file in (ROOT / folder).rglob("*"):
            if file.suffix in KEPT and "__pycache__" not in file.parts:
                assert f"{package}/{file.relative_to(ROOT / folder)}" in names
    assert not any(name.startswith(("envs/", "runners/", "tests/")) for name in names)


@pytest.mark.parametrize("inside", [True, False], ids=["inside", "outside"])
def test_a_plain_install_imports_inside_and_outside_the_checkout(plain, inside, tmp_path):
    folder = ROOT if inside else tmp_path
    shown, _ = python(f"{ALL}; print(aru_keras.runners.__file__)", folder=folder, site=plain)
    assert Path(shown.strip()).name == "__init__.py"


@pytest.mark.parametrize("inside", [True, False], ids=["inside", "outside"])
def test_this_install_imports_inside_and_outside_the_checkout(inside, tmp_path):
    python(ALL, folder=ROOT if inside else tmp_path)


def test_a_checkout_on_the_path_is_not_mixed_with_another_that_is_installed(tmp_path):
    installed = """
import importlib.util, sys

class Installed:
    def find_spec(self, name, path=None, target=None):
        if name == "aru_keras.runners":
            return importlib.util.spec_from_file_location(name, "elsewhere/runners/__init__.py")

sys.meta_path.insert(0, Installed())
import aru_keras
print(importlib.util.find_spec("aru_keras.runners").origin)
"""
    out, _ = python(installed, folder=tmp_path, site=ROOT)
    assert Path(out.strip()) == ROOT / "runners" / "__init__.py"


def test_importing_the_data_of_a_plain_install(plain, tmp_path):
    code = "from aru_keras import tasks; print(tasks.load_task('digits').sizes['train'])"
    shown, _ = python(code, folder=tmp_path, site=plain)
    assert shown.strip() == "1257"


WRONG = "from aru_keras.runners import cli; cli.main(['train', '--resume', 'nowhere'])"


@pytest.mark.parametrize("level", [None, "3"])
def test_the_command_writes_no_line_but_its_own(level, plain, tmp_path):
    _, said = python(WRONG, folder=tmp_path, site=plain, TF_CPP_MIN_LOG_LEVEL=level)
    assert said.startswith("aru-keras: error: nowhere holds no run")
    assert len(said.splitlines()) == 1


def test_the_command_shows_the_log_at_the_level_that_is_set(plain, tmp_path):
    _, said = python(WRONG, folder=tmp_path, site=plain, TF_CPP_MIN_LOG_LEVEL="0")
    assert said.splitlines()[-1].startswith("aru-keras: error: nowhere holds no run")
    assert len(said.splitlines()) > 1


# A module of None is one that cannot be found.
WITHOUT = "import sys; sys.modules.update(dict.fromkeys({names!r}))\n"
EXTRAS = ("tensorflow", "tensorflow_datasets", "gymnasium", "matplotlib", "tensorboard")
UNIX = ("resource", "fcntl", "pwd", "grp", "termios")


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="jax is not installed")
def test_keras_and_jax_alone_import_and_train_from_an_npz(tmp_path):
    """And without the modules that are there on Unix alone."""
    code = WITHOUT.format(names=EXTRAS + UNIX) + (
        "from aru_keras import tasks\n"
        "from aru_keras.runners.train import train\n"
        "tasks.export('digits', 'digits.npz')\n"
        "results = train('digits', source='digits.npz', run_dir='run', units=5,\n"
        "    controller_units=3, epochs=1, limit=20, verbose=0)\n"
        "print(results['epochs'])\n"
    )
    shown, _ = python(code, folder=tmp_path, KERAS_BACKEND="jax")
    assert shown.strip().splitlines()[-1] == "1"
    results = json.loads((tmp_path / "run" / "results.json").read_text(encoding="utf-8"))
    assert results["peak_memory_mb"] is None
