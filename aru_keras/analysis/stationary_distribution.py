"""The stationary distribution π(ξ) of the states under a drive (Geadah et al. 2024, Methods).

The paper finds that the mean and the standard deviation of π(ξ) are linear in ξ. Only the first
preprint calls it Gaussian. The initial conditions of the Lyapunov exponents are drawn from π(ξ).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from aru_keras._util.arguments import LARGEST_SIZE, array, finite, instance, shown, whole
from aru_keras._util.deprecated import renamed
from aru_keras.analysis.fitting import Fit, fit_line


@dataclass(frozen=True)
class StationaryDistribution:
    """The distribution of the states of all units, sequences and steps under one drive, pooled.

    Attributes:
        drive: Amplitude ξ of the drive.
        mean: Mean of h.
        deviation: Standard deviation of h.
        skewness: Skewness of h, 0 for a Gaussian.
        excess_kurtosis: Excess kurtosis of h, 0 for a Gaussian.
        gaussian_distance: Largest difference between the cumulative distribution of h and that of
            the Gaussian of the same mean and standard deviation (the statistic of Kolmogorov,
            Smirnov and Lilliefors). There is no p-value, because the states are not independent.
        count: Number of states.
    """

    drive: float
    mean: float
    deviation: float
    skewness: float
    excess_kurtosis: float
    gaussian_distance: float
    count: int


@dataclass(frozen=True)
class StationaryLines:
    """Lines fitted to the mean and the standard deviation of π(ξ) over ξ.

    Attributes:
        distributions: Distributions π(ξ), in the given order of ξ.
        mean: Line fitted to the means, with standard errors and R².
        deviation: Line fitted to the standard deviations.
    """

    distributions: tuple[StationaryDistribution, ...]
    mean: Fit
    deviation: Fit


def state_distribution(h: ArrayLike, drive: float) -> StationaryDistribution:
    """The distribution π(ξ) of states under a drive.

    Args:
        h: States under the drive, after its transient, in any shape, such as (B, T, N) from
            `probing.Record(steps=…)`.
        drive: Amplitude ξ of the drive.

    Raises:
        ValueError: There are fewer than three states, one is not finite, or all are equal.
    """
    states, drive = array("h", h).ravel(), finite("drive", drive)
    if states.size < 3:
        raise ValueError(f"`h` must hold three states or more. Received: {states.size}.")
    mean, deviation = states.mean(), states.std()
    if not deviation > 1e-12 * np.abs(states).max():
        raise ValueError(f"`h` must vary. Received: {states.size} states, all {states[0]}.")
    return StationaryDistribution(
        drive=drive,
        mean=float(mean),
        deviation=float(deviation),
        skewness=float(stats.skew(states)),
        excess_kurtosis=float(stats.kurtosis(states)),
        gaussian_distance=_gaussian_distance((np.sort(states) - mean) / deviation),
        count=states.size,
    )


def unit_gaussian_distances(h: ArrayLike) -> np.ndarray:
    """The `gaussian_distance` of each unit's own distribution of states.

    Args:
        h: States under the drive, after its transient, (…, N).

    Returns:
        The distances for the units that vary, (M,), M ≤ N.

    Raises:
        ValueError: There are fewer than three states of each unit, or one is not finite.
    """
    states = array("h", h, (..., "S", "N"))
    states = states.reshape(-1, states.shape[-1])
    if len(states) < 3:
        raise ValueError(f"`h` must hold three states of each unit. Received: shape {np.shape(h)}.")
    mean, deviation = states.mean(axis=0), states.std(axis=0)
    varying = deviation > 1e-12 * np.abs(states).max()
    standardized = np.sort((states - mean)[:, varying] / deviation[varying], axis=0)
    return np.array([_gaussian_distance(unit) for unit in standardized.T])


def stationary_lines(distributions: Sequence[StationaryDistribution]) -> StationaryLines:
    """Lines fitted to the means and the standard deviations over at least three ξ.

    If there are fewer, or the values do not vary, the `Fit` gives the reason why it failed.
    """
    if not isinstance(distributions, Sequence):
        raise ValueError(
            "`distributions` must be a list of StationaryDistribution. Received: "
            f"{shown(distributions)}."
        )
    hint = "state_distribution makes it."
    for distribution in distributions:
        instance("distributions", distribution, StationaryDistribution, hint)
    drives = [distribution.drive for distribution in distributions]
    return StationaryLines(
        tuple(distributions),
        fit_line(drives, [distribution.mean for distribution in distributions]),
        fit_line(drives, [distribution.deviation for distribution in distributions]),
    )


def draw_states(
    distribution: StationaryDistribution, count: int, units: int, seed: int = 0
) -> np.ndarray:
    """Initial conditions h_0, drawn for each unit from the Gaussian with the moments of π(ξ).

    Args:
        distribution: Distribution π(ξ).
        count: Number of initial conditions.
        units: Number N of units.
        seed: Seed of the draws.

    Returns:
        The initial conditions, (count, N).
    """
    instance("distribution", distribution, StationaryDistribution)
    shape = tuple(
        whole(name, value, 1, most=LARGEST_SIZE)
        for name, value in (("count", count), ("units", units))
    )
    draws = np.random.default_rng(whole("seed", seed, 0))
    return draws.normal(distribution.mean, distribution.deviation, shape)


def draw_recorded_states(h: ArrayLike, count: int, seed: int = 0) -> np.ndarray:
    """Initial conditions h_0, (count, N): states of the whole network, drawn from a recording.

    Args:
        h: States under the drive, after its transient, (B, T, N).
        count: Number of initial conditions, drawn without replacement.
        seed: Seed of the draws.

    Raises:
        ValueError: There are fewer states than `count`, or one is not finite.
    """
    count, draws = whole("count", count, 1), np.random.default_rng(whole("seed", seed, 0))
    h = array("h", h, ("batch", "time", "units"), what="finite (batch, time, units)")
    states = h.reshape(-1, h.shape[-1])
    if len(states) < count:
        raise ValueError(
            f"`count` must be at most the {len(states)} states of `h`, of shape {h.shape}. "
            f"Received: {count}."
        )
    return states[draws.choice(len(states), count, replace=False)]


def _gaussian_distance(standardized):
    """The supremum of |F(x) − Φ(x)| for sorted values, from both sides of each jump of F."""
    count = len(standardized)
    expected = stats.norm.cdf(standardized)
    above = np.arange(1, count + 1) / count - expected
    below = expected - np.arange(count) / count
    return float(max(above.max(), below.max()))


__getattr__ = renamed(
    __name__,
    {
        "stationary_distribution": "state_distribution",
        "draw": "draw_states",
        "draw_recorded": "draw_recorded_states",
        "unit_distances": "unit_gaussian_distances",
    },
)
