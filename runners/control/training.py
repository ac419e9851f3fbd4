"""Train an agent in an environment: one folder holds everything that comes of it.

Environments cannot be saved. So a run consists of stretches of `save_every` updates, and each of
them begins new episodes, and draws new random numbers, from a seed that its number decides. A run
that was killed goes on from the last whole stretch, and ends like an unbroken one.
"""

import contextlib
import math
import os
import random
import re
import sys
import time
from typing import Any

import keras
import numpy as np
from gymnasium.envs.registration import EnvSpec

from aru_keras import models
from aru_keras._util.arguments import shown
from aru_keras._util.files import make_folder, write_json
from aru_keras.runners.callbacks import DivergedError
from aru_keras.runners.control.agent import ControlAgent, build_agent
from aru_keras.runners.control.config import PREFIX, ControlConfig
from aru_keras.runners.control.environments import make_world
from aru_keras.runners.control.evaluation import evaluate
from aru_keras.runners.control.events import Events
from aru_keras.runners.control.folder import MOMENTS, AgentFolder
from aru_keras.runners.control.ppo import Learner
from aru_keras.runners.control.segments import Collector
from aru_keras.runners.control.video import record_episode
from aru_keras.runners.provenance import versions
from aru_keras.runners.run_folder import WorldError
from aru_keras.runners.train import _training_in

EVALUATION = 2**31
"""Number of the stretch whose seed the evaluation in the end has."""


def train(
    environment: str | ControlConfig,
    model: str = "arun",
    *,
    run_dir: str | os.PathLike | None = None,
    verbose: int | str = "auto",
    **options: Any,
) -> dict:
    """Train an agent from scratch.

    Args:
        environment: Name of an environment of Gymnasium, with or without "gym:", or a whole
            `ControlConfig`.
        model: Name of a network in `models.NETWORKS`.
        run_dir: Folder of the run; by default a new one in `runs/`.
        verbose: 0 for silence; otherwise a line a checkpoint.
        **options: Fields of `ControlConfig`.

    Returns:
        What `results.json` holds: `mean_return` and `std_return` of the last policy, …

    Raises:
        ValueError: For a bad argument, and for an environment that an agent cannot see or act in.
        RunError: If `run_dir` holds a run already, or another process trains there.
        WriteError: If the folder cannot be written any more; the last checkpoint is kept.
        WorldError: If the environment fails with an `OSError`; the last checkpoint is kept.
        DivergedError: If a loss becomes NaN; the last checkpoint is kept.
    """
    config = environment
    if not isinstance(environment, ControlConfig):
        name = _checked_id(environment).removeprefix(PREFIX)
        config = ControlConfig.of_options({"task": PREFIX + name, "model": model, **options})
    if run_dir:
        AgentFolder(run_dir).check_free()
    world = _world(config)
    with contextlib.closing(world.env):
        folder = _folder(run_dir, config)
        with _agent_training_in(folder):
            folder.begin(config)
            return _run(config, world, folder, None, [], verbose)


def resume(run_dir: str | os.PathLike, *, verbose: int | str = "auto") -> dict:
    """Continue the run in `run_dir` after its last checkpoint, as if it had not been broken.

    Args:
        run_dir: Folder of the run.
        verbose: As in `train`.

    Returns:
        As `train`; at once, if the run is finished.

    Raises:
        RunError: If there is no run in the folder, something in it is damaged, or another process
            trains it.
        WriteError: As `train`.
        WorldError: As `train`.
        DivergedError: As `train`.
    """
    folder = AgentFolder(run_dir)
    config = folder.load_agent_config()
    if folder.results.exists():
        return {**folder.load_results(), "run_dir": str(folder.path)}
    with _agent_training_in(folder):
        network, rows = folder.load_state()
        if network is not None:  # It may have been killed before it kept the model.
            folder.keep_best(len(rows))
        world = _world(config)
        with contextlib.closing(world.env):
            return _run(config, world, folder, network, rows, verbose)


@contextlib.contextmanager
def _agent_training_in(folder):
    """As for other runs; and if the environment fails, say how to resume."""
    with _training_in(folder):
        try:
            yield
        except WorldError as error:
            raise WorldError(
                f"{error} The state after the last checkpoint is kept. Continue with aru-keras "
                f"train --resume {folder.path}."
            ) from error.__cause__


def _checked_id(environment):
    """The name of an environment, which must be text."""
    if isinstance(environment, str):
        return environment
    spec = getattr(environment, "spec", None)
    known = (
        f'Give its id, "{spec.id}".'
        if isinstance(spec, EnvSpec)
        else "Register it with gymnasium.register, and give its id."
    )
    raise ValueError(
        "`environment` must be the id of an environment of Gymnasium, as text, or a ControlConfig: "
        f"a run makes its environments again when it resumes. Received: {shown(environment)}. "
        f"{known}"
    )


def _world(config):
    return make_world(config.environment, config.num_envs, **config.world_options)


