"""`import aru_keras` needs Keras and one backend, and brings in nothing else."""

import os
import subprocess
import sys

import keras
import pytest
from support import BACKEND

import aru_keras

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


def test_importing_the_library_does_not_import_gymnasium():
    run_alone("import sys, aru_keras; assert 'gymnasium' not in sys.modules")


def run_alone(code, *flags):
    done = subprocess.run(
        [sys.executable, *flags, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
