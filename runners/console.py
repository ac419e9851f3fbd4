"""The console: silence TensorFlow at the start, and replace characters that cannot be shown."""

import contextlib
import os
import select
import sys
from collections.abc import Iterator


def show_any_character() -> None:
    """Print a replacement for characters such as γ that a console, as on Windows, cannot show."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)  # Not every stream can change.
    if reconfigure:
        reconfigure(errors="replace")


def reader_left() -> bool:
    """Whether nothing reads the standard output any more, as of `aru-keras compare RUN | true`.

    What is left of the output is then discarded: Python would fail to write it when it ends. Where
    the system cannot be asked, as on Windows, a pipe that broke is taken for this one.
    """
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(1, 0)
        if not poll.poll(0):
            return False
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    return True


def load_keras() -> None:
    """Import Keras and its backend without the log of TensorFlow.

    If `TF_CPP_MIN_LOG_LEVEL` is set to a level below 3, TensorFlow logs as it says.
    """
    with _quiet():
        import keras  # noqa: F401


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") in ("0", "1", "2"):
        yield
        return
    with _nothing_on_stderr():
        yield


@contextlib.contextmanager
def _nothing_on_stderr():
    """Redirect the file descriptor, as the first lines are written before the level is read."""
    sys.stderr.flush()
    saved = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
