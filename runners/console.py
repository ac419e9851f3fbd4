"""The console: what TensorFlow writes when it starts, and characters that it may not have."""

import contextlib
import os
import sys
from collections.abc import Iterator


def show_any_character() -> None:
    """Show another character where a console, as on Windows, has no γ."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)  # Not every stream can change.
    if reconfigure:
        reconfigure(errors="replace")


def load_keras() -> None:
    """Import Keras and its backend without the lines that TensorFlow writes.

    `TF_CPP_MIN_LOG_LEVEL`, where it is below 3, decides what TensorFlow says; else it says nothing
    below an exception.
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
    """Close the descriptor itself: the first lines come before the level is read."""
    sys.stderr.flush()
    saved = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
