"""Train a network with many options and seeds: a folder of runs, and a table of what came of it."""

import contextlib
import functools
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from aru_keras._util.arguments import whole
from aru_keras.runners import grid, sweep_table
from aru_keras.runners.cluster import ClusterError, Task, Workers, working
from aru_keras.runners.config import DATA, TrainConfig
from aru_keras.runners.finish import check_data, fingerprint_of, finish, in_turn, is_settled
from aru_keras.runners.options import LARGEST_SEED
from aru_keras.runners.run_folder import RunError, RunFolder
from aru_keras.runners.schedulers import as_workers
from aru_keras.runners.search_space import check_no_ranges, listed
from aru_keras.runners.train import DivergedError, compiled_network
from aru_keras.runners.work_folder import alone_in
from aru_keras.runners.worker import SECONDS_BETWEEN_TRIES

PATIENCE = 60
"""How many times is looked for the results of a run that a worker has trained."""

Runs = Mapping[tuple[TrainConfig, int], RunFolder]


def sweep(
    task: str | Sequence[str],
    *,
    seeds: int | Sequence[int] = 1,
    folder: str | os.PathLike | None = None,
    draws: int | None = None,
    draw_seed: int = 0,
    workers: Workers | int | None = None,
    say: Callable[[str], object] = print,
    **options: Any,
) -> str:
    """Train with all combinations of options, or some drawn of them, and each seed.

    What is trained already is not trained again, and what was broken off goes on. A sweep with
    more values, options or seeds in the same folder uses the runs that it shares with the first.
    A run that another process trains is waited for.

    Args:
        task: Name of a task, or several of them.
        seeds: Number of seeds, 0, 1, …, or the seeds themselves.
        folder: Folder of the sweep; by default `sweeps/TASK`.
        draws: Number of combinations to draw at random; None for all.
        draw_seed: Seed of the draw.
        workers: Workers of a Dask cluster that train, or their number on this machine; None for
            this process.
        say: Function that is called with a line of text before each run, or after it if workers
            train.
        **options: Fields of `TrainConfig`, each with a value or a list of values.

    Returns:
        The table in Markdown: means over seeds with 95 % intervals, best validation first. It is
        written to `sweep.md`, and one line a run to `sweep.csv`, in the folder, also if the sweep
        breaks off after a run.

    Raises:
        ValueError: A combination of options does not fit, or not to the data or the memory of the
            machine. Nothing is trained then.
        RunError: Another process works in the folder, or a run in it is damaged.
        tasks.DatasetError: The data is missing or damaged, or is not that of the runs in the
            folder.
        ImportError: Workers are wanted, and Dask distributed is not installed.
        ClusterError: The scheduler or the workers died. What is done is kept.
    """
    workers = as_workers(workers)
    values = {name: listed(value) for name, value in {"task": task, **options}.items()}
    check_no_ranges(values)
    configs = grid.configurations(values, draws, draw_seed)
    every_seed = checked_seeds(seeds)
    path = Path(folder or Path("sweeps") / grid.task_name(configs[0]))
    runs = _runs(path, configs, every_seed)
    fingerprints = _checked_data(runs)
    for run in runs.values():
        if run.results.exists():
            run.load_results()  # What is damaged is an error before anything is trained.
    missing = {key: run for key, run in runs.items() if not is_settled(run)}
    say(f"{len(runs)} runs, of which {len(runs) - len(missing)} are done")
    work = {run.path.name: _arguments(key, run, fingerprints) for key, run in missing.items()}
    check = (list(dict.fromkeys(config for config, _ in missing)), grid.varying(configs))
    if workers is None:
        check_fit(*check)
    with alone_in(path), _table_after_an_error(path, runs, missing):
        (path / "runs").mkdir(exist_ok=True)
        _train(work, check, workers, say, path)
        _check_settled(missing.values())
        return sweep_table.write(path, runs)


