"""What a search chooses from: for each option a value, several values, or a range."""

import dataclasses
import hashlib
import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any

from aru_keras.runners import grid, own_data
from aru_keras.runners.config import TrainConfig
from aru_keras.runners.ranges import Range


class SearchSpace:
    """Options of `TrainConfig`, some of which a search chooses.

    Args:
        options: A value, a list of values or a `Range` by option. At least one option must have
            several values or a range, but not the task.

    Raises:
        ValueError: There is no such option; nothing is to be chosen; or a combination of values
            and of ends of ranges does not fit.
    """

    def __init__(self, options: Mapping[str, Any]):
        every = {name: _fitting(name, listed(value)) for name, value in options.items()}
        for name, values in every.items():
            _check_values(name, values)
        self.chosen: dict[str, Any] = {
            name: values[0] if isinstance(values[0], Range) else values
            for name, values in every.items()
            if len(values) > 1 or isinstance(values[0], Range)
        }
        self.given = {name: values[0] for name, values in every.items() if name not in self.chosen}
        if not self.chosen or "task" in self.chosen:
            raise ValueError(
                "A search chooses one option or more of a single task. Received: "
                f"{', '.join(self.chosen) or 'one value for each option'}. Give an option a range, "
                "as in --learning-rate 1e-4:1e-2:log, or several values."
            )
        ends = {name: _ends(values) for name, values in every.items()}
        self._first = grid.configurations(ends)[0]
        self.task = grid.task_name(self._first)

    def names(self, seeds: Sequence[int], draw_seed: int) -> list[str]:
        """The name of a study, and the one that earlier versions gave it, if it is another.

        A name is the task, and a hash of all that decides the trials.

        Args:
            seeds: Seeds of the trainings.
            draw_seed: Seed of the draw.
        """
        near = {name: str(values) for name, values in (self.given | self.chosen).items()}
        whole = {**near, **self._whole_paths()}
        texts = [repr((sorted(shown.items()), list(seeds), draw_seed)) for shown in (whole, near)]
        hashes = [hashlib.sha256(text.encode()).hexdigest()[:8] for text in texts]
        return [f"{self.task}-{digest}" for digest in dict.fromkeys(hashes)]

    @property
    def size(self) -> float:
        """The number of combinations; infinite if there is a range of numbers."""
        return math.prod(_count(values) for values in self.chosen.values())

    def draw(self, trial: Any) -> None:
        """Let a trial of Optuna choose the options.

        Args:
            trial: The trial.
        """
        for name, values in self.chosen.items():
            if not isinstance(values, Range):
                trial.suggest_categorical(name, values)
            elif values.whole:
                trial.suggest_int(name, values.low, values.high, log=values.log)
            else:
                trial.suggest_float(name, values.low, values.high, log=values.log)

    def choice(self, drawn: Mapping[str, Any]) -> dict[str, Any]:
        """The chosen options, rounded as they are used.

        Args:
            drawn: Options as Optuna drew them.
        """
        return {
            name: values.rounded(drawn[name]) if isinstance(values, Range) else drawn[name]
            for name, values in self.chosen.items()
        }

    def config(self, drawn: Mapping[str, Any]) -> TrainConfig:
        """The configuration of a trial.

        Args:
            drawn: Options as Optuna drew them.
        """
        return own_data.in_any_folder(TrainConfig(**(self.given | self.choice(drawn))))

    def fingerprint(self, of: Callable[[str, str | None], str | None]) -> str | None:
        """The fingerprint of the data; None if it is not compared, as where a trial chooses it.

        Args:
            of: `finish.fingerprint_of`, which needs Keras.
        """
        return None if "source" in self.chosen else of(self._first.task, self._first.source)

    def _whole_paths(self):
        """The paths that are given, whole."""
        return {
            name: str(getattr(self._first, name))
            for name in own_data.PATHS
            if self.given.get(name) is not None
        }


def check_workers(scheduler: str | None) -> None:
    """Check that no scheduler is given, whose workers may be anywhere.

    Args:
        scheduler: Address of a scheduler, or None.

    Raises:
        ValueError: There is one.
    """
    if scheduler is not None:
        raise ValueError(
            "`scheduler` must not be given with `search`: SQLite, which holds the trials, is for "
            f"the processes of one machine. Received: {scheduler}. Give --workers K."
        )


def check_no_ranges(options: Mapping[str, Any]) -> None:
    """Check that no option of a grid is a range.

    Args:
        options: Values, or lists of values, by option.

    Raises:
        ValueError: One is.
    """
    for name, value in options.items():
        for item in listed(value):
            if isinstance(item, Range):
                raise ValueError(
                    f"`{name}` must be numbers, as a grid has no ranges. Received: {item}. "
                    "List the numbers, or let Optuna choose with --search optuna --trials 50."
                )


def listed(value: Any) -> list:
    """The values of an option, each once.

    Args:
        value: A value, or several: a list, a tuple, an array or any other iterable. Those of a
            set are sorted.
    """
    if isinstance(value, str | bytes | Mapping | Range) or not isinstance(value, Iterable):
        return [value]
    if isinstance(value, Set):
        return sorted(value, key=lambda one: (str(type(one)), one))
    values = value.tolist() if hasattr(value, "tolist") else list(value)
    return list(dict.fromkeys(values)) if isinstance(values, list) else [values]


def _fitting(name, values):
    """The values, with a range of numbers for one of whole numbers where an option has numbers."""
    kinds = {item.name: item.metadata["type"] for item in dataclasses.fields(TrainConfig)}
    if kinds.get(name) is not float:
        return values
    return [
        Range(float(value.low), float(value.high), value.log) if isinstance(value, Range) else value
        for value in values
    ]


def _check_values(name, values):
    ranges = [value for value in values if isinstance(value, Range)]
    if not values or (ranges and len(values) > 1):
        shown = " ".join(map(str, values)) or "nothing"
        raise ValueError(f"`{name}` must be a range, or one value or more. Received: {shown}.")


def _count(values):
    """The number of values that may be chosen."""
    if not isinstance(values, Range):
        return len(values)
    return values.high - values.low + 1 if values.whole else math.inf


def _ends(values):
    """What is tried to see whether all combinations fit."""
    ends = ((value.low, value.high) if isinstance(value, Range) else (value,) for value in values)
    return list(itertools.chain.from_iterable(ends))
