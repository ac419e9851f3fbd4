"""The clock of a view: it takes steps at a speed, and draws at most 30 times a second."""

import time
from collections.abc import Callable

import panel as pn

FRAME_MS = 33
"""The time between two drawings in milliseconds."""

_MOST = 8
"""The largest number of steps between two drawings, so that a slow machine stays responsive."""


class Player:
    """Calls a function with the number of steps that are due.

    Args:
        step: The function, which returns whether there are more steps.
        show: Function that is called with whether it plays, whenever that changes.
    """

    def __init__(self, step: Callable[[int], bool], show: Callable[[bool], None]):
        self._step, self._show = step, show
        self._speed, self._due, self._last = 1.0, 0.0, 0.0
        self._callback: pn.io.PeriodicCallback | None = None

    @property
    def playing(self) -> bool:
        """Whether it plays."""
        return self._callback is not None

    def set_speed(self, speed: float) -> None:
        """Set the speed in steps a second."""
        self._speed = float(speed)

    def play(self) -> None:
        """Begin to take steps."""
        if self.playing:
            return
        self._due, self._last = 1.0, time.monotonic()
        self._callback = pn.state.add_periodic_callback(self._tick, FRAME_MS)
        self._show(True)

    def pause(self) -> None:
        """Take no more steps."""
        if self._callback is None:
            return
        self._callback.stop()
        self._callback = None
        self._show(False)

    def _tick(self):
        now = time.monotonic()
        self._due += self._speed * (now - self._last)
        self._last = now
        count = min(int(self._due), _MOST)
        if not count:
            return
        self._due = min(self._due - count, 1.0)
        if not self._step(count):
            self.pause()
