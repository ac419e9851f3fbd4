"""Functions timed in turn in one process; medians, and ratios within a round."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from aru_keras._util.deprecated import renamed_argument

ROUNDS = 7
SECONDS_A_TURN = 0.2


@dataclass(frozen=True)
class Timing:
    """Seconds per call of several variants, measured in turn.

    Attributes:
        seconds: The seconds per call in each round, (rounds,), by variant.
    """

    seconds: dict[str, list[float]]

    def median(self, variant: str) -> float:
        """The median of the seconds per call."""
        return statistics.median(self.seconds[variant])

    def ratio(self, variant: str, of: str) -> float:
        """The median over rounds of the ratio of a variant's time to that of another one."""
        pairs = zip(self.seconds[variant], self.seconds[of], strict=True)
        return statistics.median(own / other for own, other in pairs)


def interleaved(variants: dict, rounds: int = ROUNDS, seconds: float = SECONDS_A_TURN) -> Timing:
    """Time functions in turn, so that other work of the machine slows all of them alike.

    Args:
        variants: A function by name. It takes the number of calls to make, and returns when all
            results are computed.
        rounds: Number of turns of each variant.
        seconds: Approximate duration of a turn in seconds.
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
    """The number of calls that fill a turn, at least 1."""
    return max(1, round(seconds / seconds_a_call))


def elapsed(run: Callable[[int], object], count: int) -> float:
    """The seconds that `run(count)` takes."""
    started = time.perf_counter()
    run(count)
    return time.perf_counter() - started
