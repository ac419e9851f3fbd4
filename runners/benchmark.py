"""Measure speed: variants in turn, round after round, in one process; medians, ratios a round."""

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

import gymnasium as gym
import keras
import numpy as np

from aru_keras import models
from aru_keras.arguments import whole
from aru_keras.envs import TASK_IDS, Probe
from aru_keras.layers import ARU
from aru_keras.probing.compiled import without_gradients

SIZES = ((400, 50), (64, 16))
"""Units N and controller units G: the paper's, and small ones."""

LANES = (1, 64, 256)
TRAINING_SIZES = ((64, 64, 64, 16), (64, 196, 128, 32))
"""Batch, steps, units and controller units of the networks whose training step is measured."""

ROUNDS = 7
SECONDS_A_ROUND = 0.2


@dataclass(frozen=True)
class Timing:
    """Seconds a call of several variants, measured in turn.

    Attributes:
        seconds: Variant to (rounds,) seconds a call.
    """

    seconds: dict[str, list[float]]

    def median(self, variant: str) -> float:
        """Median seconds a call."""
        return statistics.median(self.seconds[variant])

    def ratio(self, variant: str, of: str) -> float:
        """Median over rounds of one variant's time as a multiple of another's."""
        pairs = zip(self.seconds[variant], self.seconds[of], strict=True)
        return statistics.median(one / other for one, other in pairs)


def interleaved(variants: dict, rounds: int = ROUNDS, seconds: float = SECONDS_A_ROUND) -> Timing:
    """Time functions in turn, so that whatever else the machine does falls on all alike.

    Args:
        variants: Name to a function of the number of calls to make, which returns when all of
            their results are there.
        rounds: Times that each variant has its turn.
        seconds: About how long a turn is.
    """
    counts = {}
    for name, run in variants.items():
        run(2)  # Compiles.
        counts[name] = max(1, round(seconds / _elapsed(run, 3) * 3))
    found = {name: [] for name in variants}
    for _ in range(rounds):
        for name, run in variants.items():
            found[name].append(_elapsed(run, counts[name]) / counts[name])
    return Timing(found)


def training(sizes=TRAINING_SIZES, rounds: int = ROUNDS) -> list[dict]:
    """A training step of an ARU network, the sequence at once and step by step.

    The step is Keras' own, `train_on_batch`, with loss, gradients and Adam.

    Args:
        sizes: Batch B, steps T, units N and controller units G of each network.
        rounds: As in `interleaved`.

    Returns:
        Rows with `backend`, `batch`, `timesteps`, `units`, `controller_units`, `at_once` and
        `step_by_step` (seconds a training step) and `ratio` of the two.
    """
    rows = []
    for batch, timesteps, units, controller_units in sizes:
        steps = {
            name: _training(batch, timesteps, units, controller_units, fused)
            for name, fused in (("at_once", "auto"), ("step_by_step", False))
        }
        timing = interleaved(steps, rounds)
        row = {"backend": keras.config.backend(), "batch": batch, "timesteps": timesteps}
        row |= {"units": units, "controller_units": controller_units}
        row |= {name: timing.median(name) for name in steps}
        rows.append(row | {"ratio": timing.ratio("at_once", "step_by_step")})
    return rows


