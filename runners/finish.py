"""Train runs to their end exactly once, over several interrupted calls if need be."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import keras

from aru_keras import tasks
from aru_keras._util.checked_files import read_json, record, text, writing
from aru_keras._util.files import write_json
from aru_keras.runners import train
from aru_keras.runners.run_folder import RunError, RunFolder
from aru_keras.runners.worker import SECONDS_BETWEEN_TRIES
from aru_keras.tasks._fingerprint import differences
from aru_keras.tasks.specs import ARRAYS

Result = TypeVar("Result")

DIVERGED_FILE = "diverged.json"
"""Name of the file, in the folder of a run, that says why it diverged."""


def is_settled(folder: RunFolder) -> bool:
    """Whether a run is finished or has diverged, so that nothing is left to train."""
    return folder.results.exists() or has_diverged(folder)


def has_diverged(folder: RunFolder) -> bool:
    """Whether a file in the folder of a run says that it diverged."""
    return (folder.path / DIVERGED_FILE).exists()


def finish(
    folder: RunFolder,
    config: train.TrainConfig,
    verbose: int | str = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> None:
    """Train a run to its end, from the start or from its last whole epoch.

    Nothing is done if it is finished. If it diverges, a file in its folder says so, and later calls
    raise the same error without training.

    Args:
        folder: Folder of the run.
        config: Configuration of the run, if it is new. If it has the fingerprint of the data, that
            of an existing run must be the same.
        verbose: As in `train.train`.
        callbacks: As in `train.train`.

    Raises:
        DivergedError: The loss became NaN, now or in an earlier call.
        RunError: As in `train.train` and `train.resume`.
        tasks.DatasetError: The data is missing or damaged, or is not that of the run.
    """
    check_data(folder, config.fingerprint)
    if folder.results.exists():
        return
    _check_divergence(folder.path / DIVERGED_FILE)
    try:
        if folder.config.exists():
            train.resume(folder.path, verbose=verbose, callbacks=callbacks)
        else:
            train.train(config, run_dir=folder.path, verbose=verbose, callbacks=callbacks)
    except train.DivergedError as error:
        _keep(folder.path / DIVERGED_FILE, str(error))
        raise


def in_turn(work: Callable[[], Result], say: Callable[[str], object] = lambda line: None) -> Result:
    """Do work on a run, and wait before that as long as another process trains the run.

    Args:
        work: The work, which does nothing if another process holds the folder of the run.
        say: Function that is called with a line of text before the wait.

    Returns:
        What the work returns.
    """
    waits = False
    while True:
        try:
            return work()
        except RunError as error:
            if not isinstance(error.__cause__, BlockingIOError):
                raise
        if not waits:
            say("Another process trains this run: waiting for it")
        waits = True
        time.sleep(SECONDS_BETWEEN_TRIES)


def fingerprint_of(task: str, source: str | None = None) -> str | None:
    """The fingerprint of a task's data, as runs keep it.

    Args:
        task: Name of the task.
        source: The .npz from which its images are read, or None.

    Returns:
        The fingerprint; None for the tasks of the paper, unless their images are from an .npz.

    Raises:
        tasks.DatasetError: The data is missing or damaged.
    """
    if task in tasks.TASKS and source is None:
        return None
    data = tasks.load_task(task, source=source)
    return data.fingerprint if source or data.spec.collection == ARRAYS else None


def check_data(folder: RunFolder, fingerprint: str | None) -> None:
    """Check that a run, if there is one in the folder, has the data of a fingerprint.

    Args:
        folder: Folder of the run.
        fingerprint: What `fingerprint_of` gives; None for no check.

    Raises:
        tasks.DatasetError: The data has changed since the run began, or is missing or damaged.
    """
    if fingerprint is None or not folder.config.exists():
        return
    config = folder.load_config()
    if config.fingerprint not in (None, fingerprint):
        config.load_task()  # It says what has changed, unless the run has a copy of its data.
        changes = differences(config.fingerprint, fingerprint)
        raise tasks.DatasetError(
            f"{folder.path} holds a run with other data: {changes}. Restore the data, or choose "
            "another folder."
        )


def _check_divergence(path):
    if path.exists():
        stored = read_json(
            path,
            record({"reason": text}),
            holds="the reason why a run diverged",
            way_out="Remove it, and the run goes on after its last whole epoch.",
            error=RunError,
        )
        raise train.DivergedError(stored["reason"])


def _keep(path, reason):
    with writing(path, RunError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"reason": reason})
