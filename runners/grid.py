"""Configurations that differ in some options: all combinations of values, or some drawn of them."""

import contextlib
import dataclasses
import hashlib
import itertools
import json
import math
import os
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from aru_keras._util.arguments import one_of, shown, whole
from aru_keras.runners import own_data
from aru_keras.runners.config import TrainConfig

SMALL = 21
"""Number of combinations up to which all are shuffled. `random.sample` does so as well, so that
most draws are those of earlier versions."""


def configurations(
    values: Mapping[str, Sequence], draws: int | None = None, draw_seed: int = 0
) -> list[TrainConfig]:
    """The configurations of a sweep, without their seeds, each once.

    Args:
        values: Values to try by option of `TrainConfig`, at least one each.
        draws: Number of combinations to draw at random, without repetition; None for all.
        draw_seed: Seed of the draw.

    Raises:
        ValueError: There is no such option, or a combination does not fit. The message ends with
            the combination.
    """
    if "seed" in values:
        raise ValueError(
            "`seeds` must name the seeds of several trainings, and `seed` is for a single one. "
            f"Received: seed={shown(values['seed'])}. Give `seeds`, as in seeds=[0, 3]."
        )
    for name in values:
        one_of("option", name, [item for item in TrainConfig.names() if item != "seed"])
        if not values[name]:
            raise ValueError(
                f"`{name}` must be a value, or a list of one or more. Received: an empty list. "
                "Leave it out for its default."
            )
    if draws is None:
        chosen: Iterable = itertools.product(*values.values())
    else:
        chosen = _drawn(list(values.values()), whole("draws", draws, 1), draw_seed)
    return list(dict.fromkeys(_configuration(values, combination) for combination in chosen))


def varying(configs: Sequence[TrainConfig]) -> list[str]:
    """The options in which configurations differ, in the order of the fields."""
    return [
        name
        for name in TrainConfig.names()
        if len({getattr(config, name) for config in configs}) > 1
    ]


@contextlib.contextmanager
def in_combination(tried: Mapping[str, Any]) -> Iterator[None]:
    """Let an error about options end with the combination of which they are part.

    Args:
        tried: The options in which combinations differ, each with its value.

    Raises:
        ValueError: One was raised in the context.
    """
    try:
        yield
    except ValueError as error:
        if not tried:
            raise
        listed = ", ".join(f"{name}={value}" for name, value in tried.items())
        raise ValueError(f"{error} In the combination {listed}.") from error


def run_name(config: TrainConfig, seed: int) -> str:
    """The name of a run of a sweep: task, model, a hash of all other options, and seed.

    The name does not depend on the other runs of the sweep, so that a larger sweep in the same
    folder uses what is there. Nor does it depend on the data, which `finish.check_data` compares.
    """
    given = {
        item.name: getattr(config, item.name)
        for item in dataclasses.fields(config)
        if item.name != "seed" and getattr(config, item.name) != item.default
    }
    digest = hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()[:8]
    return f"{task_name(config)}-{config.model}-{digest}-seed{seed}"


def run_path(runs: Path, config: TrainConfig, seed: int) -> Path:
    """The path of a run of a sweep.

    Earlier versions named a run by the paths as they were given. If there is a run of such a name
    that has these paths, it is that one.

    Args:
        runs: Folder of the runs.
        config: The configuration, with whole paths.
        seed: The seed.
    """
    path = runs / run_name(config, seed)
    given = {name: getattr(config, name) for name in own_data.PATHS}
    near = {name: os.path.relpath(value) for name, value in given.items() if _is_whole(value)}
    earlier = runs / run_name(dataclasses.replace(config, **near), seed)
    if path.exists() or not near or not (earlier / "config.json").exists():
        return path
    stored = own_data.in_any_folder(TrainConfig.from_file(earlier / "config.json"))
    return earlier if all(getattr(stored, name) == given[name] for name in given) else path


def _is_whole(path):
    return path is not None and os.path.isabs(path)


def task_name(config: TrainConfig) -> str:
    """The name of the task of a configuration, as part of the name of a folder."""
    return re.sub(r"[^\w.-]+", "-", Path(config.task).name)[-40:]


def _drawn(values, count, seed):
    """Some combinations of the product of all values, which need not fit in memory.

    They are drawn one by one, so that more of them contain the fewer.
    """
    total = math.prod(len(options) for options in values)
    for number in itertools.islice(_numbers(total, random.Random(seed)), min(count, total)):
        combination = []
        for options in reversed(values):
            number, index = divmod(number, len(options))
            combination.append(options[index])
        yield tuple(reversed(combination))


def _numbers(total, generator):
    """All numbers below `total` in a drawn order, as `random.sample` draws the first of many."""
    if total <= SMALL:
        yield from generator.sample(range(total), total)
        return
    drawn: set = set()
    while len(drawn) < total:
        number = generator.randrange(total)
        if number not in drawn:
            drawn.add(number)
            yield number


def _configuration(values, combination):
    given = dict(zip(values, combination, strict=True))
    tried = {name: value for name, value in given.items() if len(values[name]) > 1}
    with in_combination(tried):
        return own_data.in_any_folder(TrainConfig(**{"task": None, **given}))
