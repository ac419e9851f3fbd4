"""Train a network with many options and seeds: a folder of runs, and a table of what came of it."""

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from aru_keras._util.arguments import whole
from aru_keras.runners import grid, sweep_table
from aru_keras.runners.cluster import Task, Workers, working
from aru_keras.runners.config import TrainConfig
from aru_keras.runners.finish import finish, is_settled
from aru_keras.runners.options import LARGEST_SEED
from aru_keras.runners.run_folder import RunError, RunFolder
from aru_keras.runners.search_space import check_no_ranges, listed
from aru_keras.runners.train import DivergedError
from aru_keras.runners.work_folder import alone_in


def sweep(
    task: str | Sequence[str],
    *,
    seeds: int | Sequence[int] = 1,
    folder: str | os.PathLike | None = None,
    draws: int | None = None,
    draw_seed: int = 0,
    workers: Workers | None = None,
    say: Callable[[str], object] = print,
    **options: Any,
) -> str:
    """Train with all combinations of options, or some drawn of them, and each seed.

    What is trained already is not trained again, and what was broken off goes on. A sweep with
    more values, options or seeds in the same folder uses the runs that it shares with the first.

    Args:
        task: Name of a task, or several of them.
        seeds: Number of seeds, 0, 1, …, or the seeds themselves.
        folder: Folder of the sweep; by default `sweeps/TASK`.
        draws: Number of combinations to draw at random; None for all.
        draw_seed: Seed of the draw.
        workers: Workers of a Dask cluster that train; None for this process.
        say: Function that is called with a line of text before each run, or after it if workers
            train.
        **options: Fields of `TrainConfig`, each with a value or a list of values.

    Returns:
        The table in Markdown: means over seeds with 95 % intervals, best validation first. It is
        written to `sweep.md`, and one line a run to `sweep.csv`, in the folder.

    Raises:
        ValueError: A combination of options does not fit. Nothing is trained then.
        RunError: Another process works in the folder, or a run in it is damaged.
        ImportError: Workers are wanted, and Dask distributed is not installed.
        ClusterError: The scheduler or the workers died. What is done is kept.
    """
    values = {name: listed(value) for name, value in {"task": task, **options}.items()}
    check_no_ranges(values)
    configs = grid.configurations(values, draws, draw_seed)
    every_seed = checked_seeds(seeds)
    with alone_in(folder or Path("sweeps") / grid.task_name(configs[0])) as path:
        runs = {
            (config, seed): RunFolder(path / "runs" / grid.run_name(config, seed))
            for config in configs
            for seed in every_seed
        }
        (path / "runs").mkdir(exist_ok=True)
        _train(runs, workers, say)
        return sweep_table.write(path, runs)


def train_run(folder: str, values: Mapping) -> None:
    """Train a run of a sweep to its end, here or on a worker."""
    if not Path(folder).parent.is_dir():
        raise RunError(
            f"{Path(folder).parent} is not there. A folder on which several machines work must be "
            "on a file system that all of them share. Choose one with --dir."
        )
    with contextlib.suppress(DivergedError):  # A file in the folder of the run says so.
        finish(RunFolder(folder), TrainConfig(**values))


def _train(runs, workers, say):
    """Train what is not trained yet."""
    missing = {
        folder.path.name: (os.path.abspath(folder.path), config.to_dict() | {"seed": seed})
        for (config, seed), folder in runs.items()
        if not is_settled(folder)
    }
    say(f"{len(runs)} runs, of which {len(runs) - len(missing)} are done")
    if workers is None:
        for index, (name, arguments) in enumerate(missing.items()):
            say(f"[{index + 1}/{len(missing)}] {name}")
            train_run(*arguments)
        return
    function = f"{__name__}:train_run"
    tasks = [Task("train", name, function, arguments) for name, arguments in missing.items()]
    with working(tasks, workers, say) as wait:
        for task in tasks:
            wait(task.key)


def checked_seeds(seeds: int | Sequence[int]) -> list[int]:
    """The seeds of a sweep, each once.

    Args:
        seeds: Number of seeds, 0, 1, …, or the seeds themselves.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(seeds, Sequence) and not isinstance(seeds, str):
        return list(dict.fromkeys(whole("seeds", seed, 0, most=LARGEST_SEED) for seed in seeds))
    return list(range(whole("seeds", seeds, 1)))
