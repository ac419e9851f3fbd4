"""The most memory that this process has held."""

import sys

try:
    import resource
except ImportError:  # Windows.
    resource = None  # type: ignore[assignment]


def peak_memory() -> int | None:
    """Resident bytes of this process at their peak; None where the system does not say."""
    if resource is None:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024)
