"""The layer tests again on each other backend that is installed, in a process of its own."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

HERE = Path(__file__).parent
OTHERS = [name for name in ("tensorflow", "jax", "torch") if name != keras.config.backend()]
LAYER_TESTS = sorted(
    path.name
    for path in HERE.glob("test_*.py")
    if path.name.removeprefix("test_").split("_")[0].removesuffix(".py")
    in {
        "activations",
        "agent",
        "derivatives",
        "fused",
        "gamma",
        "initializers",
        "layers",
        "models",
        "online",
        "probe",
        "probing",
        "reference",
        "rig",
        "second",
    }
)
LEFT_OUT = (
    # Counts of parameters are the same on every backend, and so is what is learned, as its
    # gradients are.
    "parameter_counts",
    "sized",
    "match_parameters",
    "teaches",
    "run_by_episodes",
    "most_likely_class_after_every_pixel",
    "training_in_fit_is_that_of_the_loop",
    # One form of RNN+γ stands for all, and where a step is wrapped in another, the ARU for both.
    "gamma-shared",
    "gamma-fixed",
    "(gamma and (fused_dropout or fused_masks or fused_restarts))",
)


@pytest.mark.slow
@pytest.mark.parametrize("backend", OTHERS)
def test_layer_tests_pass_on_the_other_backends(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    chosen = ["-k", " and ".join(f"not {name}" for name in LEFT_OUT)]
    command = [sys.executable, "-m", "pytest", "-n0", "-p", "no:cacheprovider", *chosen]
    command += LAYER_TESTS
    # On JAX compiling takes far longer than running what these tests compile.
    environment = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1", **os.environ, "KERAS_BACKEND": backend}
    # SlipCover would take the process for another worker of the outer run.
    environment.pop("SLIPCOVER_ENABLED", None)
    done = subprocess.run(command, env=environment, cwd=HERE, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
