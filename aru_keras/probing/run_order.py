"""The order of pixels that a run was trained on, once all its files say the same of it."""

import json
from pathlib import Path

import numpy as np

from aru_keras.data.specs import TASKS
from aru_keras.data.task import order_hash, pixel_order
from aru_keras.probing.networks import PERMUTATION_FILE

CONFIG_FILE, RESULTS_FILE = "config.json", "results.json"
"""Names of files in the folder of a run."""


def run_order(run: Path) -> np.ndarray | None:
    """The order of pixels of the run in a folder, (T,); None: row by row.

    Where `config.json` names no task, it is what `permutation.npy` holds.

    Raises:
        ValueError: If `permutation.npy` is missing, damaged, or not what `config.json` and
            `results.json` name.
    """
    config = _options(run / CONFIG_FILE)
    found = _read_order(run / PERMUTATION_FILE)
    if config["task"] is None:
        return found
    expected = _order_of(config)
    if not _same(found, expected):
        named = ", ".join(f"{name} {value}" for name, value in config.items())
        what = "is missing" if found is None else "holds another one"
        raise ValueError(
            f"{run / PERMUTATION_FILE} must hold the order of pixels that {CONFIG_FILE} beside it "
            f"names ({named}), but {what}. One of the two was changed after the run began: "
            "put back what was there, or train anew in another folder."
        )
    _check_hash(run / RESULTS_FILE, order_hash(expected))
    return expected


def _same(found, expected):
    if found is None or expected is None:
        return found is expected
    return np.array_equal(found, expected)


def _order_of(config):
    spec = TASKS.get(config["task"]) if isinstance(config["task"], str) else None
    if spec is None:
        raise ValueError(f"{CONFIG_FILE} names no task: {config['task']!r}.")
    return pixel_order(spec, config["downsample"], config["permutation_seed"])


def _options(path):
    values = _read_json(path)
    defaults = {"task": None, "downsample": 1, "permutation_seed": 0}
    return {name: values.get(name, default) for name, default in defaults.items()}


def _read_order(path):
    """What the file holds; None where there is none."""
    try:
        return np.load(path, allow_pickle=False)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError, MemoryError) as error:
        raise ValueError(
            f"{path} is damaged ({error}). Put back what was there, or train anew in another "
            "folder."
        ) from error


def _check_hash(path, expected):
    if not path.exists():
        return
    kept = _read_json(path).get("permutation", expected)
    if kept != expected:
        raise ValueError(
            f"{path} must be of a run on permutation {expected}, which {CONFIG_FILE} beside it "
            f"names. It is of one on {kept!r}. Put back what was there."
        )


def _read_json(path):
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged ({error}).") from error
    if not isinstance(values, dict):
        raise ValueError(f"{path} is damaged: it must hold values by name.")
    return values
