"""The order of pixels on which a run was trained, checked against all of its files."""

import os
from pathlib import Path

import numpy as np

from aru_keras._util import checked_files
from aru_keras.probing.graph import PERMUTATION_FILE
from aru_keras.tasks import order_hash, pixel_order
from aru_keras.tasks.origins import checked_name, is_environment
from aru_keras.tasks.specs import TASKS

CONFIG_FILE, RESULTS_FILE = "config.json", "results.json"
"""The names of files in the folder of a run."""


def run_order(run: str | os.PathLike) -> np.ndarray | None:
    """The order of pixels on which a run was trained, (T,); None for row by row.

    If `config.json` names no task, it is the order in `permutation.npy`.

    Args:
        run: The folder of the run.

    Raises:
        ValueError: If a file is damaged, or `permutation.npy` is missing or does not hold the
            order that `config.json` and `results.json` name.
    """
    run = Path(run)
    config = _options(run / CONFIG_FILE)
    stored = _read_order(run / PERMUTATION_FILE)
    if config["task"] is None:
        return stored
    expected = _order_of(config)
    if not _same(stored, expected):
        named = ", ".join(f"{name} {value}" for name, value in config.items())
        problem = "is missing" if stored is None else "holds another order"
        raise ValueError(
            f"{run / PERMUTATION_FILE} must hold the order of pixels that {CONFIG_FILE} beside it "
            f"names ({named}), but {problem}. One of the two was changed after the run began: "
            "restore the file, or train again in another folder."
        )
    _check_hash(run / RESULTS_FILE, order_hash(expected))
    return expected


def is_agent_run(run: Path) -> bool:
    """Whether a run is that of an agent, which learns in an environment and not in an order.

    Args:
        run: The folder of the run.
    """
    return is_environment(_options(run / CONFIG_FILE)["task"])


def _same(stored, expected):
    if stored is None or expected is None:
        return stored is expected
    return np.array_equal(stored, expected)


def _order_of(config):
    try:
        name = checked_name("task", config["task"])
    except ValueError as error:
        raise ValueError(f"{CONFIG_FILE} names no task: {error}") from error
    if name not in TASKS:  # Only images are permuted.
        return None
    spec = TASKS[name]
    return pixel_order(spec, config["downsample"], config["permutation_seed"])


def _options(path):
    values = _read_json(path)
    defaults = {"task": None, "downsample": 1, "permutation_seed": 0}
    return {name: values.get(name, default) for name, default in defaults.items()}


def _read_order(path):
    """The array in the file; None if there is no file."""
    try:
        return np.load(path, allow_pickle=False)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError, MemoryError) as error:
        raise ValueError(
            f"{path} is damaged ({error}). Restore the file, or train again in another folder."
        ) from error


def _check_hash(path, expected):
    if not path.exists():
        return
    stored = _read_json(path).get("permutation", expected)
    if stored != expected:
        raise ValueError(
            f"{path} must be of a run on permutation {expected}, which {CONFIG_FILE} beside it "
            f"names. It is of a run on {stored!r}. Restore the file."
        )


def _read_json(path):
    way_out = "Put back what was there, or train anew in another folder."
    return checked_files.read_json(
        path, checked_files.record({}), holds="values by name", way_out=way_out
    )
