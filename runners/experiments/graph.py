"""The trainings and measurements that a reproduction lacks, as tasks for the workers of a cluster.

A measurement comes after the training of its network, and a training after those that it starts
from and those that choose its learning rate. What is made are the files of the workspace.
"""

import contextlib
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from aru_keras.runners import train
from aru_keras.runners.cluster import Task, Workers, working
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.experiment import Experiment
from aru_keras.runners.experiments.presets import Preset
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.workspace import Workspace
from aru_keras.runners.run_folder import RunError


@contextlib.contextmanager
def measuring(
    workspace: Workspace,
    experiments: Sequence[Experiment],
    seeds: Sequence[int],
    workers: Workers | None,
) -> Iterator[Callable[[Experiment, Sequence[int]], Results]]:
    """Give a function like `Workspace.results`, whose work is done by workers.

    Args:
        workspace: Folder of the reproduction.
        experiments: Experiments to measure.
        seeds: Seeds of the experiments, of which each takes as many as it allows.
        workers: Workers to use; None for this process.
    """
    if workers is None:
        yield workspace.results
        return
    tasks = missing_tasks(workspace, experiments, seeds)
    with working(tasks.values(), workers, workspace.say, workspace.path) as wait:

        def results(experiment, seeds):
            for name, seed in _networks(workspace.preset, experiment, seeds):
                wait(_measurement(workspace, experiment, name, seed).key)
            return workspace.results(experiment, seeds)

        yield results


def missing_tasks(
    workspace: Workspace, experiments: Sequence[Experiment], seeds: Sequence[int]
) -> dict[str, Task]:
    """The tasks that make what a workspace lacks, by key, each after those that it needs.

    Args:
        workspace: Folder of the reproduction.
        experiments: Experiments to measure.
        seeds: Seeds of the experiments, of which each takes as many as it allows.
    """
    tasks: dict[str, Task] = {}
    for experiment in experiments:
        for name, seed in _networks(workspace.preset, experiment, seeds):
            if workspace.lacks(experiment, name, seed):
                needs = _add_training(tasks, workspace, name, seed)
                task = _measurement(workspace, experiment, name, seed, needs)
                tasks[task.key] = task
    return tasks


def train_network(path: str, preset: Preset, name: str, seed: int) -> None:
    """Train a network of a reproduction, on a worker."""
    with contextlib.suppress(train.DivergedError):  # A file in the folder of the run says so.
        _workspace(path, preset).network(name, seed)


def measure_network(path: str, preset: Preset, experiment: str, name: str, seed: int) -> None:
    """Measure a network of a reproduction, on a worker."""
    _workspace(path, preset).measured(EXPERIMENTS[experiment], name, seed)


def _networks(preset, experiment, seeds):
    """Names and seeds of the networks of an experiment, in the order of its measurements."""
    for name in experiment.trainings(preset):
        for seed in seeds[: experiment.seeds]:
            yield name, seed


def _add_training(tasks, workspace, name, seed):
    """Add a training and those that it needs, if they are missing; the keys to wait for."""
    earlier = [
        key
        for needed in workspace.needs(name, seed)
        for key in _add_training(tasks, workspace, *needed)
    ]
    if workspace.is_settled(name, seed):
        return earlier
    where = _shared(workspace)
    arguments = (*where, name, seed)
    task = Task(
        "train", f"{name}-seed{seed}", f"{__name__}:train_network", arguments, tuple(earlier)
    )
    tasks.setdefault(task.key, task)
    return [task.key]


def _measurement(workspace, experiment, name, seed, needs=()):
    arguments = (*_shared(workspace), experiment.name, name, seed)
    what = f"{experiment.name} of {name}-seed{seed}"
    return Task("measure", what, f"{__name__}:measure_network", arguments, tuple(needs))


def _shared(workspace):
    """What leads a worker to the workspace."""
    return os.path.abspath(workspace.path), workspace.preset


def _workspace(path, preset):
    """The workspace on a worker, which must see the same folder."""
    if not (Path(path) / "preset.json").exists():
        raise RunError(
            f"The worker on {platform.node()} does not see the folder {path}. Choose with "
            "--dir a folder on a file system that all workers share."
        )
    return Workspace(path, preset, lambda line: None)
