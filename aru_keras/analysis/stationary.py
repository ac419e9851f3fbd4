"""The stationary distribution π(ξ) of the states under a drive (Geadah et al. 2024, Methods).

The paper finds a mean and a standard deviation that are linear in ξ, its first preprint a Gaussian.
It starts the trajectories of the Lyapunov exponents from π(ξ).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from aru_keras.analysis.fitting import Fit, line
from aru_keras.arguments import LARGEST_SIZE, array, finite, instance, shown, whole


@dataclass(frozen=True)
class StationaryDistribution:
    """States of all units, sequences and steps under one drive, pooled.

    Attributes:
        drive: ξ.
        mean: Of h.
        deviation: Standard deviation of h.
        skewness: 0 for a Gaussian.
        excess_kurtosis: 0 for a Gaussian.
        gaussian_distance: Largest difference between the cumulative distribution of h and that of
            the Gaussian of the same mean and standard deviation (the statistic of Kolmogorov,
            Smirnov and Lilliefors). It comes without a p-value: states depend on each other.
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
    """Lines through mean and standard deviation of π(ξ) over ξ.

    Attributes:
        distributions: In the order of ξ as given.
        mean: Line through the means, with standard errors and R².
        deviation: Line through the standard deviations.
    """

    distributions: tuple[StationaryDistribution, ...]
    mean: Fit
    deviation: Fit


def stationary_distribution(h, drive: float) -> StationaryDistribution:
    """π(ξ) of states under a drive.

    Args:
        h: States under the drive, after its transient: of any shape, such as the steps kept by
            `probing.Record(steps=…)`, (B, T, N).
        drive: ξ.

    Raises:
        ValueError: there are fewer than three states, one is not finite, or all are equal.
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


def unit_distances(h) -> np.ndarray:
    """The distance of each unit's states from a Gaussian, as `gaussian_distance` has it.

    Args:
        h: States under the drive, after its transient, (…, N).

    Returns:
        One number for each unit that varies, (M,), M ≤ N.

    Raises:
        ValueError: there are fewer than three states a unit, or one is not finite.
    """
    states = array("h", h, (..., "S", "N"))
    states = states.reshape(-1, states.shape[-1])
    if len(states) < 3:
        raise ValueError(f"`h` must hold three states of each unit. Received: shape {np.shape(h)}.")
    mean, deviation = states.mean(axis=0), states.std(axis=0)
    varying = deviation > 1e-12 * np.abs(states).max()
    standardised = np.sort((states - mean)[:, varying] / deviation[varying], axis=0)
    return np.array([_gaussian_distance(one) for one in standardised.T])


def stationary_lines(distributions: Sequence[StationaryDistribution]) -> StationaryLines:
    """Lines through the means and the standard deviations over ξ; three drives at the least.

    Too few drives, or values that do not vary, make a `Fit` that says so.
    """
    if not isinstance(distributions, Sequence):
        raise ValueError(
            "`distributions` must be a list of StationaryDistribution. Received: "
            f"{shown(distributions)}."
        )
    for one in distributions:
        instance("distributions", one, StationaryDistribution, "stationary_distribution makes it.")
    drives = [one.drive for one in distributions]
    return StationaryLines(
        tuple(distributions),
        line(drives, [one.mean for one in distributions]),
        line(drives, [one.deviation for one in distributions]),
    )


def draw(distribution: StationaryDistribution, count: int, units: int, seed: int = 0) -> np.ndarray:
    """Initial conditions h_0 ~ π(ξ), every unit by itself from the Gaussian, (count, N).

    Args:
        distribution: π(ξ).
        count: Number of initial conditions.
        units: N.
        seed: Of the draws.
    """
    instance("distribution", distribution, StationaryDistribution)
    shape = tuple(
        whole(name, value, 1, most=LARGEST_SIZE)
        for name, value in (("count", count), ("units", units))
    )
    draws = np.random.default_rng(whole("seed", seed, 0))
    return draws.normal(distribution.mean, distribution.deviation, shape)


def draw_recorded(h, count: int, seed: int = 0) -> np.ndarray:
    """Initial conditions h_0 from a recording: whole network states at random, (count, N).

    Args:
        h: States under the drive, after its transient, (B, T, N).
        count: Number of initial conditions, each from another sequence or step.
        seed: Of the draws.

    Raises:
        ValueError: there are fewer states, or one is not finite.
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


def _gaussian_distance(standardised):
    """sup |F(x) − Φ(x)| of sorted values, from both sides of each jump of F."""
    count = len(standardised)
    expected = stats.norm.cdf(standardised)
    above = np.arange(1, count + 1) / count - expected
    below = expected - np.arange(count) / count
    return float(max(above.max(), below.max()))
