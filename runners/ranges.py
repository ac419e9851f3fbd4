"""Ranges of numbers that a search draws from, as LOW:HIGH or LOW:HIGH:log."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aru_keras._util.arguments import finite, flag, whole

DIGITS = 3
"""Significant digits of a drawn number that is no whole number."""


@dataclass(frozen=True)
class Range:
    """All numbers from `low` to `high`, which must be whole if both of these are ints.

    Attributes:
        low: Least number.
        high: Greatest number, above `low`.
        log: Whether the logarithm of the number is drawn evenly, which needs `low` above 0.

    Raises:
        ValueError: The bounds are no such numbers.
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self):
        for name in ("low", "high"):
            object.__setattr__(self, name, _number(name, getattr(self, name)))
        if not self.low < self.high or (flag("log", self.log) and self.low <= 0):
            above = "0 < `low` < `high`" if self.log else "`low` < `high`"
            raise ValueError(f"A range must have {above}. Received: {self}.")

    def __str__(self):
        return f"{self.low}:{self.high}" + (":log" if self.log else "")

    @property
    def whole(self) -> bool:
        """Whether its numbers are whole."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def rounded(self, number: float) -> float:
        """A drawn number with `DIGITS` significant digits, or a bound; whole numbers stay."""
        if self.whole:
            return number
        return min(max(float(f"{number:.{DIGITS}g}"), self.low), self.high)


def parsed(text: str, kind: Callable[[str], Any]) -> Any:
    """A number, or the `Range` that a text with colons is.

    Args:
        text: Text such as "3", "3:9" or "1e-5:1e-2:log".
        kind: `int` or `float`.

    Raises:
        ValueError: It is neither.
    """
    if ":" not in text:
        return kind(text)
    low, high, *rest = text.split(":")
    try:
        bounds = kind(low), kind(high)
    except ValueError:
        rest = [text]
    if rest not in ([], ["log"]):
        what = "whole numbers" if kind is int else "numbers"
        raise ValueError(
            f"A range must be LOW:HIGH or LOW:HIGH:log, of {what}. Received: {text!r}."
        )
    return Range(*bounds, log=bool(rest))


def number_or_range(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """The type of an option that takes numbers or ranges, for `argparse`.

    Args:
        kind: `int` or `float`; any other type takes no ranges.
    """
    if kind not in (int, float):
        return kind

    def parse(text):
        try:
            return parsed(text, kind)
        except ValueError as error:
            if ":" not in text:
                raise
            raise argparse.ArgumentTypeError(str(error)) from error

    parse.__name__ = kind.__name__  # argparse says which type a text is not.
    return parse


def _number(name, value):
    if isinstance(value, int) and not isinstance(value, bool):
        return whole(name, value, -(2**63))
    return finite(name, value)
