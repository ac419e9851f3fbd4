"""Signals that ask a command to end: it ends as by Ctrl-C, and says what there is to resume."""

import contextlib
import signal
import threading
from collections.abc import Iterator

ENDING = ("SIGTERM", "SIGHUP", "SIGUSR1")
"""Names of the signals; SIGINT, of Ctrl-C, is Python's own business. Not every system has all."""

COUNTS_AS = {"SIGUSR1": "SIGTERM"}
"""Signals that end a command with the exit code of another. Batch systems such as SLURM send
SIGUSR1 as a warning, some time before they kill a job."""


class EndedBySignal(KeyboardInterrupt):
    """What is raised wherever the process is, as Ctrl-C raises KeyboardInterrupt.

    Attributes:
        number: Of the signal, or of the one that it counts as.
    """

    def __init__(self, number: int):
        name = signal.Signals(number).name
        super().__init__(f"ended by {name}")
        self.number = int(getattr(signal, COUNTS_AS.get(name, name)))


@contextlib.contextmanager
def ending_by_signals() -> Iterator[None]:
    """Raise `EndedBySignal` where one of `ENDING` arrives.

    A signal that is ignored (as `nohup` has it) stays so. Outside of the main thread, where Python
    takes no signals, nothing changes.
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
