"""Pieces of work on the workers of a Dask cluster: of this machine, or of a scheduler."""

import contextlib
import logging
import os
import pickle
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from aru_keras._util.arguments import whole
from aru_keras._util.extras import import_distributed
from aru_keras._util.machine import cores
from aru_keras.runners import worker
from aru_keras.runners.provenance import versions
from aru_keras.runners.run_folder import RunError

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "NPROC",
)
"""Environment variables that limit the threads of NumPy, PyTorch, TensorFlow and JAX."""

LOGGERS = ("distributed", "distributed.client", "tornado.application")
"""Loggers, each of a level of its own, that would repeat what is raised here."""

GOES_ON = "What is done is kept: the same command goes on where it was."


class ClusterError(RunError):
    """A cluster that broke down; the message says what is kept."""


@dataclass(frozen=True)
class Workers:
    """The workers to use, either new ones on this machine or those of a scheduler.

    Attributes:
        workers: Number of processes to start on this machine.
        scheduler: Address of a Dask scheduler, such as "tcp://node1:8786", or the path of its
            scheduler file, such as "scheduler.json", which is waited for.
        resources: What each piece of work takes of a worker of the scheduler, by name.

    Raises:
        ValueError: `workers` is no number above 0, or not one of the two is given.
    """

    workers: int | None = None
    scheduler: str | None = None
    resources: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self):
        if (self.workers is None) == (self.scheduler is None):
            raise ValueError(
                "Either `workers` or `scheduler` must be given. Received: "
                f"workers={self.workers!r}, scheduler={self.scheduler!r}."
            )
        if self.workers is not None:
            object.__setattr__(self, "workers", whole("workers", self.workers, 1))


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
    tasks: Collection[Task], workers: Workers, say: Callable[[str], object] = print
) -> Iterator[Callable[[str], None]]:
    """Start tasks on workers, and give a function that waits for one of them by its key.

    A task whose worker dies is done again by another worker. What is not done at the end of the
    context is given up.

    Args:
        tasks: Tasks, each after those that it needs. Without tasks no cluster is used.
        workers: Workers to use.
        say: Function that is called with a line of text after each task.

    Raises:
        ImportError: Dask distributed is not installed.
        ValueError: There is no scheduler at the address.
        ClusterError: From the function that waits: the scheduler, or one worker after another,
            died. What the task itself raises is raised there as well.
    """
    if not tasks:
        yield lambda key: None
        return
    distributed = import_distributed()
    worker.keep_random_numbers()
    with _client(distributed, workers, say) as client:
        futures = _submit(client, tasks, workers.resources)
        yield _Waiting(distributed, futures, workers, say)


class _Waiting:
    """Waits for a task by its key, and says which tasks are done meanwhile."""

    def __init__(self, distributed, futures, workers, say):
        self.distributed, self.futures, self.workers, self.say = distributed, futures, workers, say
        self.keys = {future.key: key for key, future in futures.items()}
        every = list(futures.values())
        self.ended = iter(distributed.as_completed(every, loop=every[0].client.loop))
        self.done = set()

    def __call__(self, key):
        if key not in self.futures:
            return
        while key not in self.done:
            future = next(self.ended)
            self.done.add(self.keys[future.key])
            if future.status == "finished":
                count = f"{len(self.done)}/{len(self.futures)}"
                self.say(f"done ({count}): {self.keys[future.key]}")
        self._check(key)

    def _check(self, key):
        if self.futures[key].status == "finished":  # Its result is None, and need not be sent.
            return
        killed = self.distributed.scheduler.KilledWorker
        try:
            self.futures[key].result()
        except killed as error:
            raise ClusterError(
                f"{error.allowed_failures + 1} workers died one after another in {key!r}, for want "
                f"of memory perhaps. {GOES_ON}"
            ) from error
        except (self.distributed.CancelledError, self.distributed.comm.CommClosedError) as error:
            where = self.workers.scheduler or "of the workers on this machine"
            raise ClusterError(f"The Dask scheduler {where} is gone. {GOES_ON}") from error


def _submit(client, tasks, resources):
    """The future of each task by its key. The scheduler may do the work of others as well."""
    futures, alone, wanted = {}, uuid.uuid4().hex, versions()
    for task in tasks:
        after = [futures[key] for key in task.needs]
        futures[task.key] = client.submit(
            worker.call,
            task.function,
            pickle.dumps(task.arguments),
            wanted,
            after,
            key=(task.kind, task.name, alone),
            resources=dict(resources) or None,
            pure=False,
        )
    return futures


@contextlib.contextmanager
def _client(distributed, workers, say):
    """A client of the scheduler, or of a new one on this machine."""
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with contextlib.ExitStack() as stack:
        address = workers.scheduler
        if address is None:
            address = stack.enter_context(_local(distributed, workers.workers))
        try:
            kind = "scheduler_file" if str(address).endswith(".json") else "address"
            client = distributed.Client(**{kind: address}, set_as_default=False)
            stack.enter_context(client)
        except (OSError, ValueError, distributed.comm.CommClosedError) as error:
            raise ValueError(
                "`scheduler` must be the address of a Dask scheduler that runs, as in "
                f"tcp://node1:8786. Received: {address!r} ({error})."
            ) from error
        if "dashboard" in client.scheduler_info(0)["services"]:
            say(f"Dashboard: {client.dashboard_link}")
        _look_for_workers(client, workers, say)
        yield client


def _local(distributed, count):
    """A cluster on this machine, whose workers share its cores and its memory."""
    of_each = max(cores() // count, 1)
    return distributed.LocalCluster(
        n_workers=count,
        threads_per_worker=1,  # A worker does one thing at a time; its backend has threads.
        memory_limit=distributed.system.MEMORY_LIMIT // count,
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
        env={name: os.environ.get(name, str(of_each)) for name in THREAD_VARIABLES},
    )


def _look_for_workers(client, workers, say):
    """Say so if there is no worker yet that can do the work."""
    offers = [info["resources"] for info in client.scheduler_info(-1)["workers"].values()]
    needed = workers.resources.items()
    if not any(all(offer.get(name, 0) >= amount for name, amount in needed) for offer in offers):
        listed = ", ".join(f"{name}={amount:g}" for name, amount in needed)
        what = f" with the resources {listed}" if listed else ""
        say(f"The scheduler has no worker{what} yet: waiting for one.")
