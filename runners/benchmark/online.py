"""The time of one step of one sequence: the compiled step of probes, and other ways to take it."""

import functools
import math
from collections.abc import Callable, Sequence

import keras
import numpy as np

from aru_keras.layers import ARU
from aru_keras.probing import OnlineStep
from aru_keras.runners.benchmark.choices import ONLINE_SIZES, checked_backends
from aru_keras.runners.benchmark.processes import Variant, race
from aru_keras.runners.benchmark.timing import ROUNDS, SECONDS_A_TURN

PROBE, PLAIN, HELD = "OnlineStep", "OnlineStep, h alone", "OnlineStep, h alone, weights held"


def online(
    sizes: Sequence[tuple[int, int]] = ONLINE_SIZES,
    *,
    backends: Sequence[str] | None = None,
    rounds: int = ROUNDS,
    progress: bool = False,
) -> list[dict]:
    """Time single steps of an ARU network at B = 1, whose signals are not read.

    Args:
        sizes: Pairs of the units N and the controller units G.
        backends: Keras backends; by default all that are installed.
        rounds: Number of turns of each variant.
        progress: Whether to show a bar.

    Returns:
        Rows with `units`, `controller_units`, `backend`, `kind`, `seconds` per step,
        `of_online_step`, the time as a multiple of that of `OnlineStep` on the same backend, and
        `failure`, the reason why there are no numbers, or None.
    """
    backends, rows = checked_backends(backends), []
    for size in sizes:
        kinds = [(backend, kind) for backend in backends for kind in KINDS[backend]]
        variants = [
            Variant(f"{backend} {kind}", backend, functools.partial(KINDS[backend][kind], *size))
            for backend, kind in kinds
        ]
        results = race(variants, rounds, SECONDS_A_TURN, progress=progress)
        for backend, kind in kinds:
            row = {"units": size[0], "controller_units": size[1], "backend": backend, "kind": kind}
            rows.append(row | _measured(results, f"{backend} {kind}", f"{backend} {PROBE}"))
    return rows


def _measured(results, name, probe):
    if name in results.failures:
        return {"failure": results.failures[name]}
    seconds = results.timing.median(name)
    ratio = math.nan if probe in results.failures else results.timing.ratio(name, probe)
    return {"seconds": seconds, "of_online_step": ratio, "failure": None}


def _probe(units, controller_units, signals=None, **options):
    step = OnlineStep(_layer(units, controller_units), signals, **options)
    return _stepping(step, step.initial_state(1))


def _cell(units, controller_units):
    cell = _layer(units, controller_units).cell
    return _stepping(lambda x, state: cell(x, state), cell.get_initial_state(1))


def _tf_function(units, controller_units):
    import tensorflow as tf

    cell = _layer(units, controller_units).cell
    return _stepping(tf.function(lambda x, state: cell(x, state)), cell.get_initial_state(1))


def _jax_captured(units, controller_units):
    import jax

    cell = _layer(units, controller_units).cell
    return _stepping(jax.jit(lambda x, state: cell(x, state)), cell.get_initial_state(1))


def _jax_with_signals(units, controller_units):
    import jax

    cell, names = _layer(units, controller_units).cell, ("a", "n", "s", "h")

    @jax.jit
    def step(x, state):
        signals, state = cell.step(x, state)
        return signals["h"], state, {name: signals[name] for name in names}

    return _stepping(step, cell.get_initial_state(1))


def _torch_eager(units, controller_units):
    from aru_keras.runners.benchmark import eager_loop

    return eager_loop.online(units, controller_units)


_PROBES: dict[str, Callable] = {
    PROBE: _probe,
    PLAIN: functools.partial(_probe, signals="h"),
    HELD: functools.partial(_probe, signals="h", hold_weights=True),
}
KINDS: dict[str, dict[str, Callable]] = {
    "tensorflow": {**_PROBES, "tf.function": _tf_function, "cell, eager": _cell},
    "jax": {
        **_PROBES,
        "jax.jit, weights captured": _jax_captured,
        "jax.jit, weights captured, with signals": _jax_with_signals,
        "cell, eager": _cell,
    },
    "torch": {**_PROBES, "eager loop": _torch_eager, "cell, eager": _cell},
}
"""Ways to take a step, by backend."""


def _layer(units, controller_units):
    layer = ARU(units, controller_units)
    layer.build((1, None, 1))
    return layer


def _stepping(step, state):
    pixel = keras.ops.convert_to_tensor(np.full((1, 1), 0.5, "float32"))

    def run(count):
        h, now = None, state
        for _ in range(count):
            h, now, *_ = step(pixel, now)
        keras.ops.convert_to_numpy(h)

    return run
