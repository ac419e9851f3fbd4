"""Let Optuna choose the options of trainings: trials, of which bad ones are pruned, and a table."""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aru_keras._util.arguments import whole
from aru_keras._util.extras import import_optuna
from aru_keras._util.files import make_folder
from aru_keras.runners import grid, scores, sweep_table
from aru_keras.runners.cluster import Task, Workers, working
from aru_keras.runners.finish import finish, is_settled
from aru_keras.runners.pruning import PruneOnValidation
from aru_keras.runners.run_folder import RunError, RunFolder
from aru_keras.runners.search_space import SearchSpace, check_workers
from aru_keras.runners.study import Study
from aru_keras.runners.sweep import checked_seeds
from aru_keras.runners.train import DivergedError
from aru_keras.runners.worker import SECONDS_BETWEEN_TRIES


def search(
    task: str,
    *,
    trials: int,
    seeds: int | Sequence[int] = 1,
    folder: str | os.PathLike | None = None,
    draw_seed: int = 0,
    workers: Workers | None = None,
    say: Callable[[str], object] = print,
    **options: Any,
) -> str:
    """Train with options that Optuna chooses by the validation scores of earlier trials.

    A trial is pruned if its best validation score so far is below the median that the others had
    at the same epoch. The same search goes on where it was, and several processes that search in
    the same folder share the trials.

    Args:
        task: Name of a task.
        trials: Number of trials, those of earlier calls among them.
        seeds: Number of seeds of each trial, 0, 1, …, or the seeds themselves. The score of a trial
            is the mean over them, and the first one decides whether it is pruned.
        folder: Folder of the sweep; by default `sweeps/TASK`.
        draw_seed: Seed of the draw.
        workers: Processes of this machine that work on trials; None for this process.
        say: Function that is called with a line of text before and after each trial, or at the end
            of each worker.
        **options: Fields of `TrainConfig`, each with a value, a list of values or a
            `ranges.Range` to choose from.

    Returns:
        The table of `sweep`, one row a trial, best validation first.

    Raises:
        ValueError: Options do not fit, or the workers are those of a scheduler. Nothing is trained.
        RunError: The folder cannot be used, or a run in it is damaged.
        ImportError: Optuna, or for workers Dask distributed, is not installed.
        ClusterError: The workers died. What is done is kept.
    """
    space = SearchSpace({"task": task, **options})
    count, every_seed = whole("trials", trials, 1), checked_seeds(seeds)
    check_workers(workers.scheduler if workers else None)
    import_optuna()
    path = make_folder("folder", folder or Path("sweeps") / space.task).resolve()
    (path / "runs").mkdir(exist_ok=True)
    job = Job(path, space, tuple(every_seed), count, draw_seed)
    if workers is None:
        run_trials(job, say)
    else:
        _run_on_workers(job, workers, say)
    return _write_table(job)


@dataclass(frozen=True)
class Job:
    """What the processes of a search need to know.

    Attributes:
        folder: Folder of the sweep.
        space: What is chosen from.
        seeds: Seeds of each trial.
        trials: Number of trials.
        draw_seed: Seed of the draw.
    """

    folder: Path
    space: SearchSpace
    seeds: tuple[int, ...]
    trials: int
    draw_seed: int

    def study(self) -> Study:
        """The study in the folder."""
        return Study(self.folder, self.space.name(self.seeds, self.draw_seed), self.draw_seed)

    def run(self, config: Any, seed: int) -> RunFolder:
        """The folder of a run."""
        return RunFolder(self.folder / "runs" / grid.run_name(config, seed))


def run_trials(job: Job, say: Callable[[str], object] = lambda line: None) -> None:
    """Work on trials until there are enough of them, here or on a worker."""
    study = job.study()
    while True:
        with study.trial(job.trials, job.space.draw) as trial:
            if trial is None:
                return
            chosen = job.space.choice(trial.params).items()
            listed = ", ".join(f"{name}={value}" for name, value in chosen)
            say(f"trial {trial.number}: {listed}")
            say(f"trial {trial.number}: {_tried(job, study, trial)}")


def _tried(job, study, trial):
    """Train a trial; what came of it in words."""
    config = job.space.config(trial.params)
    first, *others = job.seeds
    try:
        results = [_trained(job.run(config, first), config, first, trial)]
        results += [_trained(job.run(config, seed), config, seed) for seed in others]
    except study.optuna.TrialPruned as pruned:
        study.finish(trial, None)
        return str(pruned)
    if None in results:
        study.finish(trial, None)
        return "diverged"
    score = scores.score_of(results[0])
    mean = statistics.fmean(result[f"validation_{score}"] for result in results)
    study.finish(trial, mean)
    return f"validation {scores.WORDS[score]} {mean:.4f}"


def _trained(folder, config, seed, trial=None):
    """The results of a run, whose curve a trial sees; None if it diverged.

    A run that another process trains is waited for.
    """
    curve = None if trial is None else PruneOnValidation(trial, folder, config.epochs)
    values = type(config)(**config.to_dict() | {"seed": seed})
    while True:
        try:
            finish(folder, values, callbacks=[curve] if curve else [])
        except DivergedError:  # A file in the folder of the run says so.
            return None
        except RunError as error:
            if not isinstance(error.__cause__, BlockingIOError):
                raise
            time.sleep(SECONDS_BETWEEN_TRIES)
        else:
            break
    if curve:
        curve.report_earlier()
    return folder.load_results()


def _run_on_workers(job, workers, say):
    function = f"{__name__}:run_trials"
    names = [f"process {number}" for number in range(1, workers.workers + 1)]
    tasks = [Task("search", name, function, (job,)) for name in names]
    with working(tasks, workers, say) as wait:
        for task in tasks:
            wait(task.key)


def _write_table(job):
    """Write the table of the trials that have ended, in whatever process."""
    study = job.study()
    with study.alone():
        ended = study.trials("COMPLETE", "PRUNED")
        steps = {job.space.config(trial.params): trial.last_step for trial in ended}
        runs = {(config, seed): job.run(config, seed) for config in steps for seed in job.seeds}
        unfinished = {
            config: step
            for config, step in steps.items()
            if not is_settled(job.run(config, job.seeds[0]))
        }
        return sweep_table.write(job.folder, runs, list(job.space.chosen), unfinished)
