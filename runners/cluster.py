"""Pieces of work on the workers of a Dask cluster: of this machine, or of a scheduler."""

import contextlib
import os
import pickle
import time
import uuid
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from aru_keras._util.checked_files import writing
from aru_keras._util.extras import import_distributed
from aru_keras.runners import schedulers, worker
from aru_keras.runners.provenance import versions
from aru_keras.runners.run_folder import RunError
from aru_keras.runners.schedulers import ClusterError, Workers

__all__ = ["ClusterError", "Task", "Workers", "working"]

GOES_ON = "What is done is kept: the same command goes on where it was."

SECONDS_BETWEEN_LOOKS = 10.0
"""How often is looked whether there are workers, while a task is waited for."""

MARK = ".seen-by-workers-"
"""Beginning of the name of a file by which a worker sees that it has the folder of the command."""

# Workers, and the scheduler, read this text though they lack the package, and say so.
CALL = """
import platform
try:
    from aru_keras.runners.worker import call
except ImportError as error:
    reason = f"The worker on {platform.node()} cannot import aru-keras ({error})."
    raise ImportError(reason, name="aru_keras") from None
call(*arguments)
"""


@dataclass(frozen=True)
class Task:
    """A piece of work: a function that makes a file in a folder that all workers see.

    Attributes:
        kind: What it does in a word, such as "train".
        name: Name of what is made. Kind and name together must be unique.
        function: Name of the function, as in "package.module:function".
        arguments: Arguments of the function, which must pickle.
        needs: Keys of the tasks that must be done before.
    """

    kind: str
    name: str
    function: str
    arguments: tuple
    needs: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The kind and the name."""
        return f"{self.kind} {self.name}"


@contextlib.contextmanager
def working(
    tasks: Collection[Task],
    workers: Workers,
    say: Callable[[str], object] = print,
    folder: str | os.PathLike | None = None,
) -> Iterator[Callable[[str], None]]:
    """Start tasks on workers, and give a function that waits for one of them by its key.

    A task whose worker dies is done again by another worker. What is not done at the end of the
    context is given up.

    Args:
        tasks: Tasks, each after those that it needs. Without tasks no cluster is used.
        workers: Workers to use.
        say: Function that is called with a line of text after each task.
        folder: Folder that all workers must see; None if that is not checked.

    Raises:
        ImportError: Dask distributed is not installed.
        ValueError: There is no scheduler at the address.
        ClusterError: From the function that waits: the scheduler, or one worker after another,
            died, or a worker does not fit this command. What the task itself raises is raised
            there as well.
    """
    if not tasks:
        yield lambda key: None
        return
    distributed = import_distributed()
    worker.keep_random_numbers()
    with _marked(folder) as mark, schedulers.connected(distributed, workers, say) as client:
        sees = schedulers.look_for_workers(client, workers, say)
        futures = _submit(client, tasks, workers.resources, mark)
        with _last_words(futures, workers, say):
            yield _Waiting(distributed, client, futures, workers, say, sees)


class _Waiting:
    """Waits for a task by its key, and says which tasks are done meanwhile."""

    def __init__(self, distributed, client, futures, workers, say, sees):
        self.distributed, self.client, self.futures = distributed, client, futures
        self.workers, self.say, self.sees = workers, say, sees
        self.keys = {future.key: key for key, future in futures.items()}
        self.ended = distributed.as_completed(list(futures.values()), loop=client.loop)
        self.done, self.said = set(), set()
        self.next_look = time.monotonic() + SECONDS_BETWEEN_LOOKS

    def __call__(self, key):
        if key not in self.futures:
            return
        while key not in self.done:
            self._note(self._next(), key)
        if self.futures[key].status != "finished":  # Its result is None, and need not be sent.
            raise self._error(key)

    def _next(self):
        """The next task that ends."""
        while not self.ended.has_ready():
            self._look()
            time.sleep(0.02)
        return next(self.ended)

    def _look(self):
        """Say so if all workers have left."""
        if time.monotonic() > self.next_look:
            self.sees = schedulers.look_for_workers(self.client, self.workers, self.say, self.sees)
            self.next_look = time.monotonic() + SECONDS_BETWEEN_LOOKS

    def _note(self, future, awaited):
        """Say how a task ended. A worker that does not fit would spoil one task after another."""
        key = self.keys[future.key]
        self.done.add(key)
        if future.status == "finished":
            self.say(f"done ({len(self.done)}/{len(self.futures)}): {key}")
            return
        error = self._error(key)
        if isinstance(error, ClusterError):
            raise error
        text = " ".join(str(error).split())
        if key != awaited and text not in self.said:  # Those that need it fail with its error.
            self.say(f"failed ({len(self.done)}/{len(self.futures)}): {key}: {text}")
        self.said.add(text)

    def _error(self, key):
        """The error of a task that failed."""
        gone = (self.distributed.CancelledError, self.distributed.comm.CommClosedError)
        try:
            error = self.futures[key].exception()
        except gone:
            error = None  # As of a task that was cancelled.
        text = self._words(key, error)
        if text is None:
            return error
        broken = ClusterError(f"{text} {GOES_ON}")
        broken.__cause__ = error
        return broken

    def _words(self, key, error):
        """What is wrong with the cluster; None if it is the task that failed."""
        where = self.workers.scheduler or "of the workers on this machine"
        if error is None:
            return f"The Dask scheduler {where} is gone."
        if isinstance(error, self.distributed.scheduler.KilledWorker):
            count = error.allowed_failures + 1
            return f"{count} workers died one after another in {key!r}, for want of memory perhaps."
        if isinstance(error, ImportError) and error.name == "aru_keras":
            return f"{error} Start it in an environment like this one."
        if "deserialization of the task graph" in str(error):
            return (
                f"The Dask scheduler {where} cannot read the work. Start it with the same versions "
                "of Python and Dask as this command."
            )
        return None


def _submit(client, tasks, resources, mark):
    """The future of each task by its key. The scheduler may do the work of others as well."""
    futures, alone, wanted = {}, uuid.uuid4().hex, versions()
    for task in tasks:
        after = [futures[key] for key in task.needs]
        given = (task.function, pickle.dumps(task.arguments), wanted, after, mark)
        futures[task.key] = client.submit(
            exec,
            CALL,
            {"arguments": given},
            key=(task.kind, task.name, alone),
            resources=dict(resources) or None,
            pure=False,
        )
    return futures


@contextlib.contextmanager
def _marked(folder):
    """A file in a folder that workers must see; None without a folder."""
    if folder is None:
        yield None
        return
    with writing(folder, RunError):
        mark = Path(folder).absolute() / f"{MARK}{uuid.uuid4().hex}"
        mark.touch()
    try:
        yield str(mark)
    finally:
        with contextlib.suppress(OSError):
            mark.unlink()


@contextlib.contextmanager
def _last_words(futures, workers, say):
    """If the command breaks off, say that the workers of a scheduler do not."""
    try:
        yield
    except BaseException:
        if workers.scheduler and any(future.status == "pending" for future in futures.values()):
            say(
                "Workers of the scheduler go on with the runs that they have begun, to their end. "
                "To stop them, end the workers: all whole epochs are kept."
            )
        raise
