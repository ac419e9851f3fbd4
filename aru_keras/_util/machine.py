"""The machine on which this process runs."""

import os


def cores() -> int:
    """The number of processor cores that this process may use."""
    available = getattr(os, "sched_getaffinity", None)  # Not every system has it.
    return len(available(0)) if available else os.cpu_count() or 1
