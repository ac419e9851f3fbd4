"""Files that are whole or absent, and the lock on what one process at a time may use."""

import contextlib
import errno
import hashlib
import json
import os
import platform
import re
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

_PREFIX = ".writing-"
_TEMPORARY = re.compile(rf"{re.escape(_PREFIX)}([0-9a-f]{{8}})-(\d+)-[0-9a-f]{{8}}-.+")
_MACHINE = hashlib.sha256(platform.node().encode()).hexdigest()[:8]
_NO_LOCKS_THERE = (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK)


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary path of the same suffix to write to; on success it becomes `path`.

    On any error the temporary file is removed and what stood at `path` stays. What a killed
    process left of an earlier attempt in the same folder is removed first.
    """
    path = Path(path)
    _remove_dead(path.parent.glob(f"{_PREFIX}*"))
    # The end of the name alone: together they must not be longer than a name may be.
    unique = f"{_MACHINE}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    temporary = path.with_name(f"{_PREFIX}{unique}-{path.name[-40:]}")
    try:
        yield temporary
        with open(temporary, "r+b") as written:  # Windows flushes what may be written to.
            os.fsync(written.fileno())
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def make_folder(argument: str, path: str | os.PathLike) -> Path:
    """Make a folder where there is none yet.

    Raises:
        ValueError: `path`, the value of `argument`, cannot be one, or cannot be written.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not os.access(path, os.W_OK):
            raise PermissionError("permission denied")
    except (OSError, ValueError) as error:
        raise ValueError(
            f"`{argument}` must be a folder that can be written. Received: {path} ({error})."
        ) from error
    return path


def write_json(path: str | os.PathLike, value: object) -> None:
    """Write `value` as indented JSON, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def remove_leftovers(folder: str | os.PathLike) -> None:
    """Remove what killed processes of this machine were writing anywhere in `folder`."""
    _remove_dead(Path(folder).rglob(f"{_PREFIX}*"))


@contextlib.contextmanager
def locked(path: str | os.PathLike) -> Iterator[None]:
    """Hold the lock of a file, which is made if need be and stays.

    The system releases the lock when the process ends, in whatever way. On a file system
    or a system that has no such locks nothing is held.

    Raises:
        BlockingIOError: The lock is held already.
        OSError: The file cannot be made.
    """
    try:
        import fcntl
    except ImportError:  # Windows.
        yield
        return
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _NO_LOCKS_THERE:
                raise
        yield
    finally:
        os.close(file)


def _remove_dead(paths):
    for path in paths:
        match = _TEMPORARY.fullmatch(path.name)
        if match and match[1] == _MACHINE and not _lives(int(match[2])):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def _lives(process):
    if process == os.getpid() or sys.platform == "win32":  # There, signal 0 would be Ctrl-C.
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # It is someone else's, or no process of ours.
        return True
    return True
