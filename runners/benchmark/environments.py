"""Steps per second of the vector environment, alone and with a network attached."""

from collections.abc import Sequence

import gymnasium as gym
import keras
import numpy as np

from aru_keras import models
from aru_keras._util.arguments import whole
from aru_keras._util.step_programs import step_program
from aru_keras.envs import TASK_IDS, VectorProbe
from aru_keras.layers import ARU
from aru_keras.runners.benchmark.choices import NUM_ENVS, ONLINE_SIZES
from aru_keras.runners.benchmark.timing import ROUNDS, interleaved


def environments(
    sizes: Sequence[tuple[int, int]] = ONLINE_SIZES,
    num_envs: Sequence[int] = NUM_ENVS,
    rounds: int = ROUNDS,
    task: str = "digits",
) -> list[dict]:
    """Time steps of the vector environment alone, and with a network attached.

    Args:
        sizes: Pairs of the units N and the controller units G of the attached ARU.
        num_envs: Numbers of sub-environments B.
        rounds: As in `interleaved`.
        task: Task of the environment.

    Returns:
        Rows with `backend`, `units`, `controller_units`, `num_envs`, `alone` and `attached` (steps
        of the vector environment per second), `cell` (compiled calls of the bare cell per second)
        and `ratio`, the time of an attached step as a multiple of that of the bare cell.
    """
    rows = []
    for units, controller_units in sizes:
        for count in (whole("num_envs", value, 1) for value in num_envs):
            timing = _environment(task, units, controller_units, count, rounds)
            rows.append(
                {
                    "backend": keras.config.backend(),
                    "units": units,
                    "controller_units": controller_units,
                    "num_envs": count,
                    **{name: 1 / timing.median(name) for name in timing.seconds},
                    "ratio": timing.ratio("attached", "cell"),
                }
            )
    return rows


def environments_table(rows: list[dict]) -> str:
    """The rows of `environments` in Markdown."""
    lines = [
        "| backend | N | G | sub-environments | environment alone, steps/s | "
        "network attached, steps/s | bare cell, steps/s | time, attached / bare cell |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            "| {backend} | {units} | {controller_units} | {num_envs} | {alone:,.0f} "
            "| {attached:,.0f} | {cell:,.0f} | {ratio:.2f} |".format(**row)
        )
    return "\n".join(lines)


def _environment(task, units, controller_units, num_envs, rounds):
    def make():
        return gym.make_vec(TASK_IDS[task], num_envs, vectorization_mode="vector_entry_point")

    alone = make()
    model = models.build_network(
        "arun", (alone.unwrapped.timesteps, 1), units=units, controller_units=controller_units
    )
    variants = {"alone": _stepping(alone), "attached": _stepping(VectorProbe(make(), model))}
    variants["cell"] = _bare_cell(units, controller_units, num_envs)
    return interleaved(variants, rounds)


def _stepping(env):
    """A function that makes a given number of steps, and waits for the signals of the last one."""
    actions = np.zeros(env.num_envs, int)
    env.reset(seed=0)

    def run(count):
        last = None
        for _ in range(count):
            last = env.step(actions)[-1].get("h", last)
        if last is not None:
            keras.ops.convert_to_numpy(last)

    return run


def _bare_cell(units, controller_units, num_envs):
    """The compiled call of a cell by itself, from h_{t−1}, g_{t−1} to h_t, g_t."""
    layer = ARU(units, controller_units)
    layer.build((num_envs, None, 1))
    cell = layer.cell

    def step(x, *state):
        h, state = cell(x, state)
        return [h, *state]

    call = step_program(step, cell.variables)
    pixels = keras.ops.convert_to_tensor(np.full((num_envs, 1), 0.5, "float32"))

    def run(count):
        h, state = None, cell.get_initial_state(num_envs)
        for _ in range(count):
            h, *state = call(pixels, *state)
        keras.ops.convert_to_numpy(h)

    return run
