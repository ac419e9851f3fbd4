"""The time of a training step of the ARU, of an eager loop, and of gated networks of equal size."""

import functools
import math
from collections.abc import Sequence

import keras
import numpy as np

from aru_keras import models
from aru_keras._util.arguments import one_of
from aru_keras.layers import ARU
from aru_keras.probing import Recorder
from aru_keras.runners.benchmark.choices import (
    AT_ONCE,
    COMPILED,
    DEFAULT_KINDS,
    DEFAULT_SIZES,
    EAGER,
    KINDS,
    MASKED,
    MASKED_STEP_BY_STEP,
    PREDICTED,
    PREDICTED_STEP_BY_STEP,
    RECORDED,
    RECORDED_STEP_BY_STEP,
    SIZES,
    STEP_BY_STEP,
    Size,
    checked_backends,
)
from aru_keras.runners.benchmark.floor import rate_variants, rates
from aru_keras.runners.benchmark.processes import Variant, race
from aru_keras.runners.benchmark.timing import ROUNDS, SECONDS_A_TURN

PADDING = -1.0
"""The value after the end of a shorter sequence."""

TOGETHER = 2**29
"""Bytes of controller states in a training step, up to which all variants stay alive."""


def training(
    sizes: Sequence[str] = DEFAULT_SIZES,
    *,
    backends: Sequence[str] | None = None,
    kinds: Sequence[str] = DEFAULT_KINDS,
    rounds: int = ROUNDS,
    seconds: float = SECONDS_A_TURN,
    progress: bool = False,
) -> list[dict]:
    """Time training steps: loss, gradients and Adam, by `train_on_batch` with default settings.

    Args:
        sizes: Names in `SIZES`, or `Size` values.
        backends: Keras backends; by default all that are installed.
        kinds: Names in `KINDS`.
        rounds: Number of turns of each variant.
        seconds: Approximate duration of a turn in seconds.
        progress: Whether to show a bar.

    Returns:
        Rows with `size`, `backend`, `kind`, `seconds` per step and `memory` in bytes; the time as a
        multiple of that of the loop step by step on the same backend (`of_step_by_step`, the faster
        of the two jit settings), of the eager loop (`of_eager_loop`) and of the `floor`
        (`of_floor`), or NaN where it was not measured; and `failure`, the reason why there are no
        numbers, or None.

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
        results = race(variants, rounds, seconds, together=together, progress=progress)
        rows += _rows(size, backends, kinds, results)
    return rows


def variants_of(size: Size, backends: Sequence[str], kinds: Sequence[str]) -> list[Variant]:
    """The variants of these kinds that exist on these backends."""
    variants = []
    for backend in backends:
        for kind in kinds:
            if _exists(kind, backend):
                build = functools.partial(_build, kind, size)
                name, compiles = _name(backend, kind), kind != EAGER
                variants.append(Variant(name, backend, build, compiles))
    return variants


def _exists(kind, backend):
    return {COMPILED: backend == "tensorflow", EAGER: backend == "torch"}.get(kind, True)


def _name(backend, kind):
    return f"{backend} {kind}"


def _build(kind, size):
    if kind == EAGER:
        from aru_keras.runners.benchmark import eager_loop

        return eager_loop.training(size.batch, size.timesteps, size.units, size.controller_units)
    masked = kind in (MASKED, MASKED_STEP_BY_STEP)
    inputs = keras.Input((size.timesteps, 1))
    sequences = keras.layers.Masking(PADDING)(inputs) if masked else inputs
    model = keras.Model(inputs, keras.layers.Dense(10)(_layer(kind, size)(sequences)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    on_jax = keras.config.backend() == "jax"
    jit = {COMPILED: True}.get(kind, on_jax if kind.startswith(STEP_BY_STEP) else "auto")
    model.compile(keras.optimizers.Adam(1e-4), loss, jit_compile=jit)
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(size.batch, size.timesteps, 1)).astype("float32")
    y = rng.integers(0, 10, size.batch)
    if masked:
        lengths = np.linspace(size.timesteps / 2, size.timesteps, size.batch).astype(int)
        x[np.arange(size.timesteps) >= lengths[:, None]] = PADDING
    call = functools.partial(model.train_on_batch, x, y)  # Gives the loss as a number: it waits.
    if kind in (PREDICTED, PREDICTED_STEP_BY_STEP):
        call = functools.partial(model.predict_on_batch, x)
    elif kind in (RECORDED, RECORDED_STEP_BY_STEP):
        call = functools.partial(Recorder(model, ("n", "s")), x)
    return functools.partial(_repeated, call)


def _repeated(call, count):
    for _ in range(count):
        call()


def _layer(kind, size):
    gated, *without_cudnn = kind.split(" without ")
    if gated not in ("GRU", "LSTM"):
        at_once = True if kind == RECORDED else "auto"  # A turn repeats what has been compiled.
        fused = at_once if kind.startswith(AT_ONCE) else False
        return ARU(size.units, size.controller_units, fused=fused)
    count = models.recurrent_parameters("arun", size.units, 1, 10, size.controller_units)
    units = models.matched_units(gated.lower(), count, 1, 10, tolerance=math.inf)
    return getattr(keras.layers, gated)(units, use_cudnn=False if without_cudnn else "auto")


def _rows(size, backends, kinds, results):
    measured = rates(results, backends)
    floor = measured.floor(size)
    rows = []
    for backend in backends:
        loop = _fastest(results, [_name(backend, kind) for kind in (STEP_BY_STEP, COMPILED)])
        eager = _fastest(results, [_name("torch", EAGER)])
        for kind in kinds:
            name = _name(backend, kind)
            row = {"size": str(size), "backend": backend, "kind": kind, "floor": floor}
            row |= {"operation_rate": measured.operations, "tanh_rate": measured.tanhs}
            if name in results.failures:
                rows.append(row | {"failure": results.failures[name]})
            elif name in results.timing.seconds:
                seconds = results.timing.median(name)
                row |= {"seconds": seconds, "memory": results.memory[name], "failure": None}
                row |= {"of_floor": seconds / floor, "of_step_by_step": _ratio(results, name, loop)}
                rows.append(row | {"of_eager_loop": _ratio(results, name, eager)})
    return rows


def _fastest(results, names):
    timed = [name for name in names if name in results.timing.seconds]
    return min(timed, key=results.timing.median, default=None)


def _ratio(results, name, of):
    return math.nan if of is None else results.timing.ratio(name, of)
