"""The Dask cluster that work is given to: new processes of this machine, or a scheduler's."""

import contextlib
import json
import logging
import multiprocessing
import os
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aru_keras._util.arguments import finite, instance, whole
from aru_keras._util.machine import cores
from aru_keras.runners.cluster_options import checked_scheduler
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

SECONDS_TO_CONNECT = 30.0
"""How long a scheduler may take to answer."""

GUARD = (
    "Each worker imports the script that starts it: put the call under "
    'if __name__ == "__main__":, as in docs/cluster.md.'
)


class ClusterError(RunError):
    """A cluster that broke down or does not fit; the message says what is kept."""


@dataclass(frozen=True)
class Workers:
    """The workers to use, either new ones on this machine or those of a scheduler.

    Attributes:
        workers: Number of processes to start on this machine.
        scheduler: Address of a Dask scheduler, such as "tcp://node1:8786", or the path of its
            scheduler file, such as "scheduler.json", which is waited for.
        resources: What each piece of work takes of a worker of the scheduler, by name.

    Raises:
        ValueError: `workers` is no number above 0, not one of the two is given, or the resources
            are no numbers by name or not those of a scheduler.
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
        else:
            object.__setattr__(self, "scheduler", checked_scheduler(self.scheduler))
        instance("resources", self.resources, Mapping, 'Name them, as in {"GPU": 1}.')
        amounts = {name: finite("resources", n, 0) for name, n in self.resources.items()}
        object.__setattr__(self, "resources", amounts)
        if self.resources and self.scheduler is None:
            raise ValueError(
                "`resources` are those that the workers of a scheduler offer. Received: "
                f"{self.resources} with workers={self.workers}. Leave them out."
            )


def as_workers(workers: Workers | int | None) -> Workers | None:
    """The workers of a command that is about to start them; None stays None.

    Args:
        workers: Workers, the number of processes to start on this machine, or None.

    Raises:
        ValueError: It is none of these.
        SystemExit: This process is itself a worker, which imports a script without a guard.
    """
    if workers is not None and not isinstance(workers, Workers):
        workers = Workers(workers)
    if workers is not None and workers.workers is not None:
        _check_guard()
    return workers


@contextlib.contextmanager
def connected(distributed: Any, workers: Workers, say: Callable[[str], object]) -> Iterator[Any]:
    """A client of the scheduler, or of a new one on this machine.

    Args:
        distributed: The package.
        workers: The workers.
        say: Function that is called with a line of text.

    Raises:
        ValueError: There is no scheduler at the address.
        ClusterError: The processes of this machine do not start.
    """
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with contextlib.ExitStack() as stack:
        if workers.workers is not None:
            address = stack.enter_context(local(distributed, workers.workers))
        else:
            address = _address(workers.scheduler, say)
        try:
            if workers.scheduler is not None:
                _knock(address)
            client = distributed.Client(address, set_as_default=False)
            stack.enter_context(client)
        except (OSError, ValueError, distributed.comm.CommClosedError) as error:
            raise ValueError(
                "`scheduler` must be the address of a Dask scheduler that runs, as in "
                f"tcp://node1:8786. Received: {workers.scheduler or address!r} ({error})."
            ) from error
        if "dashboard" in client.scheduler_info(0)["services"]:
            say(f"Dashboard: {client.dashboard_link}")
        yield client


def local(distributed: Any, count: int) -> Any:
    """A cluster on this machine, whose workers share its cores and its memory.

    Args:
        distributed: The package.
        count: Number of workers.

    Raises:
        ClusterError: The processes do not start.
    """
    of_each = max(cores() // count, 1)
    try:
        return distributed.LocalCluster(
            n_workers=count,
            threads_per_worker=1,  # A worker does one thing at a time; its backend has threads.
            memory_limit=distributed.system.MEMORY_LIMIT // count,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
            env={name: os.environ.get(name, str(of_each)) for name in THREAD_VARIABLES},
        )
    except RuntimeError as error:
        raise ClusterError(
            f"The workers on this machine did not start ({error}). {GUARD}"
        ) from error


def look_for_workers(
    client: Any, workers: Workers, say: Callable[[str], object], before: bool = True
) -> bool:
    """Whether there is a worker that can do the work; if there is none now, say so.

    Args:
        client: The client.
        workers: The workers, with the resources that they must have.
        say: Function that is called with a line of text.
        before: What an earlier look saw; after False nothing is said again.
    """
    offers = [info["resources"] for info in client.scheduler_info(-1)["workers"].values()]
    needed = workers.resources.items()
    if any(all(offer.get(name, 0) >= amount for name, amount in needed) for offer in offers):
        return True
    if before:
        listed = ", ".join(f"{name}={amount:g}" for name, amount in needed)
        what = f" with the resources {listed}" if listed else ""
        say(f"The scheduler has no worker{what} now: waiting for one.")
    return False


def _check_guard():
    """End a worker that imports a script which starts workers, as the script has no guard."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise SystemExit(GUARD)


def _address(scheduler, say):
    """The address of a scheduler, which may stand in a file that does not exist yet."""
    if not scheduler.endswith(".json"):
        return scheduler
    path, said = Path(scheduler), False
    while (address := _read_address(path)) is None:
        if not said:
            say(f"Waiting for the scheduler file {path.absolute()}.")
        said = True
        time.sleep(0.1)
    return address


def _read_address(path):
    """The address in a scheduler file; None if it is not there, or not completely written."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or not isinstance(content.get("address"), str):
        raise ValueError(
            "`scheduler` must be the address of a Dask scheduler that runs, or the file that "
            f"dask scheduler --scheduler-file writes. Received: {path}, without an address."
        )
    return content["address"]


def _knock(address):
    """Wait until a port answers. Unlike the start of Dask's client, this can be interrupted."""
    parts = re.fullmatch(r"(?:tcp|tls)://\[?([^\]]+)\]?:(\d+)", address)
    deadline = time.monotonic() + SECONDS_TO_CONNECT
    while parts:
        try:
            return socket.create_connection((parts[1], int(parts[2])), timeout=2).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
    return None
