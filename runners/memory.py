"""The peak memory of this process."""

import sys

try:
    import resource
except ImportError:  # Windows.
    resource = None  # type: ignore[assignment]


def peak_memory() -> int | None:
    """The peak resident memory of this process in bytes; None if the system does not tell."""
    if resource is None:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024)


def peak_memory_mb() -> float | None:
    """`peak_memory` in MiB; None where the system does not tell it."""
    peak = peak_memory()
    return None if peak is None else peak / 2**20