def _run(config, world, folder, network, rows, verbose):
    if network is None:
        keras.utils.set_random_seed(config.seed)
        names = "units", "controller_units", "detach_value"
        options = {name: getattr(config, name) for name in names}
        network = build_agent(config.model, world.features, world.actions, **options)
    agent = ControlAgent(network, world.actions)
    moments = [rows[-1][name] for name in MOMENTS] if rows else [0.0] * 3
    driven = world.gives_drive and agent.driven
    learner = Learner(network, world.actions, config, moments, driven=driven)
    if verbose:
        _announce(config, world, network, folder, len(rows))
    collector, events = Collector(agent, world), Events(folder.events)
    for number in range(len(rows), len(config.stretches)):
        row = _stretch(config, number, collector, learner, folder)
        rows.append(row)
        folder.commit_epoch(network, rows, best=True)
        events.write(row)
        if verbose:
            _report(config, row)
    return _finish(config, agent, folder, rows)


def _stretch(config, number, collector, learner, folder):
    """The updates between two checkpoints; the row of the history."""
    started, logs = time.perf_counter(), []
    rng = np.random.default_rng([config.seed, number])
    seed = stretch_seed(config.seed, number)
    _seed_global_generators(seed)
    collector.begin(seed)
    learner.scale.begin()
    updates = config.stretches[number]
    for update in updates:
        segment = collector.segment(config.num_steps, rng)
        logs.append(learner.learn(segment, update, rng))
        _check_finite(logs[-1], update, number, folder)
    seconds = time.perf_counter() - started
    world, steps = collector.world, len(updates) * config.batch_size
    return {
        "epoch": number + 1,
        "environment_steps": updates.stop * config.batch_size,
        # Where no episode has ended, what those that run have brought so far.
        "mean_return": float(np.mean(world.returns if world.returns else world.running)),
        "episodes": len(world.returns),
        **{name: float(np.mean([log[name] for log in logs])) for name in sorted(logs[0])},
        "learning_rate": config.learning_rate_at(updates[-1]),
        "seconds": seconds,
        "steps_per_second": steps / seconds,
        **dict(zip(MOMENTS, learner.scale.moments, strict=True)),
    }


def stretch_seed(seed: int, number: int) -> int:
    """The seed of the episodes of a stretch."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0]) % 2**31


def _seed_global_generators(seed):
    """Some environments draw from them, and a resumed run has to draw what an unbroken one does."""
    random.seed(seed)
    np.random.seed(seed)


def _check_finite(logs, update, number, folder):
    for name, value in logs.items():
        if not math.isfinite(value):
            kept = f"The state after checkpoint {number} is kept in {folder.path}."
            raise DivergedError(
                f"The {name} became {value} in update {update + 1}. "
                f"{kept if number else 'There is no earlier state.'} "
                "Train anew with a lower --learning-rate or --max-grad-norm."
            )


def _finish(config, agent, folder, rows):
    """Evaluate the last policy, show it, and write the results."""
    world, seed = _world(config), stretch_seed(config.seed, EVALUATION)
    with contextlib.closing(world.env):
        _seed_global_generators(seed)
        returns = evaluate(agent, world, episodes=config.evaluation_episodes, seed=seed)
    seconds = sum(row["seconds"] for row in rows)
    steps = rows[-1]["environment_steps"]
    results = {
        "run_dir": str(folder.path),
        "task": config.task,
        "model": config.model,
        "mean_return": float(returns.mean()),
        "std_return": float(returns.std()),
        "evaluation_episodes": len(returns),
        "environment_steps": steps,
        "parameters": models.trainable_parameters(agent.model),
        "units": config.units,
        "train_seconds": seconds,
        "steps_per_second": steps / seconds,
        "versions": versions(),
    }
    write_json(folder.results, results)
    record_episode(agent, config, folder.path / "policy.gif", seed=seed)
    return results


def _folder(run_dir, config):
    if run_dir:
        return AgentFolder(make_folder("run_dir", run_dir))
    name = re.sub(r"[^\w.-]+", "-", config.environment)
    return AgentFolder.new("runs", f"{name}-{config.model}-{time.strftime('%Y%m%d-%H%M%S')}")


def _announce(config, world, network, folder, done):
    print(
        f"{config.model} of {config.units} units, {models.trainable_parameters(network):,} "
        f"parameters, in {config.environment}: {world.features} features, "
        f"{world.env.single_action_space}, {config.updates} updates of {config.batch_size} steps."
    )
    print(f"Run folder: {folder.path}" + (f", resumed after checkpoint {done}" if done else ""))


def _report(config, row):
    print(
        f"Steps {row['environment_steps']:>9,} of {config.updates * config.batch_size:,}: "
        f"mean return {row['mean_return']:.1f} ({row['episodes']} episodes), "
        f"{row['steps_per_second']:.0f} steps a second",
        file=sys.stdout,
        flush=True,
    )