def training_table(rows: list[dict]) -> str:
    """The rows of `training` in Markdown."""
    lines = [
        "| backend | B | T | N | G | at once, ms | step by step, ms | at once / step by step |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        row = {**row, **{name: 1e3 * row[name] for name in ("at_once", "step_by_step")}}
        lines.append(
            "| {backend} | {batch} | {timesteps} | {units} | {controller_units} | {at_once:.1f} | "
            "{step_by_step:.1f} | {ratio:.2f} |".format(**row)
        )
    return "\n".join(lines)


def environments(
    sizes=SIZES, lanes=LANES, rounds: int = ROUNDS, task: str = "digits"
) -> list[dict]:
    """Steps of the vector environment alone, and with a network attached.

    Args:
        sizes: Pairs of units N and controller units G of the ARU attached.
        lanes: Numbers of lanes B.
        rounds: As in `interleaved`.
        task: Task of the environment.

    Returns:
        Rows with `backend`, `units`, `controller_units`, `lanes`, `alone`, `attached` (steps of
        the vector environment a second), `cell` (compiled calls of the bare cell a second) and
        `ratio`, the attached step's time as a multiple of the bare cell's.
    """
    rows = []
    for units, controller_units in sizes:
        for count in (whole("lanes", one, 1) for one in lanes):
            timing = _environment(task, units, controller_units, count, rounds)
            rows.append(
                {
                    "backend": keras.config.backend(),
                    "units": units,
                    "controller_units": controller_units,
                    "lanes": count,
                    **{name: 1 / timing.median(name) for name in timing.seconds},
                    "ratio": timing.ratio("attached", "cell"),
                }
            )
    return rows


def environments_table(rows: list[dict]) -> str:
    """The rows of `environments` in Markdown."""
    lines = [
        "| backend | N | G | lanes | environment alone, steps/s | network attached, steps/s | "
        "bare cell, steps/s | attached / bare cell |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            "| {backend} | {units} | {controller_units} | {lanes} | {alone:,.0f} | {attached:,.0f} "
            "| {cell:,.0f} | {ratio:.2f} |".format(**row)
        )
    return "\n".join(lines)


def on_backends(arguments: list[str], backends: list[str]) -> None:
    """Run `aru-keras benchmark` with `arguments` on each backend, in a process of its own."""
    for backend in backends:
        command = [sys.executable, "-m", "aru_keras.runners.cli", "benchmark", *arguments]
        subprocess.run(command, env={**os.environ, "KERAS_BACKEND": backend}, check=True)


def _environment(task, units, controller_units, lanes, rounds):
    def make():
        return gym.make_vec(TASK_IDS[task], lanes, vectorization_mode="vector_entry_point")

    alone = make()
    model = models.build_network(
        "arun", (alone.unwrapped.timesteps, 1), units=units, controller_units=controller_units
    )
    variants = {"alone": _stepping(alone), "attached": _stepping(Probe(make(), model))}
    variants["cell"] = _bare_cell(units, controller_units, lanes)
    return interleaved(variants, rounds)


def _stepping(env):
    """A function that makes so many steps, and waits for the signals of the last one."""
    actions = np.zeros(env.num_envs, int)
    env.reset(seed=0)

    def run(count):
        last = None
        for _ in range(count):
            last = env.step(actions)[-1].get("h", last)
        if last is not None:
            keras.ops.convert_to_numpy(last)

    return run


def _training(batch, timesteps, units, controller_units, fused):
    layer = ARU(units, controller_units, fused=fused)
    model = keras.Sequential([keras.Input((timesteps, 1)), layer, keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-4), loss)
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(batch, timesteps, 1)).astype("float32")
    y = rng.integers(0, 10, batch)

    def run(count):
        for _ in range(count):
            model.train_on_batch(x, y)  # Gives the loss as a number: it has waited.

    return run


def _bare_cell(units, controller_units, lanes):
    """The compiled call of a cell by itself, from h_{t−1}, g_{t−1} to h_t, g_t."""
    layer = ARU(units, controller_units)
    layer.build((lanes, None, 1))
    cell = layer.cell
    call = without_gradients(lambda x, state: cell(x, state), lambda: cell.variables, jit=True)
    pixels = keras.ops.convert_to_tensor(np.full((lanes, 1), 0.5, "float32"))

    def run(count):
        h, state = None, cell.get_initial_state(lanes)
        for _ in range(count):
            h, state = call(pixels, state)
        keras.ops.convert_to_numpy(h)

    return run


def _elapsed(run, count):
    started = time.perf_counter()
    run(count)
    return time.perf_counter() - started
