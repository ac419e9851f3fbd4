"""`import aru_keras` needs Keras and one backend, and brings in nothing else."""

import ast
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import keras
import numpy as np
import pytest
from support import BACKEND

import aru_keras
from aru_keras import analysis, plots
from aru_keras._util import deprecated

SAVED = Path(__file__).parent / "saved" / "0.1" / "layers.keras"
OTHER = "torch" if BACKEND == "torch" else "jax"
CODE = """
import sys
for absent in ("tensorflow", "gymnasium", "matplotlib", "tensorflow_datasets", "sklearn"):
    sys.modules[absent] = None  # An import of it fails.
import keras
before = set(sys.modules)
import numpy, aru_keras
print(*{name.split(".")[0] for name in set(sys.modules) - before})
x = numpy.ones((2, 5, 1), "float32")
layer = aru_keras.ARU(4, 3)
layer(x, drive=0.5)
aru_keras.probing.record(layer, x)
"""


def test_imports_and_runs_on_keras_and_one_backend_alone():
    pytest.importorskip(OTHER)
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**os.environ, "KERAS_BACKEND": OTHER},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "aru_keras" in done.stdout.split()
    assert not {"scipy", "PIL", "pandas", "h5py"} & set(done.stdout.split())


def test_public_names():
    for name in ("gamma", "Gamma", "GammaRNNCell", "GammaRNN", "ARUCell", "ARU"):
        assert name in aru_keras.__all__ and hasattr(aru_keras, name)


@pytest.mark.parametrize("name", aru_keras.layers.__all__)
def test_layers_are_registered(name):
    registered = keras.saving.get_registered_name(getattr(aru_keras.layers, name))
    assert registered == f"aru_keras>{name}"


@pytest.mark.parametrize(
    "imports",
    [
        "import aru_keras; import gymnasium as gym",
        "import gymnasium as gym; import aru_keras",
        "import aru_keras.envs; import gymnasium as gym",
    ],
)
def test_register_envs_keeps_its_promise_in_any_order(imports):
    code = f"""{imports}
gym.register_envs(aru_keras)
gym.make("aru/Digits-v0").reset()
assert "aru/UnitRig-v0" in gym.registry"""
    run_alone(code, "-Werror::UserWarning")


def test_importing_the_library_imports_neither_keras_nor_gymnasium():
    run_alone("import sys, aru_keras; assert not {'keras', 'gymnasium'} & set(sys.modules)")


@pytest.mark.parametrize(
    "imports",
    [
        "import aru_keras, keras",
        "import keras, aru_keras",
        "import aru_keras.tasks, keras",
        "from aru_keras import gamma; import keras",
    ],
)
def test_keras_finds_the_layers_of_a_saved_model_in_any_order(imports):
    run_alone(f"{imports}\nkeras.models.load_model({str(SAVED)!r})")


def test_a_backend_on_which_nothing_trains_is_refused_with_those_that_do(tmp_path):
    pytest.importorskip("jax", reason="the backend numpy of Keras needs JAX")
    run_alone(f"""import os
os.environ["KERAS_BACKEND"] = "numpy"
import numpy as np
import aru_keras
from aru_keras.runners.train import train
x = np.ones((2, 5, 1), "float32")
for use in (
    lambda: aru_keras.gamma(x, 1.0, 0.0),
    lambda: aru_keras.ARU(4, 3)(x),
    lambda: aru_keras.probing.record(aru_keras.ARU(4, 3), x),
    lambda: train("digits", run_dir={str(tmp_path / "run")!r}),
):
    try:
        use()
    except ValueError as error:
        assert "must be one of tensorflow, jax, torch. Received: 'numpy'" in str(error), error
    else:
        raise AssertionError
""")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", [["--help"], ["train", "--help"], ["train", "digitz"]])
def test_help_and_a_wrong_option_are_answered_without_keras(command):
    run_alone(f"""import sys
sys.modules["keras"] = None
from aru_keras.runners import cli
try:
    code = cli.main({command!r})
except SystemExit as end:
    code = end.code
assert code == {0 if "--help" in command else 2}""")


def test_the_package_as_a_command():
    done = subprocess.run(
        [sys.executable, "-m", "aru_keras", "--version"], capture_output=True, text=True
    )
    assert done.stdout.strip() == aru_keras.__version__


OTHER_CHECKOUT = """import sys
class EditableInstall:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in ("aru_keras.envs", "aru_keras.runners"):
            raise AssertionError(f"{name} is looked for in another checkout")
sys.meta_path.insert(0, EditableInstall)
import aru_keras.envs, aru_keras.runners"""


def test_envs_and_runners_come_from_the_checkout_of_the_package():
    run_alone(OTHER_CHECKOUT)


@pytest.mark.parametrize("name", ["tests", "docs", "setup"])
def test_nothing_else_of_a_checkout_is_in_the_package(name):
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(f"aru_keras.{name}")