def check_fit(configs: Sequence[TrainConfig], names: Sequence[str]) -> None:
    """Check configurations as `train` does before it trains, here or on a worker.

    Args:
        configs: The configurations.
        names: Options that an error names with their values.

    Raises:
        ValueError: A configuration does not fit the data, or its network the memory.
        tasks.DatasetError: The data is missing or damaged, or has changed.
    """
    loaded: dict = {}
    for config in configs:
        which = tuple(getattr(config, name) for name in ("task", *DATA))
        with grid.in_combination({name: getattr(config, name) for name in names}):
            if which not in loaded:
                loaded = {which: config.load_task()}  # One at a time: it may be large.
            compiled_network(config, config.checked(loaded[which]))


def train_run(
    folder: str, values: Mapping, say: Callable[[str], object] = lambda line: None
) -> None:
    """Train a run of a sweep to its end, here or on a worker."""
    if not Path(folder).parent.is_dir():
        raise RunError(
            f"{Path(folder).parent} is not there. A folder on which several machines work must be "
            "on a file system that all of them share. Choose one with --dir."
        )
    with contextlib.suppress(DivergedError):  # A file in the folder of the run says so.
        in_turn(lambda: finish(RunFolder(folder), TrainConfig(**values)), say)


def _runs(path, configs, seeds):
    every = ((config, seed) for config in configs for seed in seeds)
    return {key: RunFolder(grid.run_path(path / "runs", *key)) for key in every}


def _checked_data(runs):
    """The fingerprint of the data of each run, which must be that of the runs in the folder."""
    fingerprint, fingerprints = functools.cache(fingerprint_of), {}
    for (config, seed), run in runs.items():
        wanted = config.fingerprint or fingerprint(config.task, config.source)
        check_data(run, wanted)
        fingerprints[config, seed] = wanted
    return fingerprints


def _arguments(key, run, fingerprints):
    """The arguments of `train_run`; data that changes during the sweep is an error then."""
    config, seed = key
    own = {"seed": seed, "fingerprint": fingerprints[key]}
    return os.path.abspath(run.path), config.to_dict() | own


def _train(work, check, workers, say, folder):
    if workers is None:
        for index, (name, arguments) in enumerate(work.items()):
            say(f"[{index + 1}/{len(work)}] {name}")
            train_run(*arguments, say)
        return
    # A worker checks, as it may have other memory, and this process no card.
    first = Task("check", "all options", f"{__name__}:check_fit", check)
    function = f"{__name__}:train_run"
    tasks = [Task("train", name, function, given, (first.key,)) for name, given in work.items()]
    with working([first, *tasks] if tasks else [], workers, say, folder) as wait:
        for task in [first, *tasks]:
            wait(task.key)


def _check_settled(runs):
    """Check that runs are done, as whoever trained them has said."""
    lost = [run.path for run in runs if not is_settled(run)]
    tries = PATIENCE
    while lost and tries:  # A file system between machines may show a new file late.
        time.sleep(SECONDS_BETWEEN_TRIES)
        lost, tries = [path for path in lost if not is_settled(RunFolder(path))], tries - 1
    if lost:
        raise ClusterError(
            f"{lost[0]} holds no finished run, though a worker has said that it is done. Let all "
            "workers see the same folder: choose one with --dir that all machines share."
        )


@contextlib.contextmanager
def _table_after_an_error(path: Path, runs: Runs, missing: Runs) -> Iterator[None]:
    """If the training breaks off after a run or more, write the table of what is done."""
    try:
        yield
    except BaseException:
        if any(is_settled(run) for run in missing.values()):
            sound = {key: run for key, run in runs.items() if not _is_damaged(run)}
            with contextlib.suppress(RunError):
                sweep_table.write(path, sound)
        raise


def _is_damaged(run):
    try:
        if run.results.exists():
            run.load_results()
    except RunError:
        return True
    return False


def checked_seeds(seeds: int | Sequence[int]) -> list[int]:
    """The seeds of a sweep, each once.

    Args:
        seeds: Number of seeds, 0, 1, …, or the seeds themselves.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(seeds, str) or not isinstance(seeds, Iterable):
        return list(range(whole("seeds", seeds, 1)))
    every = [whole("seeds", seed, 0, most=LARGEST_SEED) for seed in listed(seeds)]
    if not every:
        raise ValueError(
            "`seeds` must be a number of seeds, or a list of one seed or more. Received: an empty "
            "list. Give 1 for the seed 0."
        )
    return every
