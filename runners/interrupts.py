"""Signals that end a command as Ctrl-C does, so that it says how to resume."""

import contextlib
import signal
import threading
from collections.abc import Iterator

ENDING = ("SIGTERM", "SIGHUP", "SIGUSR1")
"""Names of the signals, as far as the system has them. Python itself handles SIGINT, of Ctrl-C."""

COUNTS_AS = {"SIGUSR1": "SIGTERM"}
"""Signals that end a command with the exit code of another. Batch systems such as SLURM send
SIGUSR1 as a warning, some time before they kill a job."""


class EndedBySignal(KeyboardInterrupt):
    """The exception that a signal raises, as Ctrl-C raises KeyboardInterrupt.

    Attributes:
        number: Number of the signal, or of the signal that it counts as.
    """

    def __init__(self, number: int):
        name = signal.Signals(number).name
        super().__init__(f"ended by {name}")
        self.number = int(getattr(signal, COUNTS_AS.get(name, name)))


@contextlib.contextmanager
def ending_by_signals() -> Iterator[None]:
    """Raise `EndedBySignal` when one of `ENDING` arrives.

    A signal that is ignored, for example under `nohup`, stays ignored. Outside of the main thread,
    where Python does not handle signals, nothing changes.
    """
    with contextlib.ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            for number in (getattr(signal, name) for name in ENDING if hasattr(signal, name)):
                before = signal.getsignal(number)
                if before is not signal.SIG_IGN:
                    signal.signal(number, _end)
                    stack.callback(signal.signal, number, before or signal.SIG_DFL)
        yield


def _end(number, frame):
    raise EndedBySignal(number)
