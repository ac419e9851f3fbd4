"""Your own sequences in one .npz: a documented layout of names, and its reader and writer."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from aru_keras._util.checked_files import DAMAGE, ObjectsError, member_names, read_member
from aru_keras.tasks._archives import saved
from aru_keras.tasks._collection import DatasetError
from aru_keras.tasks._sequences import FIELDS
from aru_keras.tasks.arrays import from_arrays
from aru_keras.tasks.specs import SPLITS
from aru_keras.tasks.task import Task

PROPERTIES = (
    "target",
    "every_step",
    "classes",
    "channels",
    "interval",
    "unit",
    "name",
    "description",
    "split_seed",
    "groups",
)
"""Names beside those of the splits, arguments of `from_arrays`."""

LISTS = ("classes", "channels", "groups")
"""Those of them that may be a list, even one of a single name."""

SHARES = ("validation", "test")
LAYOUT = (
    "x and y, or train_x, train_y, validation_x, validation_y, test_x and test_y; beside each x, "
    "if you like, …lengths and …weights; and any of " + ", ".join(PROPERTIES)
)


def read_sequences(path: Path) -> Task:
    """The task of an .npz of sequences.

    Raises:
        DatasetError: If the file is missing or damaged, or does not have the layout.
        ValueError: As in `from_arrays`.
    """
    if not path.is_file():
        raise DatasetError(
            f"{path} does not exist or is not a file. Correct the path, or put the file back. If "
            "it holds the data of a run, you can also copy it into the folder of the run, as "
            f"{path.name}."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {name: read_member(archive, name) for name in member_names(archive)}
    except ObjectsError as error:
        raise DatasetError(
            f"{path} must hold arrays of numbers and of text, but {error}. Write names with "
            "y.astype(str). Sequences of different lengths make one padded array, beside lengths, "
            "as tasks.export writes it."
        ) from error
    except DAMAGE as error:
        raise DatasetError(
            f"{path} is damaged, truncated, or no .npz of plain arrays "
            f"({type(error).__name__}: {error}). Write it with numpy.savez or tasks.export."
        ) from error
    splits, properties = _sorted(path, arrays)
    try:
        return from_arrays(**splits, **{"name": path.stem, **properties})
    except (TypeError, ValueError) as error:
        raise DatasetError(f"{path} makes no task: {error}") from error


def _sorted(path, arrays):
    """The splits and the properties in an archive."""
    if "train_images" in arrays or "all_images" in arrays:
        name = str(arrays.get("name", "the collection"))
        raise DatasetError(
            f"{path} holds the images of {name}. Name its task, with --source {path}."
        )
    splits: dict[str, Any] = {}
    shares: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    for name, array in arrays.items():
        split, _, field = name.rpartition("_")
        if name in PROPERTIES:
            properties[name] = array.tolist() if name in LISTS else _single(array)
        elif field in FIELDS and split in ("", *SPLITS):
            fields = splits.setdefault(split or "train", {})
            if field in fields:
                raise _contradiction(path, field, f"train_{field}")
            fields[field] = array
        elif name in SHARES:
            shares[name] = _single(array)
        else:
            raise DatasetError(
                f"{path} holds {name!r}, which has no meaning. It must hold {LAYOUT}."
            )
    if "train" not in splits:
        raise DatasetError(f"{path} holds no training split. It must hold {LAYOUT}.")
    for split in set(shares) & set(splits):
        raise _contradiction(path, split, f"{split}_{next(iter(splits[split]))}")
    return shares | splits, properties


def _contradiction(path, name, other):
    return DatasetError(
        f"{path} holds both {name!r} and {other!r}, which contradict each other. It must hold "
        f"{LAYOUT}."
    )


def _single(array):
    """The only value in an array; where it has several, an array, which `from_arrays` refuses."""
    return array.item() if array.size == 1 else array


def write_sequences(task: Task, path: Path) -> Path:
    """Write a task of arrays to an .npz, completely or not at all, from which the same is read.

    Args:
        task: The task.
        path: The path of the file; ".npz" is appended if it is missing.

    Returns:
        The path written.

    Raises:
        DatasetError: If the file cannot be written. Nothing is left behind.
    """
    path = path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
    spec = task.spec
    arrays: dict[str, np.ndarray] = {}
    for split, examples in task._splits.items():
        values = {"x": examples.x, "y": examples.y, "lengths": examples.lengths}
        values["weights"] = examples.weights
        arrays |= {f"{split}_{field}": v for field, v in values.items() if v is not None}
    for name in PROPERTIES:
        if name not in ("classes", "split_seed", "groups"):  # The splits are drawn already.
            arrays[name] = np.array(getattr(spec, name))
    if spec.classes:
        arrays["classes"] = np.array(spec.class_names or spec.classes)
    return saved(path, arrays)
