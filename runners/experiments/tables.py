"""Tables of numbers that were measured once for each seed."""

from collections.abc import Iterable, Sequence

from aru_keras.analysis.statistics import estimate
from aru_keras.runners.experiments.experiment import Table


def over_seeds(
    header: Sequence[str],
    rows: Iterable[Sequence[str | Sequence[float | None]]],
    *,
    digits: int = 3,
    missing: str = "",
) -> Table:
    """A table whose entries are means over seeds.

    Args:
        header: Titles of the columns.
        rows: Rows of entries. An entry is a text, or a list of numbers, one for each seed.
        digits: Number of significant digits.
        missing: Text of an entry in which the number of a seed is None.
    """
    return Table(
        tuple(header),
        tuple(tuple(entry(values, digits, missing) for values in row) for row in rows),
    )


def entry(values: str | Sequence[float | None], digits: int = 3, missing: str = "") -> str:
    """The text of an entry for numbers, one for each seed; a text stays as it is.

    The text is the mean over seeds. With two seeds or more, half the width of the 95 % interval and
    the number of every seed follow.
    """
    if isinstance(values, str):
        return values
    if any(value is None for value in values):
        return missing
    mean = estimate([value for value in values if value is not None])
    text = f"{mean.mean:.{digits}g}"
    if mean.interval is None:
        return text
    seeds = ", ".join(f"{value:.{digits}g}" for value in values)
    return f"{text} ± {mean.half_width:.2g} ({seeds})"


def percent(shares: Sequence[float]) -> list[float]:
    """Fractions, one for each seed, in per cent."""
    return [100 * share for share in shares]
