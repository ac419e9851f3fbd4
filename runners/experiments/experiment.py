"""What an experiment is, what comes of it, and when a claim of the paper holds."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aru_keras.analysis.statistics import Estimate, estimate
from aru_keras.runners.experiments.results import Results

VERDICTS = ("agrees", "agrees in part", "disagrees", "undecided", "shown")


ALIKE_WITHIN = 0.01
"""Accuracies that are no farther apart than this count as alike: one point, less than the
differences that count as real elsewhere."""

LEAST_SEEDS = 3
"""Below so many seeds no claim is decided: the numbers are shown."""


@dataclass(frozen=True)
class Claim:
    """Something that the paper says, and whether it came out.

    Attributes:
        text: The claim.
        holds: None where these seeds do not decide.
        evidence: The numbers.
        few: Whether there are fewer than `LEAST_SEEDS`.
    """

    text: str
    holds: bool | None
    evidence: str
    few: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of text under a header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Conclusion:
    """What came of an experiment.

    Attributes:
        claims: Of the paper, decided or not.
        figures: matplotlib figures by name.
        tables: Numbers.
        note: What a reader must know of how it was measured here.
    """

    claims: tuple[Claim, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    note: str = ""

    @property
    def verdict(self) -> str:
        """One of `VERDICTS`: "shown" where nothing is claimed, or too few seeds could decide it."""
        found = [claim.holds for claim in self.claims]
        decided = [one for one in found if one is not None]
        if not decided and all(claim.few for claim in self.claims):
            return "shown"
        if not decided:
            return "undecided"
        if all(decided):
            return "agrees" if len(decided) == len(found) else "agrees in part"
        return "agrees in part" if any(decided) else "disagrees"


@dataclass(frozen=True)
class Array:
    """What an experiment keeps under a name.

    Attributes:
        axes: Names of its axes, in one text. Axes of one name are equally long in a file, and as
            long as `presets.Preset.sizes` says.
        least: Its smallest value.
        most: Its largest.
        optional: Whether some networks have none.
    """

    axes: str = ""
    least: float = -np.inf
    most: float = np.inf
    optional: bool = False

    def check(self, name: str, value: np.ndarray | None, sizes: dict[str, int]) -> None:
        """Check an array of this name, and add the lengths of its axes to `sizes`.

        Raises:
            ValueError: It is missing, of another shape, or out of its range.
        """
        if value is None:
            if self.optional:
                return
            raise ValueError(f"no {name} in it")
        axes = self.axes.split()
        wanted = [int(axis) if axis.isdigit() else sizes.get(axis, axis) for axis in axes]
        fits = value.ndim == len(axes) and all(
            length == (int(axis) if axis.isdigit() else sizes.setdefault(axis, length))
            for axis, length in zip(axes, value.shape, strict=True)
        )
        if not fits:
            raise ValueError(f"{name} must be ({', '.join(map(str, wanted))}), not {value.shape}")
        bounded = self.least > -np.inf or self.most < np.inf
        if bounded and not ((self.least <= value) & (value <= self.most)).all():
            raise ValueError(f"{name} must be from {self.least:g} to {self.most:g}")


SHARE = Array(least=0, most=1)
"""An accuracy."""


@dataclass(frozen=True)
class Experiment:
    """An experiment of the paper.

    Attributes:
        number: As the reports count them.
        name: For files and the command line.
        title: One line.
        paper: Where it stands in Geadah et al. 2024.
        expected: What the paper finds.
        trainings: From a preset, the names of the trainings whose networks are measured.
        measure: From a `workspace.Network` and a preset, arrays by name, to be kept.
        conclude: From `Results` and a preset, a `Conclusion`.
        alone: Whether one network by itself shows something, or none is needed.
        applies: Whether a preset has it.
        seeds: How many seeds it takes at the most; None: all.
        revision: Of what is measured; what was measured by another one is measured anew.
        keeps: The arrays of `measure` by name, which a file of a measurement must hold.
    """

    number: str
    name: str
    title: str
    paper: str
    expected: str
    trainings: Callable[[Any], Sequence[str]]
    measure: Callable[[Any, Any], Mapping[str, np.ndarray]]
    conclude: Callable[[Results, Any], Conclusion]
    alone: bool = True
    applies: Callable[[Any], bool] = lambda preset: True
    seeds: int | None = None
    revision: int = 1
    keeps: Mapping[str, Array] = field(default_factory=dict)

    @property
    def heading(self) -> str:
        """Number and title."""
        return f"{self.number}. {self.title}"


def above(text: str, values: Sequence[float], bound: float) -> Claim:
    """A claim that a number, measured once a seed, is more than `bound`.

    It holds, or fails, where there are `LEAST_SEEDS` or more and their 95 % interval lies on one
    side of the bound.
    """
    found = estimate(values)
    return _decided(text, found, _side(found, bound), f"{found}; the bound is {bound:.3g}")


def below(text: str, values: Sequence[float], bound: float) -> Claim:
    """A claim that a number, measured once a seed, is less than `bound`; see `above`."""
    held = above(text, bound - np.asarray(values), 0)
    return dataclasses.replace(held, evidence=f"{estimate(values)}; the bound is {bound:.3g}")


def larger(text: str, first: Sequence[float], second: Sequence[float]) -> Claim:
    """A claim that the first of two numbers is larger, by their differences within seeds."""
    first, second, found = _paired(first, second)
    evidence = f"{first.mean():.4g} against {second.mean():.4g}; difference {found}"
    return _decided(text, found, _side(found, 0.0), evidence)


def alike(
    text: str, first: Sequence[float], second: Sequence[float], margin: float = ALIKE_WITHIN
) -> Claim:
    """A claim that two numbers do not differ.

    It holds where the interval of their difference is within ±`margin`: too few seeds to tell them
    apart are no proof that they are alike. It fails where the interval lies outside.
    """
    first, second, found = _paired(first, second)
    low, high = found.interval or (-np.inf, np.inf)
    within = True if max(-low, high) <= margin else None
    apart = low > margin or high < -margin
    evidence = f"{first.mean():.4g} against {second.mean():.4g}; difference {found}"
    return _decided(text, found, False if apart else within, f"{evidence}; the margin is {margin}")


def undecided(claims: Sequence[Claim], reason: str) -> tuple[Claim, ...]:
    """The same claims, none of them decided."""
    return tuple(
        dataclasses.replace(claim, holds=None, evidence=f"{claim.evidence}; {reason}")
        for claim in claims
    )


def _decided(text, found, holds, evidence):
    few = found.n < LEAST_SEEDS
    return Claim(text, None if few else holds, evidence, few)


def _paired(first, second):
    """Two numbers a seed as arrays, and the estimate of their difference."""
    first, second = np.asarray(first, "float64"), np.asarray(second, "float64")
    if first.shape != second.shape:
        raise ValueError(
            "Networks are compared within seeds, and need the same ones. Received: "
            f"{len(first)} and {len(second)} seeds."
        )
    return first, second, estimate(first - second)


def _side(found: Estimate, bound):
    """Whether the whole interval lies above the bound (True) or below it (False)."""
    low, high = found.interval or (-np.inf, np.inf)
    if low > bound:
        return True
    return False if high < bound else None
