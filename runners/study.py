"""A study of Optuna in the folder of a sweep, which several processes share and any may leave."""

import contextlib
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from aru_keras._util.checked_files import writing
from aru_keras._util.extras import import_optuna
from aru_keras.runners.run_folder import RunError

FILE = "study.db"
"""Name of the SQLite file that holds the studies of a folder."""

UNFIT = "unfit"
"""Attribute of a trial whose options do not fit: the reason."""

SECONDS_TO_WAIT = 60.0
"""How long a process waits for another one that writes the file."""


class Study:
    """Trials that processes take one by one.

    A process that works on a trial holds a lock. Where nobody holds it, the process has died: the
    trial failed, and its options are tried anew. A trial whose options do not fit fails as well,
    but counts as one of the study, and its options are not tried again.

    Args:
        folder: Folder of the sweep.
        name: Name of the study. If the file holds one of this name, it goes on.
        draw_seed: Seed of the draw. Alone, a process draws the same options every time.
        earlier: Other names of this study. If the file holds one of them, it goes on.

    Raises:
        ImportError: Optuna is not installed.
        RunError: The folder cannot be written, or the file is damaged.
    """

    def __init__(self, folder: Path, name: str, draw_seed: int, earlier: Sequence[str] = ()):
        self.optuna = import_optuna()
        self.folder, self.name, self.draw_seed = folder, name, draw_seed
        self.locks = folder / ".trials"
        with writing(folder, RunError):
            self.locks.mkdir(exist_ok=True)
            with self.alone(), _quiet(self.optuna):
                self.study = self._opened([name, *earlier])

    def alone(self) -> FileLock:
        """The lock that a process holds while it looks at the trials of all, or writes a table."""
        return FileLock(self.locks / "all.lock")

    @contextlib.contextmanager
    def trial(self, most: int, draw: Callable[[Any], None]) -> Iterator[Any]:
        """In the context, the next trial is this process's; None if no trial is left.

        Args:
            most: Number of trials of the study.
            draw: Function that draws the options of a trial.

        Raises:
            RunError: Another process has ended the trial, or the file of the study is busy.
        """
        with self._answering(), contextlib.ExitStack() as stack:
            with self.alone():
                self._give_up_dead()
                trial = self._ask(most)
                if trial is not None:
                    stack.enter_context(self._lock(trial.number))
                    draw(trial)
            try:
                yield trial
            except self.optuna.exceptions.UpdateFinishedTrialError as error:
                raise _ended_elsewhere(trial) from error

    def trials(self, *states: str) -> list[Any]:
        """The trials in some states, in their order.

        Args:
            *states: Names of states in `optuna.trial.TrialState`.
        """
        wanted = tuple(self.optuna.trial.TrialState[state] for state in states)
        with self._answering():
            return self.study.get_trials(deepcopy=False, states=wanted)

    def finish(self, trial: Any, score: float | None) -> None:
        """Store the end of a trial.

        Args:
            trial: The trial.
            score: Its score; None if it was pruned or has diverged.
        """
        state = self.optuna.trial.TrialState.PRUNED if score is None else None
        try:
            self.study.tell(trial, score, state=state)
        except ValueError as error:  # Scores are numbers, so it is the state of the trial.
            raise _ended_elsewhere(trial) from error

    def refuse(self, trial: Any, reason: str) -> None:
        """Store that the options of a trial do not fit.

        Args:
            trial: The trial.
            reason: The reason in words.
        """
        trial.set_user_attr(UNFIT, reason)
        try:
            self.study.tell(trial, state=self.optuna.trial.TrialState.FAIL)
        except ValueError as error:
            raise _ended_elsewhere(trial) from error

    def unfit(self) -> dict[int, str]:
        """The reasons why options did not fit, by the number of the trial."""
        failed = self.trials("FAIL")
        return {one.number: one.user_attrs[UNFIT] for one in failed if UNFIT in one.user_attrs}

    @contextlib.contextmanager
    def _answering(self):
        """Turn what SQLite says of a file that is busy or on a full disk into one line."""
        try:
            yield
        except self.optuna.exceptions.StorageInternalError as error:
            reason = getattr(error.__cause__, "orig", None) or error
            raise RunError(
                f"{self.folder / FILE} could not be read or written ({reason}): another program "
                "may hold it, or the disk be full. What is done is kept: the same command goes on."
            ) from error

    def _opened(self, names):
        path = self.folder / FILE
        try:
            storage = self.optuna.storages.RDBStorage(
                f"sqlite:///{path}", {"connect_args": {"timeout": SECONDS_TO_WAIT}}
            )
            there = self.optuna.get_all_study_names(storage)
            self.name = next((name for name in names if name in there), names[0])
            return self.optuna.create_study(
                storage=storage,
                study_name=self.name,
                direction="maximize",
                pruner=self.optuna.pruners.MedianPruner(),
                load_if_exists=True,
            )
        except Exception as error:  # SQLAlchemy's, whose names are none of ours.
            raise RunError(
                f"{path} must be the file of Optuna's studies. It cannot be used ({error}). Move "
                "it away: finished runs are used again, but the search begins anew."
            ) from error

    def _ask(self, most):
        count = len(self.trials("COMPLETE", "PRUNED", "RUNNING")) + len(self.unfit())
        if count >= most:
            return None
        # A seed for each trial: processes do not draw the same, and a second start goes on.
        seed = random.Random(f"{self.draw_seed} {count}").getrandbits(32)
        self.study.sampler = self.optuna.samplers.TPESampler(seed=seed)
        return self.study.ask()

    def _give_up_dead(self):
        """Let the trials of dead processes fail, and put their options first in the queue."""
        for trial in self.trials("RUNNING"):
            with contextlib.suppress(Timeout), self._lock(trial.number):
                self.study.tell(trial.number, state=self.optuna.trial.TrialState.FAIL)
                if UNFIT not in trial.user_attrs:
                    self.study.enqueue_trial(trial.params)

    def _lock(self, number):
        return FileLock(self.locks / f"{self.name}-{number}.lock", timeout=0)


def _ended_elsewhere(trial):
    return RunError(
        f"Trial {trial.number} has been ended by another process, which took this one for dead, as "
        "it does where a file system carries no locks between machines. Search from one machine at "
        "a time. What is done is kept."
    )


@contextlib.contextmanager
def _quiet(optuna):
    """Keep Optuna from saying that it makes a file or a study."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(level)
