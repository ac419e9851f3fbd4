"""The console script `aru-keras`, without the lines that TensorFlow writes when it starts.

It writes them while `aru_keras` is imported, so this is a module of its own.
"""

import contextlib
import os
import signal
import sys


def main() -> int:
    """Run the command line.

    `TF_CPP_MIN_LOG_LEVEL`, where it is below 3, decides what TensorFlow says; else it says nothing
    below an exception.

    Returns:
        The exit code of `aru_keras.runners.cli.main`.
    """
    sys.stdout.reconfigure(errors="replace")  # A console on Windows may have no γ.
    for number in (getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP")):
        if number and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    try:
        with _quiet():
            from aru_keras.runners import cli
    except KeyboardInterrupt:
        return 130
    return cli.main()


def _end(number, frame):
    """End, with the exit code of a shell, while nothing is done yet; `cli.main` does more."""
    sys.exit(128 + number)


@contextlib.contextmanager
def _quiet():
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") in ("0", "1", "2"):
        yield
        return
    with _nothing_on_stderr():
        yield


@contextlib.contextmanager
def _nothing_on_stderr():
    """Close the descriptor itself: the first lines come before the level is read."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


if __name__ == "__main__":
    sys.exit(main())