@pytest.mark.parametrize(("old", "new"), deprecated.MOVED_MODULES.items())
def test_a_module_of_an_earlier_release_warns_and_works(old, new, monkeypatch):
    monkeypatch.delitem(sys.modules, old, raising=False)
    with pytest.warns(DeprecationWarning, match=f"{old} is called {new} now"):
        found = importlib.import_module(old)
    wanted = importlib.import_module(new)
    names = (
        set(vars(wanted)) - set(vars(ModuleType("any"))) - {"__file__", "__cached__", "__getattr__"}
    )
    assert names
    assert all(getattr(found, name) is getattr(wanted, name) for name in names)


@pytest.mark.parametrize(
    ("old", "name", "new"),
    [
        (old, name, new)
        for old, names in deprecated.SPLIT_MODULES.items()
        for name, new in names.items()
    ],
)
def test_a_module_whose_names_went_to_several_warns_and_works(old, name, new):
    with pytest.warns(DeprecationWarning, match=f"{old}.{name} is called"):
        found = getattr(importlib.import_module(old), name)
    home, _, now = new.partition(":")
    assert found is getattr(importlib.import_module(home), now)


def modules_of(package):
    """The public modules of a package."""
    path = importlib.import_module(f"aru_keras.{package}").__path__
    names = [module.name for module in pkgutil.iter_modules(path) if module.name[0] != "_"]
    return {name: importlib.import_module(f"aru_keras.{package}.{name}") for name in names}


@pytest.mark.parametrize("package", ["analysis", "plots"])
def test_a_name_of_an_earlier_release_warns_and_works(package):
    renamed = [one for one in modules_of(package).values() if hasattr(one, "__getattr__")]
    assert renamed
    for module in renamed:
        for old, new in module.__getattr__.names.items():
            home, _, now = new.rpartition(":")
            with pytest.warns(DeprecationWarning, match=f"{old} is called .*{now} now"):
                found = getattr(module, old)
            assert found is getattr(importlib.import_module(home or module.__name__), now)


def test_an_argument_of_an_earlier_release_warns_and_works():
    spectra = {"start": analysis.recurrent_spectrum(np.eye(3))}
    with pytest.warns(DeprecationWarning, match="`found` of eigenvalues is called `spectra` now"):
        figure = plots.eigenvalues(found=spectra)
    assert len(figure.axes) == 1
    with pytest.warns(DeprecationWarning, match="`place` of unit_style is called `index` now"):
        assert plots.unit_style(place=9) == plots.unit_style(9)
    with pytest.raises(TypeError, match="found"):
        plots.eigenvalues(spectra=spectra, found=spectra)


@pytest.mark.parametrize("package", ["analysis", "plots"])
def test_what_is_public_is_there_once_under_a_name_of_its_own(package):
    """Public names of public modules are those of the package, and no module's."""
    modules = modules_of(package)
    homes = [
        (name, module)
        for module, found in modules.items()
        if (package, module) != ("plots", "style")  # Public as a module.
        for name in _own_names(found)
    ]
    names = [name for name, _ in homes]
    assert sorted(names) == sorted(set(names)), "the same name in two modules"
    assert not set(names) & set(modules), "a name that is a module's"
    every = set(importlib.import_module(f"aru_keras.{package}").__all__)
    assert every - {"style", "save", "unit_style"} == set(names)


def _own_names(module):
    """Functions, classes and constants without an underscore that a module defines."""
    statements = ast.parse(Path(module.__file__).read_text(encoding="utf-8")).body
    defined = [one.name for one in statements if isinstance(one, ast.FunctionDef | ast.ClassDef)]
    for statement in statements:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = getattr(statement, "targets", None) or [statement.target]
            for target in targets:
                found = ast.walk(target)
                defined += [node.id for node in found if isinstance(node, ast.Name)]
    return [name for name in defined if not name.startswith("_")]


@pytest.mark.parametrize("package", ["analysis", "plots"])
def test_the_reference_has_every_public_module(package):
    page = Path(__file__).parents[1] / "docs" / "reference" / f"{package}.rst"
    listed = re.findall(rf"automodule:: aru_keras\.{package}\.(\w+)", page.read_text("utf-8"))
    assert sorted(listed) == sorted(modules_of(package))


LAZY = ("", ".analysis", ".models", ".plots", ".probing", ".tasks")


@pytest.mark.parametrize("package", LAZY)
def test_every_public_name_is_there(package):
    found = importlib.import_module(f"aru_keras{package}")
    assert found.__all__ and sorted(found.__all__) == dir(found)
    assert all(getattr(found, name) is not None for name in found.__all__)
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = found.no_such_name


def run_alone(code, *flags):
    done = subprocess.run(
        [sys.executable, *flags, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
