"""The fractional orders of networks trained on two tasks, compared (Geadah et al. 2024, Fig 4d)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aru_keras.analysis.statistics import TTest, independent_t_test, paired_t_test
from aru_keras.arguments import finite, shown

LOW, HIGH = 1.0, 30.0
"""The ξ of the paired test within a task; the lower is the first at which tasks are compared
(Fig 4d)."""


@dataclass(frozen=True)
class TaskComparison:
    """Population orders of two tasks, compared (Fig 4d).

    Attributes:
        by_drive: Independent t-test between the tasks at each ξ ≥ `low`.
        within: Of each task, paired t-test of ξ = `low` against `high`.
    """

    by_drive: dict[float, TTest]
    within: tuple[TTest, TTest]


def compare_tasks(first, second, low: float = LOW, high: float = HIGH) -> TaskComparison:
    """Compare the population orders of networks trained on two tasks.

    Args:
        first: Of one task: of each seed what `population_orders` gives, for the same ξ.
        second: Of the other task.
        low: The ξ from which on the tasks are compared, and the first of the paired test.
        high: The second ξ of the paired test; t < 0 says that α is larger here.

    Raises:
        ValueError: the ξ differ or lack `low` or `high`, or there are fewer than two seeds.
    """
    low, high = finite("low", low), finite("high", high)
    drives = [set(one) for one in (*_seeds("first", first), *_seeds("second", second))]
    if not drives or any(one != drives[0] for one in drives) or not {low, high} <= drives[0]:
        raise ValueError(
            f"`first` and `second` must have the same ξ, with `low` = {low} and `high` = {high} "
            "among them. Received: "
            f"{shown([sorted(one) for one in drives])}."
        )

    def sample(task, amplitude):
        return [one[amplitude] for one in task]

    by_drive = {
        amplitude: independent_t_test(sample(first, amplitude), sample(second, amplitude))
        for amplitude in sorted(drives[0])
        if amplitude >= low
    }
    within = [paired_t_test(sample(task, low), sample(task, high)) for task in (first, second)]
    return TaskComparison(by_drive, tuple(within))


def _seeds(argument, found):
    """What `population_orders` gave, of each seed."""
    fits = isinstance(found, Sequence) and all(isinstance(one, Mapping) for one in found)
    if not fits:
        raise ValueError(
            f"`{argument}` must be a list of what population_orders gives, one a seed. Received: "
            f"{shown(found)}."
        )
    for orders in found:
        for one in (*orders, *orders.values()):
            finite(argument, one)
    return found
