"""Fractional orders of populations on two tasks (Geadah et al. 2024, Fig 4d)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aru_keras._util.arguments import finite, instance, shown
from aru_keras._util.deprecated import renamed
from aru_keras.analysis.fractional import FractionalOrder
from aru_keras.analysis.statistics import TTest, independent_t_test, paired_t_test
from aru_keras.analysis.step_response import StepResponses, fractional_orders

LOW_DRIVE, HIGH_DRIVE = 1.0, 30.0
"""The two ξ of the paired t-test within a task (Fig 4d). Tasks are compared from the lower on."""


@dataclass(frozen=True)
class TaskComparison:
    """Comparison of the population orders on two tasks (Fig 4d).

    Attributes:
        by_drive: Independent t-tests between the tasks, by ξ, for each ξ ≥ `low`.
        within: Paired t-tests between ξ = `low` and ξ = `high`, one for each task.
    """

    by_drive: dict[float, TTest]
    within: tuple[TTest, TTest]


def compare_tasks(
    first: Sequence[Mapping[float, float]],
    second: Sequence[Mapping[float, float]],
    low: float = LOW_DRIVE,
    high: float = HIGH_DRIVE,
) -> TaskComparison:
    """Compare the population orders of networks trained on two tasks.

    Args:
        first: Results of `population_orders` on one task, one for each seed, all at the same ξ.
        second: Results of `population_orders` on the other task.
        low: Smallest ξ at which the tasks are compared, and first ξ of the paired test.
        high: Second ξ of the paired test. If t < 0, α is larger at `high` than at `low`.

    Raises:
        ValueError: The ξ differ or lack `low` or `high`, or there are fewer than two seeds.
    """
    low, high = finite("low", low), finite("high", high)
    drives = [set(orders) for orders in (*_seeds("first", first), *_seeds("second", second))]
    differ = any(amplitudes != drives[0] for amplitudes in drives)
    if not drives or differ or not {low, high} <= drives[0]:
        raise ValueError(
            f"`first` and `second` must have the same ξ, with `low` = {low} and `high` = {high} "
            "among them. Received: "
            f"{shown([sorted(amplitudes) for amplitudes in drives])}."
        )

    def sample(task, amplitude):
        return [orders[amplitude] for orders in task]

    by_drive = {
        amplitude: independent_t_test(sample(first, amplitude), sample(second, amplitude))
        for amplitude in sorted(drives[0])
        if amplitude >= low
    }
    within = tuple(paired_t_test(sample(task, low), sample(task, high)) for task in (first, second))
    return TaskComparison(by_drive, (within[0], within[1]))


def _seeds(argument, by_seed):
    """The checked results of `population_orders`, one for each seed."""
    fits = isinstance(by_seed, Sequence) and all(isinstance(orders, Mapping) for orders in by_seed)
    if not fits:
        raise ValueError(
            f"`{argument}` must be a list of results of population_orders, one for each seed. "
            f"Received: {shown(by_seed)}."
        )
    for orders in by_seed:
        for number in (*orders, *orders.values()):
            finite(argument, number)
    return by_seed


def population_fits(responses: StepResponses, **options: Any) -> dict[float, FractionalOrder]:
    """The order of the mean of h over units, by ξ (N = 1 in each `FractionalOrder`).

    The options are those of `fractional_orders`.

    Raises:
        ValueError: The mean response is constant.
    """
    instance("responses", responses, StepResponses, "step_responses makes them.")
    mean = {"h": responses.of("h").mean(axis=-1, keepdims=True)}
    population = StepResponses(responses.drives, responses.drive, mean, responses.isolated)
    orders = fractional_orders(population, **options)
    constant = [amplitude for amplitude, order in orders.items() if not order.fitted.all()]
    if constant:
        raise ValueError(f"The population must respond. Received: constant h at ξ = {constant}.")
    return orders


def population_orders(responses: StepResponses, **options: Any) -> dict[float, float]:
    """The orders α of `population_fits`, by ξ (Fig 4d). It takes the same arguments."""
    return population_alphas(population_fits(responses, **options))


def population_alphas(fits: Mapping[float, FractionalOrder]) -> dict[float, float]:
    """The orders α in the result of `population_fits`, by ξ."""
    if not isinstance(fits, Mapping):
        raise ValueError(f"`fits` must be a result of population_fits. Received: {shown(fits)}.")
    for fit in fits.values():
        instance("fits", fit, FractionalOrder)
    return {amplitude: float(fit.alpha[0]) for amplitude, fit in fits.items()}


__getattr__ = renamed(__name__, {"LOW": "LOW_DRIVE", "HIGH": "HIGH_DRIVE"})
