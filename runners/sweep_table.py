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
from aru_keras.runners.finish import has_diverged
from aru_keras.runners.grid import varying
from aru_keras.runners.run_folder import RunError, RunFolder

DIGITS = 4
"""Significant digits of a score."""


def write(
    folder: Path,
    runs: Mapping[tuple[TrainConfig, int], RunFolder],
    columns: Sequence[str] | None = None,
    pruned: Mapping[TrainConfig, int] | None = None,
    name: str = "sweep",
) -> str:
    """Write `sweep.md`, a table, and `sweep.csv`, one line a run.

    Args:
        folder: Folder of the sweep.
        runs: Runs by configuration and seed. Those without results are named in the last column.
        columns: Options that are shown; by default those in which the runs differ.
        pruned: Number of epochs after which a search pruned a configuration.
        name: Name of both files without the ending.

    Returns:
        The content of the first file: for each task a table, whose numbers are means over seeds
        with 95 % intervals and the number of each seed.

    Raises:
        RunError: A file is damaged, or the folder cannot be written.
    """
    results: dict = {}
    for (config, seed), run in runs.items():
        of_run = run.load_results() if run.results.exists() else None
        results.setdefault(config, {})[seed] = of_run
    names = columns or varying(list(results)) or ["model"]
    text = "\n\n".join(_tables(results, names, _notes(results, runs, pruned or {}))) + "\n"
    with writing(folder, RunError):
        with replacing(folder / f"{name}.md") as temporary:
            temporary.write_text(text, encoding="utf-8")
        with (
            replacing(folder / f"{name}.csv") as temporary,
            open(temporary, "w", newline="", encoding="utf-8") as file,
        ):
            csv.writer(file).writerows(_lines(results, names, runs))
    return text


def _notes(results, runs, pruned):
    """What became of the seeds without results, in words, by configuration."""
    notes = {}
    for config, of_seeds in results.items():
        without = [seed for seed, values in of_seeds.items() if values is None]
        diverged = [seed for seed in without if has_diverged(runs[config, seed])]
        others = [seed for seed in without if seed not in diverged]
        words = [_of_seeds(diverged, "diverged")] if diverged else []
        if others and config in pruned:
            words.append(f"pruned after epoch {pruned[config]}")
        elif others:
            words.append(_of_seeds(others, "unfinished"))
        notes[config] = "; ".join(words)
    return notes


def _of_seeds(seeds, what):
    return f"seed {', '.join(map(str, seeds))} {what}"


def _tables(results, names, notes):
    """A table for each task, in Markdown."""
    tasks = list(dict.fromkeys(config.task for config in results))
    columns = [name for name in names if name != "task"] or ["model"]
    for task in tasks:
        rows = {config: of_seeds for config, of_seeds in results.items() if config.task == task}
        if len(tasks) > 1:
            yield f"## {task}"
        yield markdown_table(_table(rows, columns, notes))


def _table(results, columns, notes):
    score = _score(results)
    word = scores.WORDS[score]
    header = (*columns, "parameters", f"validation {word}", f"test {word}", "no result")
    ordered = sorted(results, key=lambda config: -_mean(results[config], f"validation_{score}"))
    rows = [_row(config, results[config], columns, score, notes[config]) for config in ordered]
    return over_seeds(header, rows, digits=DIGITS)


def _row(config, of_seeds, columns, score, note):
    finished = [values for values in of_seeds.values() if values is not None]
    options = [str(getattr(config, name)) for name in columns]
    if not finished:
        return (*options, "", "", "", note)
    return (
        *options,
        f"{finished[0]['parameters']:,}",
        [values[f"validation_{score}"] for values in finished],
        [values[f"test_{score}"] for values in finished],
        note,
    )


def _score(results):
    """The score of the runs of a task, which is the same for all."""
    finished = (values for of_seeds in results.values() for values in of_seeds.values() if values)
    return next((scores.score_of(values) for values in finished), "accuracy")


def _mean(of_seeds, name):
    """The mean of a score over the seeds that have results; -∞ if none has."""
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
