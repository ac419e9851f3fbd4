"""Signals that ask a command to end: it ends as by Ctrl-C, and says what there is to resume."""

import contextlib
import signal
import threading
from collections.abc import Iterator

ENDING = ("SIGTERM", "SIGHUP")
"""Names of the signals; SIGINT, of Ctrl-C, is Python's own business. Not every system has all."""


class EndedBySignal(KeyboardInterrupt):
    """What is raised wherever the process is, as Ctrl-C raises KeyboardInterrupt.

    Attributes:
        number: Of the signal.
    """

    def __init__(self, number: int):
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.number = number


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
