"""Read and check the results and the history of a run."""

import errno
import os
from csv import DictReader
from pathlib import Path
from typing import Any

import numpy as np

from aru_keras._util.checked_files import (
    DAMAGE,
    anything,
    damage,
    number,
    optional,
    read_json,
    record,
    text,
)

LONGEST_NAME = 90
"""A number of characters that no name of a file in a run exceeds."""

SHARE, AMOUNT, COUNT = number(0, 1), number(0), number(1, whole=True)

RESULTS = {
    "run_dir": text,
    "task": text,
    "model": text,
    "test_loss": AMOUNT,
    "best_epoch": COUNT,
    "epochs": COUNT,
    "parameters": number(0, whole=True),
    "units": COUNT,
    "permutation": text,
    "train_seconds": AMOUNT,
    "test_seconds": AMOUNT,
    "peak_memory_mb": optional(AMOUNT),
    "versions": anything,
}
"""Fields of `results.json`, beside the two of `CLASSIFIED` or of `REGRESSED`."""

CLASSIFIED = {"test_accuracy": SHARE, "validation_accuracy": SHARE}
REGRESSED = {"test_r2": number(most=1), "validation_r2": number(most=1)}


def read_results(path: Path, *, error: type[Exception]) -> dict[str, Any]:
    """The content of a `results.json`.

    Args:
        path: The file.
        error: Class of the exception if the file is damaged.
    """
    return read_json(
        path,
        _results,
        holds="the results of a run",
        way_out=f"Remove it, and write it again with aru-keras train --resume {path.parent}.",
        error=error,
    )


def _results(name, value):
    scores = REGRESSED if isinstance(value, dict) and "test_r2" in value else CLASSIFIED
    return record({**RESULTS, **scores})(name, value)


def read_history(path: Path, *, way_out: str, error: type[Exception]) -> dict[str, np.ndarray]:
    """The columns of a `history.csv`, (epochs,) each.

    Args:
        path: The file.
        way_out: A sentence that says what to do if the file is damaged.
        error: Class of the exception in this case.
    """
    try:
        with open(path, encoding="utf-8", newline="") as file:
            epochs = [
                {name: float(value) for name, value in row.items()} for row in DictReader(file)
            ]
        columns = {name: np.array([row[name] for row in epochs]) for name in epochs[0]}
        if not all(np.isfinite(column).all() for column in columns.values()):
            raise ValueError("NaN or infinity in it")
    except (*DAMAGE, IndexError) as problem:
        raise error(damage(path, "a table of epochs", problem, way_out)) from problem
    return columns


def possible_folder(path: Path) -> Path:
    """The path, after a check that it is short enough for the files of a run.

    Raises:
        ValueError: If no folder can have such a name.
    """
    try:
        os.stat(path / "checkpoint" / ("x" * LONGEST_NAME))
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError) or error.errno == errno.ENAMETOOLONG:
            shown = str(path) if len(str(path)) <= 100 else f"{str(path)[:100]}…"
            raise ValueError(
                "`run_dir` must be a path that a folder can have. Received: "
                f"{shown!r}, {len(str(path))} characters. Choose a shorter one."
            ) from error
    return path
