"""Files that are whole or absent: written beside their place, then moved into it."""

import contextlib
import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

_PREFIX = ".writing-"


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary path of the same suffix to write to; on success it becomes `path`.

    On any error the temporary file is removed and what stood at `path` stays.
    """
    path = Path(path)
    temporary = path.with_name(f"{_PREFIX}{uuid.uuid4().hex[:8]}-{path.name}")
    try:
        yield temporary
        with open(temporary, "r+b") as written:  # Windows flushes what may be written to.
            os.fsync(written.fileno())
        os.replace(temporary, path)
    finally:
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
    except OSError as error:
        raise ValueError(
            f"`{argument}` must be a folder that can be written. Received: {path} ({error})."
        ) from error
    return path


def write_json(path: str | os.PathLike, value) -> None:
    """Write `value` as indented JSON, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def remove_leftovers(folder: str | os.PathLike) -> None:
    """Remove what a killed process was writing anywhere in `folder`."""
    for leftover in Path(folder).rglob(f"{_PREFIX}*"):
        leftover.unlink(missing_ok=True)
