"""Functions timed in turn in one process; medians, and ratios a round."""

import statistics
import time
from dataclasses import dataclass

from aru_keras._util.deprecated import renamed_argument

ROUNDS = 7
SECONDS_A_TURN = 0.2


@dataclass(frozen=True)
class Timing:
    """Seconds a call of several variants, measured in turn.

    Attributes:
        seconds: Variant to (rounds,) seconds a call.
    """

    seconds: dict[str, list[float]]

    def median(self, variant: str) -> float:
        """Median seconds a call."""
        return statistics.median(self.seconds[variant])

    def ratio(self, variant: str, of: str) -> float:
        """Median over rounds of one variant's time as a multiple of another's."""
        pairs = zip(self.seconds[variant], self.seconds[of], strict=True)
        return statistics.median(own / other for own, other in pairs)


def interleaved(variants: dict, rounds: int = ROUNDS, seconds: float = SECONDS_A_TURN) -> Timing:
    """Time functions in turn, so that whatever else the machine does falls on all alike.

    Args:
        variants: Name to a function of the number of calls to make, which returns when all of
            their results are there.
        rounds: Times that each variant has its turn.
        seconds: About how long a turn is.
    """
    counts = {}
    for name, run in variants.items():
        run(2)  # Compiles.
        counts[name] = calls_in(seconds, elapsed(run, 3) / 3)
    seconds_a_call: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, run in variants.items():
            seconds_a_call[name].append(elapsed(run, counts[name]) / counts[name])
    return Timing(seconds_a_call)


@renamed_argument("one", "seconds_a_call")
def calls_in(seconds: float, seconds_a_call: float) -> int:
    """How many calls fill a turn, at least one."""
    return max(1, round(seconds / seconds_a_call))


def elapsed(run, count: int) -> float:
    """Seconds that `run(count)` takes."""
    started = time.perf_counter()
    run(count)
    return time.perf_counter() - started
