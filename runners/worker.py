"""The work of a worker of a cluster: it calls functions of this package by their names.

Workers import this module before there is any work. So it imports neither Keras nor Dask.
"""

import contextlib
import functools
import gc
import importlib
import io
import os
import pickle
import platform
import random
import sys
import time
from collections.abc import Mapping, Sequence

from aru_keras.runners import console

THREADED = ("dask", "distributed", "tornado")
"""Packages that draw random numbers in other threads of a worker."""

SECONDS_BETWEEN_TRIES = 1.0
"""Seconds between two attempts on a run that another process still trains."""


def call(
    function: str,
    arguments: bytes,
    versions: Mapping[str, str],
    after: Sequence,
    mark: str | None = None,
) -> None:
    """Call a function on a worker. It writes files, and nothing is returned.

    If another process still trains the run, for example a worker that the scheduler has given up,
    the call waits for it.

    Args:
        function: Name of the function, as in "package.module:function".
        arguments: Arguments of the function, pickled, as they may need Keras.
        versions: The result of `provenance.versions` in the process that ordered the work.
        after: Results that this call has to wait for; they are not used.
        mark: A file that the command has put into its folder; None if that is not checked.

    Raises:
        ClusterError: The worker has more than one thread, another backend or other versions, or
            does not see the folder.
    """
    keep_random_numbers()
    _load_keras()
    _check_threads(_threads())
    _check_versions(tuple(versions.items()))
    _check_mark(mark)
    module, _, name = function.partition(":")
    work = getattr(importlib.import_module(module), name)
    unpacked = pickle.loads(arguments)
    with contextlib.redirect_stdout(io.StringIO()):
        while not _done(work, unpacked):
            time.sleep(SECONDS_BETWEEN_TRIES)


def keep_random_numbers() -> None:
    """Keep Dask from drawing numbers of Python's generator, from which Keras draws seeds.

    Threads of Dask draw from it at any time, also between `keras.utils.set_random_seed` and the
    first weights. After this call the loaded modules of Dask have generators of their own.
    """
    for name, module in list(sys.modules.items()):  # Thousands, at every call.
        if name.startswith(THREADED) and getattr(module, "random", None) is random:
            own = random.Random()
            own.Random = random.Random  # type: ignore[attr-defined]  # Of which some make their own.
            module.random = own  # type: ignore[attr-defined]


@functools.cache
def _load_keras():
    """Import Keras, whose objects, which live to the end, no garbage collection looks at again."""
    console.load_keras()
    gc.collect()
    gc.freeze()


def _done(work, arguments):
    """Do the work, and return True; False if another process holds the folder of the run."""
    from aru_keras.runners.run_folder import RunError
    from aru_keras.tasks import DatasetError

    try:
        work(*arguments)
    except DatasetError as error:  # Data may lack on this machine alone.
        raise DatasetError(f"On the machine {platform.node()}: {error}") from error
    except RunError as error:
        if isinstance(error.__cause__, BlockingIOError):
            return False
        raise
    return True


def _threads():
    """The number of tasks that this worker does at the same time."""
    try:
        return sys.modules["distributed"].get_worker().state.nthreads
    except (KeyError, ValueError):  # No worker of Dask.
        return 1


def _check_threads(count):
    """Refuse threads: Keras' seeds and the output are those of the whole process."""
    if count > 1:
        from aru_keras.runners.schedulers import ClusterError

        raise ClusterError(
            f"The worker on {platform.node()} has {count} threads for Dask, and trainings in one "
            "process would change each other's numbers. Start it with --nthreads 1, and several "
            "workers for several cores. What is done is kept: the same command goes on."
        )


def _check_mark(mark):
    """Refuse to work in a folder that is not the one of the command."""
    if mark is not None and not os.path.exists(mark):
        from aru_keras.runners.schedulers import ClusterError

        raise ClusterError(
            f"The worker on {platform.node()} does not see the folder {os.path.dirname(mark)} of "
            "this command. Choose with --dir a folder on a file system that all workers share."
        )


@functools.cache
def _check_versions(wanted):
    from aru_keras.runners.provenance import versions
    from aru_keras.runners.schedulers import ClusterError

    actual = versions()
    others = [f"{name} {actual.get(name)}" for name, value in wanted if actual.get(name) != value]
    if others:
        here = ", ".join(f"{name} {value}" for name, value in wanted if actual.get(name) != value)
        raise ClusterError(
            f"The worker on {platform.node()} has {', '.join(others)}, and this command {here}. "
            "Results must not depend on the worker: start all workers in an environment like "
            "this one, with the same KERAS_BACKEND."
        )
