"""The folder of work on many runs, in which one command works at a time."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from aru_keras._util.checked_files import writing
from aru_keras._util.files import make_folder
from aru_keras.runners.run_folder import RunError


@contextlib.contextmanager
def alone_in(path: str | os.PathLike) -> Iterator[Path]:
    """Make a folder if there is none, and lock it, so that no other command works there.

    Args:
        path: Path of the folder.

    Raises:
        ValueError: It cannot be a folder that can be written.
        RunError: Another process works in it.
    """
    folder = make_folder("folder", path)
    lock = FileLock(folder / ".lock", timeout=0)
    with writing(folder, RunError):
        try:
            lock.acquire()
        except Timeout as error:
            raise RunError(
                f"Another process works in {folder}. Wait for it, or choose another folder with "
                "--dir."
            ) from error
    try:
        yield folder
    finally:
        lock.release()
