"""Experiments, their conclusions, and the rules that decide a claim of the paper."""

import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from aru_keras.analysis.statistics import estimate
from aru_keras.runners.experiments.descriptions import SHARE as SHARE
from aru_keras.runners.experiments.descriptions import Array as Array
from aru_keras.runners.experiments.results import Results

VERDICTS = ("agrees", "agrees in part", "disagrees", "undecided", "shown")


ALIKE_WITHIN = 0.01
"""Largest difference at which accuracies count as equal: one percentage point, which is less than
the differences that count as real elsewhere."""

LEAST_SEEDS = 3
"""Least number of seeds that decide a claim; with fewer, the numbers are only shown."""

UNSEARCHED = "LSTM and GRU train with options that were chosen for other networks"
"""Reason why a claim about them is undecided."""

GUESSING = "a network only guesses, also without a perturbation"
"""Reason why a claim about what perturbations take from networks is undecided."""


@dataclass(frozen=True)
class Claim:
    """A claim of the paper, and whether it holds.

    Attributes:
        text: Claim in words.
        holds: Whether it holds; None if these seeds do not decide.
        evidence: Numbers that decide.
        few: Whether there are fewer than `LEAST_SEEDS` seeds.
    """

    text: str
    holds: bool | None
    evidence: str
    few: bool = False


@dataclass(frozen=True)
class ClaimAbout:
    """A claim of the paper and the networks that it is about.

    Attributes:
        networks: Names of the networks.
        decide: Function from the measurements of these networks, in this order, to a `Claim`, or
            to a list of them.
        text: Claim in words, for a report without these measurements; empty for the networks.
    """

    networks: tuple[str, ...]
    decide: Callable[..., "Claim | Sequence[Claim]"]
    text: str = ""


def decided(
    claims: Iterable[ClaimAbout],
    measured: Mapping[str, Any],
    unsearched: Collection[str] = (),
    guessing: Collection[str] = (),
    results: Results | None = None,
) -> tuple[Claim, ...]:
    """Decide the claims whose networks were all measured.

    Those about other networks are left out, but for networks whose training diverged.

    Args:
        claims: Claims of an experiment, in the order of its report.
        measured: Measurements that decide the claims, by the name of the network.
        unsearched: Networks that train with options chosen for others, such as
            `Preset.unsearched`. Claims about them are shown, and undecided.
        guessing: Networks that have nothing to lose. Claims about them are undecided, too.
        results: Results from which the measurements come. Claims about its `Results.diverged` are
            undecided, and say so.
    """
    answers: list[Claim] = []
    for claim in claims:
        if set(claim.networks) <= set(measured):
            answer = claim.decide(*(measured[name] for name in claim.networks))
            decided = [answer] if isinstance(answer, Claim) else answer
            unfair = any(name.partition("-")[0] in unsearched for name in claim.networks)
            decided = undecided(decided, UNSEARCHED) if unfair else decided
            idle = set(claim.networks) & set(guessing)
            answers += undecided(decided, GUESSING) if idle else decided
        elif results and set(claim.networks) <= {*measured, *results.diverged}:
            answers.append(_not_measured(claim, measured, results))
    return tuple(answers)


def _not_measured(claim, measured, results):
    """An undecided claim about networks some of which were not measured."""
    missing = ", ".join(name for name in claim.networks if name not in measured)
    text = claim.text or f"The claims about {', '.join(claim.networks)}"
    reason = f"not measured, because trainings diverged: {missing}"
    return open_claim(text, len(results.seeds), reason)


