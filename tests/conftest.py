"""Settings that must stand before a backend is imported.

The suite runs on one backend at a time, KERAS_BACKEND=tensorflow, jax or torch.
"""

import atexit
import os
import shutil
import tempfile

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")
# Compiling takes far longer than running what these tests compile.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")

if os.environ["KERAS_BACKEND"] == "jax":
    # The reference numbers are float64; that float32 layers stay float32 is tested.
    os.environ.setdefault("JAX_ENABLE_X64", "1")
    # Eager loops are compiled anew at every call: half the time of the suite without a cache.
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        cache = tempfile.mkdtemp(prefix="aru-keras-jax-")
        atexit.register(shutil.rmtree, cache, ignore_errors=True)
        os.environ["JAX_COMPILATION_CACHE_DIR"] = cache
        os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
        os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"

import keras
import pytest

pytest.register_assert_rewrite("contract", "rigs", "support")


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(0)
