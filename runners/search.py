"""Let Optuna choose the options of trainings: trials, of which bad ones are pruned, and a table."""

import contextlib
import dataclasses
import os
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aru_keras._util.arguments import whole
from aru_keras._util.extras import import_optuna
from aru_keras._util.files import make_folder
from aru_keras.runners import grid, scores, sweep_table
from aru_keras.runners.cluster import Task, Workers, working
from aru_keras.runners.config import TrainConfig
from aru_keras.runners.finish import check_data, fingerprint_of, finish, in_turn
from aru_keras.runners.pruning import PruneOnValidation
from aru_keras.runners.run_folder import RunError, RunFolder
from aru_keras.runners.schedulers import as_workers
from aru_keras.runners.search_space import SearchSpace, check_workers
from aru_keras.runners.study import Study
from aru_keras.runners.sweep import check_fit, checked_seeds
from aru_keras.runners.train import DivergedError

MOST_UNFIT = 5
"""Number of trials that may fail, because their options do not fit, before any other has ended."""


def search(
    task: str,
    *,
    trials: int,
    seeds: int | Sequence[int] = 1,
    folder: str | os.PathLike | None = None,
    draw_seed: int = 0,
    workers: Workers | int | None = None,
    say: Callable[[str], object] = print,
    **options: Any,
) -> str:
    """Train with options that Optuna chooses by the validation scores of earlier trials.

    A trial is pruned if its best validation score so far is below the median that the others had
    at the same epoch. The same search goes on where it was, and several processes that search in
    the same folder share the trials. A trial whose options do not fit the data or the memory of the
    machine is given up, and the next one follows.

    Args:
        task: Name of a task.
        trials: Number of trials, those of earlier calls among them.
        seeds: Number of seeds of each trial, 0, 1, …, or the seeds themselves. The score of a trial
            is the mean over them, and the first one decides whether it is pruned.
        folder: Folder of the sweep; by default `sweeps/TASK`.
        draw_seed: Seed of the draw.
        workers: Processes of this machine that work on trials, or their number; None for this
            process.
        say: Function that is called with a line of text before and after each trial, or at the end
            of each worker.
        **options: Fields of `TrainConfig`, each with a value, a list of values or a
            `ranges.Range` to choose from.

    Returns:
        The table of `sweep`, one row a trial, best validation first. It is written to `search.md`,
        and one line a run to `search.csv`, in the folder, also if the search breaks off.

    Raises:
        ValueError: Options do not fit, or those of the first trials do not, or the workers are
            those of a scheduler. Nothing is trained.
        RunError: The folder cannot be used, or a run in it is damaged.
        tasks.DatasetError: The data is missing or damaged, or is not that of earlier trials.
        ImportError: Optuna, or for workers Dask distributed, is not installed.
        ClusterError: The workers died. What is done is kept.
    """
    workers, space = as_workers(workers), SearchSpace({"task": task, **options})
    count, every_seed = whole("trials", trials, 1), checked_seeds(seeds)
    check_workers(workers.scheduler if workers else None)
    import_optuna()
    data = space.fingerprint(fingerprint_of)
    path = make_folder("folder", folder or Path("sweeps") / space.task).resolve()
    (path / "runs").mkdir(exist_ok=True)
    job = Job(path, space, tuple(every_seed), count, draw_seed, data)
    for (config, seed), run in job.ended(job.study()).items():
        check_data(run, job.config(config, seed).fingerprint)
    if space.size < count:
        say(f"Some of {count} trials repeat others: there are {space.size} combinations.")
    with _table_after_an_error(job):
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
        fingerprint: Fingerprint of the data, as `finish.fingerprint_of` gives it.
    """

    folder: Path
    space: SearchSpace
    seeds: tuple[int, ...]
    trials: int
    draw_seed: int
    fingerprint: str | None = None

    def study(self) -> Study:
        """The study in the folder."""
        name, *earlier = self.space.names(self.seeds, self.draw_seed)
        return Study(self.folder, name, self.draw_seed, earlier)

    def run(self, config: TrainConfig, seed: int) -> RunFolder:
        """The folder of a run."""
        return RunFolder(grid.run_path(self.folder / "runs", config, seed))

    def config(self, config: TrainConfig, seed: int) -> TrainConfig:
        """The configuration of a run, which has the fingerprint of the data."""
        fingerprint = config.fingerprint or self.fingerprint
        return dataclasses.replace(config, seed=seed, fingerprint=fingerprint)

    def ended(self, study: Study) -> dict[tuple[TrainConfig, int], RunFolder]:
        """The runs of the trials that have ended, by configuration and seed."""
        configs = [self.space.config(one.params) for one in study.trials("COMPLETE", "PRUNED")]
        return {(one, seed): self.run(one, seed) for one in configs for seed in self.seeds}


def run_trials(job: Job, say: Callable[[str], object] = lambda line: None) -> None:
    """Work on trials until there are enough of them, here or on a worker."""
    study, trial = job.study(), True
    while trial:
        with study.trial(job.trials, job.space.draw) as trial:
            if trial:
                chosen = job.space.choice(trial.params).items()
                listed = ", ".join(f"{name}={value}" for name, value in chosen)
                say(f"trial {trial.number}: {listed}")
                say(f"trial {trial.number}: {_tried(job, study, trial)}")
        _check_any_fits(study, min(job.trials, MOST_UNFIT))


def _tried(job, study, trial):
    """Train a trial, if its options fit; what came of it in words."""
    try:
        check_fit([job.config(job.space.config(trial.params), job.seeds[0])], ())
    except ValueError as error:
        reason = " ".join(str(error).split())
        study.refuse(trial, reason)
        return f"does not fit: {reason}"
    try:
        results = _results(job, trial)
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


def _results(job, trial):
    """The results of the runs of a trial, which sees the curve of the first one."""
    config, (first, *others) = job.space.config(trial.params), job.seeds
    curve = PruneOnValidation(trial, job.run(config, first), config.epochs)
    results = [_trained(job, config, first, [curve])]
    if results[0] is not None:
        curve.report_earlier()
    return results + [_trained(job, config, seed) for seed in others]


def _trained(job, config, seed, callbacks=()):
    """The results of a run; None if it diverged. If another process trains it, it is waited for."""
    folder, values = job.run(config, seed), job.config(config, seed)
    try:
        in_turn(lambda: finish(folder, values, callbacks=callbacks))
    except DivergedError:  # A file in the folder of the run says so.
        return None
    return folder.load_results()


def _check_any_fits(study, many):
    """Raise an error if so many trials failed because of their options, and no other one runs."""
    unfit = study.unfit()
    if len(unfit) >= many and not study.trials("COMPLETE", "PRUNED", "RUNNING"):
        raise ValueError(
            f"{unfit[max(unfit)]} So far, the options of none of {len(unfit)} trials fit: give "
            "other values or ranges."
        )


def _run_on_workers(job, workers, say):
    function = f"{__name__}:run_trials"
    names = [f"process {number}" for number in range(1, workers.workers + 1)]
    tasks = [Task("search", name, function, (job,)) for name in names]
    with working(tasks, workers, say) as wait:
        for task in tasks:
            wait(task.key)
    for number, reason in job.study().unfit().items():
        say(f"trial {number}: does not fit: {reason}")


@contextlib.contextmanager
def _table_after_an_error(job):
    """If the search breaks off, write the table of the trials that have ended."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(RunError):
            if job.ended(job.study()):
                _write_table(job)
        raise


def _write_table(job):
    """Write the table of the trials that have ended, in whatever process."""
    study = job.study()
    with study.alone():
        pruned = {
            job.space.config(trial.params): trial.last_step
            for trial in study.trials("PRUNED")
            if trial.last_step
        }
        runs, chosen = job.ended(study), list(job.space.chosen)
        return sweep_table.write(job.folder, runs, chosen, pruned, name="search")