@dataclass(frozen=True)
class Table:
    """Rows of text under a header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Conclusion:
    """The conclusion of an experiment.

    Attributes:
        claims: Claims of the paper, decided or not.
        figures: matplotlib figures by name.
        tables: Tables of numbers.
        note: Explanation of how the numbers were measured.
    """

    claims: tuple[Claim, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    note: str = ""

    @property
    def verdict(self) -> str:
        """One of `VERDICTS`; "shown" if there is no claim, or there are too few seeds to decide."""
        verdicts = [claim.holds for claim in self.claims if claim.holds is not None]
        if not verdicts and all(claim.few for claim in self.claims):
            return "shown"
        if not verdicts:
            return "undecided"
        if all(verdicts):
            return "agrees" if len(verdicts) == len(self.claims) else "agrees in part"
        return "agrees in part" if any(verdicts) else "disagrees"


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """An experiment of the paper.

    Attributes:
        number: Number in the reports, such as "13b".
        name: Name in `names.EXPERIMENT_NAMES`, in files and on the command line.
        title: Title in the reports, one line.
        paper: Section or figure of Geadah et al. 2024.
        expected: What the paper finds.
        trainings: Function of a preset that gives the names of the trainings whose networks are
            measured.
        measure: Function of a `trained_run.TrainedRun` and a preset that gives arrays by name. They
            are saved in a file.
        conclude: Function of `Results` and a preset that gives a `Conclusion`.
        alone: Whether the experiment can be made with a single network, or with none.
        applies: Function of a preset that says whether the preset has this experiment.
        seeds: Largest number of seeds that it takes; None for all.
        revision: Revision of the measurement. Files of another revision are measured again.
        keeps: Descriptions of the arrays that `measure` gives, by name. The file of a measurement
            must contain them.
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
        """The number and the title."""
        return f"{self.number}. {self.title}"


def above(text: str, values: ArrayLike, bound: float) -> Claim:
    """A claim that a number, measured once for each seed, is above `bound`.

    It is decided if there are at least `LEAST_SEEDS` seeds and their 95 % interval lies on one side
    of the bound.
    """
    mean = estimate(values)
    evidence = f"{mean}{_each(values)}; the bound is {bound:.3g}"
    return _claim(text, mean, _side(mean, bound), evidence)


def below(text: str, values: ArrayLike, bound: float) -> Claim:
    """A claim that a number, measured once for each seed, is below `bound`; see `above`."""
    held = above(text, bound - np.asarray(values), 0)
    evidence = f"{estimate(values)}{_each(values)}; the bound is {bound:.3g}"
    return dataclasses.replace(held, evidence=evidence)


def larger(text: str, first: ArrayLike, second: ArrayLike) -> Claim:
    """A claim that the first of two numbers is larger, by their differences within seeds."""
    first, second, difference = _paired(first, second)
    return _claim(text, difference, _side(difference, 0.0), _compared(first, second, difference))


def alike(text: str, first: ArrayLike, second: ArrayLike, margin: float = ALIKE_WITHIN) -> Claim:
    """A claim that two numbers do not differ.

    It holds if the 95 % interval of their difference lies within ±`margin`, and fails if the
    interval lies outside. A wide interval that contains 0 does not decide.
    """
    first, second, difference = _paired(first, second)
    low, high = difference.interval or (-np.inf, np.inf)
    within = True if max(-low, high) <= margin else None
    apart = low > margin or high < -margin
    evidence = f"{_compared(first, second, difference)}; the margin is {margin}"
    return _claim(text, difference, False if apart else within, evidence)


def open_claim(text: str, seeds: int, reason: str) -> Claim:
    """A claim that the numbers of some seeds do not decide, for a reason."""
    return Claim(text, None, reason, few=seeds < LEAST_SEEDS)


def undecided(claims: Sequence[Claim], reason: str) -> tuple[Claim, ...]:
    """The same claims, all of them undecided for a reason."""
    return tuple(
        dataclasses.replace(claim, holds=None, evidence=f"{claim.evidence}; {reason}")
        for claim in claims
    )


def _claim(text, mean, holds, evidence):
    few = mean.n < LEAST_SEEDS
    return Claim(text, None if few else holds, evidence, few)


def _compared(first, second, difference):
    each = _each(first - second)
    return f"{first.mean():.4g} against {second.mean():.4g}; difference {difference}{each}"


def _each(values):
    """The numbers of the seeds in words, if there is more than one."""
    listed = ", ".join(f"{value:.3g}" for value in values)
    return f": {listed}" if len(values) > 1 else ""


def _paired(first, second):
    """Two arrays with one number for each seed, and the estimate of their difference."""
    first, second = np.asarray(first, "float64"), np.asarray(second, "float64")
    if first.shape != second.shape:
        raise ValueError(
            "Networks are compared within seeds, and must have the same seeds. Received: "
            f"{len(first)} and {len(second)} seeds."
        )
    return first, second, estimate(first - second)


def _side(mean, bound):
    """Whether the whole interval lies above the bound (True) or below it (False)."""
    low, high = mean.interval or (-np.inf, np.inf)
    if low > bound:
        return True
    return False if high < bound else None
