"""The table of a sweep: one row for each combination of options, best validation first."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from aru_keras._util.checked_files import writing
from aru_keras._util.files import replacing
from aru_keras.runners import scores
from aru_keras.runners.config import TrainConfig
from aru_keras.runners.experiments.report import markdown_table
from aru_keras.runners.experiments.tables import over_seeds
from aru_keras.runners.grid import varying
from aru_keras.runners.run_folder import RunError, RunFolder

DIGITS = 4
"""Significant digits of a score."""


def write(
    folder: Path,
    runs: Mapping[tuple[TrainConfig, int], RunFolder],
    columns: Sequence[str] | None = None,
    pruned: Mapping[TrainConfig, int] | None = None,
) -> str:
    """Write `sweep.md`, a table, and `sweep.csv`, one line a run.

    Args:
        folder: Folder of the sweep.
        runs: Runs by configuration and seed. A run without results has diverged, or was pruned.
        columns: Options that are shown; by default those in which the runs differ.
        pruned: Number of epochs after which a search pruned a configuration.

    Returns:
        The content of `sweep.md`: for each task a table, whose numbers are means over seeds with
        95 % intervals and the number of each seed.

    Raises:
        RunError: A file is damaged, or the folder cannot be written.
    """
    results: dict = {}
    for (config, seed), run in runs.items():
        of_run = run.load_results() if run.results.exists() else None
        results.setdefault(config, {})[seed] = of_run
    names = columns or varying(list(results)) or ["model"]
    text = "\n\n".join(_tables(results, names, pruned or {})) + "\n"
    with writing(folder, RunError):
        with replacing(folder / "sweep.md") as temporary:
            temporary.write_text(text, encoding="utf-8")
        with (
            replacing(folder / "sweep.csv") as temporary,
            open(temporary, "w", newline="", encoding="utf-8") as file,
        ):
            csv.writer(file).writerows(_lines(results, names, runs))
    return text


def _tables(results, names, pruned):
    """A table for each task, in Markdown."""
    tasks = list(dict.fromkeys(config.task for config in results))
    columns = [name for name in names if name != "task"] or ["model"]
    for task in tasks:
        rows = {config: of_seeds for config, of_seeds in results.items() if config.task == task}
        if len(tasks) > 1:
            yield f"## {task}"
        yield markdown_table(_table(rows, columns, pruned))


def _table(results, columns, pruned):
    score = _score(results)
    word = scores.WORDS[score]
    last = "diverged or pruned" if pruned else "diverged"
    header = (*columns, "parameters", f"validation {word}", f"test {word}", last)
    ordered = sorted(results, key=lambda config: -_mean(results[config], f"validation_{score}"))
    rows = [_row(config, results[config], columns, score, pruned.get(config)) for config in ordered]
    return over_seeds(header, rows, digits=DIGITS)


def _row(config, of_seeds, columns, score, pruned):
    finished = [values for values in of_seeds.values() if values is not None]
    diverged = [str(seed) for seed, values in of_seeds.items() if values is None]
    options = [str(getattr(config, name)) for name in columns]
    if pruned is not None:
        return (*options, "", "", "", f"pruned after epoch {pruned}")
    if not finished:
        return (*options, "", "", "", f"seed {', '.join(diverged)}")
    return (
        *options,
        f"{finished[0]['parameters']:,}",
        [values[f"validation_{score}"] for values in finished],
        [values[f"test_{score}"] for values in finished],
        f"seed {', '.join(diverged)}" if diverged else "",
    )


def _score(results):
    """The score of the runs of a task, which is the same for all."""
    finished = (values for of_seeds in results.values() for values in of_seeds.values() if values)
    return next((scores.score_of(values) for values in finished), "accuracy")


def _mean(of_seeds, name):
    """The mean of a score over the seeds that did not diverge; -∞ if all did."""
    values = [values[name] for values in of_seeds.values() if values is not None]
    return float(np.mean(values)) if values else -math.inf


def _lines(results, names, runs):
    """The lines of the CSV file, with its header."""
    yield [*names, "seed", "score", "validation", "test", "parameters", "epochs", "seconds", "run"]
    for config, of_seeds in results.items():
        options = [getattr(config, name) for name in names]
        for seed, values in of_seeds.items():
            run = runs[config, seed].path.name
            if values is None:
                yield [*options, seed, *[""] * 6, run]
                continue
            score = scores.score_of(values)
            numbers = [values[f"validation_{score}"], values[f"test_{score}"]]
            numbers += [values["parameters"], values["epochs"], values["train_seconds"]]
            yield [*options, seed, score, *numbers, run]
