"""A whole training step: the ARU's paths, an eager loop, and gated networks of equal size."""

import functools
import importlib.util
import math

import keras
import numpy as np

from aru_keras import models
from aru_keras.arguments import one_of
from aru_keras.layers import ARU
from aru_keras.runners.benchmark.floor import Size, rate_variants, rates
from aru_keras.runners.benchmark.processes import Variant, race
from aru_keras.runners.benchmark.timing import ROUNDS, SECONDS_A_TURN

SIZES = {
    "small": Size(64, 64, 64, 16),
    "middle": Size(64, 196, 128, 32),
    "long": Size(20, 784, 400, 50),
    "paper": Size(100, 784, 400, 50),
}
"""Digits, MNIST at 14×14, and the paper's networks with a small and with the paper's batch."""

AT_ONCE, STEP_BY_STEP, COMPILED, EAGER = (
    "at once",
    "step by step",
    "step by step, jit",
    "eager loop",
)
KINDS = {
    AT_ONCE: "the ARU with its whole-sequence path",
    STEP_BY_STEP: "the same with fused=False: the loop of keras.layers.RNN",
    COMPILED: "the same under jit_compile=True (TensorFlow)",
    EAGER: "a loop written with torch alone",
    "GRU": "keras.layers.GRU with the number of units that comes nearest in parameters",
    "LSTM": "keras.layers.LSTM, likewise",
    "GRU without cuDNN": "the same with use_cudnn=False (on a GPU)",
    "LSTM without cuDNN": "the same with use_cudnn=False (on a GPU)",
}
DEFAULT_KINDS = tuple(KINDS)[:6]
BACKENDS = ("tensorflow", "jax", "torch")
TOGETHER = 2**29
"""Bytes of controller states in a training step up to which all variants stay alive."""


def training(
    sizes=("small", "middle"),
    *,
    backends=None,
    kinds=DEFAULT_KINDS,
    rounds: int = ROUNDS,
    seconds: float = SECONDS_A_TURN,
    progress: bool = False,
) -> list[dict]:
    """Time training steps: loss, gradients and Adam, by `train_on_batch` with stock settings.

    Args:
        sizes: Names in `SIZES`, or `Size` values.
        backends: Keras backends; by default all that are installed.
        kinds: Names in `KINDS`.
        rounds: Turns of each variant.
        seconds: About how long a turn is.
        progress: Whether to show a bar.

    Returns:
        Rows with `size`, `backend`, `kind`, `seconds` a step, `memory` in bytes, its time as a
        multiple of the same backend's loop step by step (`of_step_by_step`, the faster of the two
        jit settings), of the `eager loop` (`of_eager_loop`) and of the `floor`; NaN where there is
        no such thing to compare with; and `failure`, why there are no numbers, or None.

    Raises:
        ValueError: For an unknown name.
    """
    backends = checked_backends(backends)
    kinds = [one_of("kinds", kind, KINDS) for kind in kinds]
    rows = []
    for name in sizes:
        size = name if isinstance(name, Size) else SIZES[one_of("sizes", name, SIZES)]
        variants = [*rate_variants(backends), *variants_of(size, backends, kinds)]
        together = 4 * size.tanhs < TOGETHER
        found = race(variants, rounds, seconds, together=together, progress=progress)
        rows += _rows(size, backends, kinds, found)
    return rows


def checked_backends(backends) -> list[str]:
    """`backends`, which must be installed; None: those that are."""
    installed = [name for name in BACKENDS if importlib.util.find_spec(name)]
    if backends is None:
        return installed
    found = [one_of("backends", name, BACKENDS) for name in backends]
    missing = [name for name in found if name not in installed]
    if missing:
        raise ValueError(
            f"`backends` must be installed. Received: {missing}, which are not; pip install "
            f"{' '.join(missing)}, or leave them out."
        )
    return found


def variants_of(size: Size, backends, kinds) -> list[Variant]:
    """The variants of these kinds that there are on these backends."""
    found = []
    for backend in backends:
        for kind in kinds:
            if _exists(kind, backend):
                build = functools.partial(_build, kind, size)
                name, compiles = _name(backend, kind), kind != EAGER
                found.append(Variant(name, backend, build, compiles))
    return found


def _exists(kind, backend):
    return {COMPILED: backend == "tensorflow", EAGER: backend == "torch"}.get(kind, True)


def _name(backend, kind):
    return f"{backend} {kind}"


def _build(kind, size):
    if kind == EAGER:
        from aru_keras.runners.benchmark import eager_loop

        return eager_loop.training(size.batch, size.timesteps, size.units, size.controller_units)
    layer = _layer(kind, size)
    model = keras.Sequential([keras.Input((size.timesteps, 1)), layer, keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    jit = {STEP_BY_STEP: keras.config.backend() == "jax", COMPILED: True}.get(kind, "auto")
    model.compile(keras.optimizers.Adam(1e-4), loss, jit_compile=jit)
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(size.batch, size.timesteps, 1)).astype("float32")
    y = rng.integers(0, 10, size.batch)

    def run(count):
        for _ in range(count):
            model.train_on_batch(x, y)  # Gives the loss as a number: it has waited.

    return run


def _layer(kind, size):
    gated, *without_cudnn = kind.split(" without ")
    if gated not in ("GRU", "LSTM"):
        fused = "auto" if kind == AT_ONCE else False
        return ARU(size.units, size.controller_units, fused=fused)
    count = models.recurrent_parameters("arun", size.units, 1, 10, size.controller_units)
    units = models.matched_units(gated.lower(), count, 1, 10, tolerance=math.inf)
    return getattr(keras.layers, gated)(units, use_cudnn=False if without_cudnn else "auto")


def _rows(size, backends, kinds, found):
    measured = rates(found, backends)
    floor = measured.floor(size)
    rows = []
    for backend in backends:
        loop = _fastest(found, [_name(backend, kind) for kind in (STEP_BY_STEP, COMPILED)])
        eager = _fastest(found, [_name("torch", EAGER)])
        for kind in kinds:
            name = _name(backend, kind)
            row = {"size": str(size), "backend": backend, "kind": kind, "floor": floor}
            row |= {"operation_rate": measured.operations, "tanh_rate": measured.tanhs}
            if name in found.failures:
                rows.append(row | {"failure": found.failures[name]})
            elif name in found.timing.seconds:
                seconds = found.timing.median(name)
                row |= {"seconds": seconds, "memory": found.memory[name], "failure": None}
                row |= {"of_floor": seconds / floor, "of_step_by_step": _ratio(found, name, loop)}
                rows.append(row | {"of_eager_loop": _ratio(found, name, eager)})
    return rows


def _fastest(found, names):
    there = [name for name in names if name in found.timing.seconds]
    return min(there, key=found.timing.median, default=None)


def _ratio(found, name, of):
    return math.nan if of is None else found.timing.ratio(name, of)
