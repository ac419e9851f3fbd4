"""Loading a task by its name, and writing its data to one file."""

import os
from pathlib import Path

from aru_keras._util.arguments import flag, foreign_options, instance, path_like, shown, whole
from aru_keras.tasks._archives import write_archive
from aru_keras.tasks._collection import COLLECTIONS, DatasetError
from aru_keras.tasks._fingerprint import differences
from aru_keras.tasks._own_files import read_sequences, write_sequences
from aru_keras.tasks._sources import fetch
from aru_keras.tasks.origins import checked_name, is_file, made
from aru_keras.tasks.specs import ARRAYS, TASKS, TaskSpec
from aru_keras.tasks.task import Task


def load_task(
    name: str | os.PathLike,
    *,
    downsample: int = 1,
    permutation_seed: int = 0,
    data_dir: str | os.PathLike | None = None,
    source: str | os.PathLike | None = None,
    download: bool = True,
    fingerprint: str | None = None,
) -> Task:
    """Load a task and its data.

    Args:
        name: The name of the task, one of `TASKS` or registered with `register`; or the path of an
            .npz of your own sequences; or "module:function" or "file.py:function", for a function
            that returns a task.
        downsample: The side of the squares over which the image is averaged first. T becomes
            smaller by the square of this number.
        permutation_seed: The seed of the single permutation that the permuted tasks use.
        data_dir: The folder of TensorFlow Datasets. By default it is TFDS_DATA_DIR, else
            ~/tensorflow_datasets.
        source: An .npz from `export`, which is read without TensorFlow and instead of `data_dir`.
        download: Whether to download data that is missing. With False the network is never used.
        fingerprint: The `Task.fingerprint` that the data must have; None for any.

    Raises:
        ValueError: If the name is unknown, or `downsample` does not divide the image. Tasks of your
            own take no `downsample`, `permutation_seed`, `data_dir` and `source` but their own.
        DatasetError: If the data is missing, truncated or damaged, belongs to another task, or has
            changed.

    Example:
        >>> load_task("digits").timesteps
        64
    """
    name = checked_name("name", name)
    downsample = whole("downsample", downsample, 1, hint="1 keeps every pixel.")
    permutation_seed = whole("permutation_seed", permutation_seed, 0)
    data_dir, source = path_like("data_dir", data_dir), path_like("source", source)
    download = flag("download", download)
    if name in TASKS:
        spec = TASKS[name]
        downsample = _checked_downsample(spec, downsample)
        images = fetch(spec.collection, data_dir=data_dir, source=source, allow_download=download)
        task = Task(
            spec,
            images,
            downsample=downsample,
            permutation_seed=permutation_seed,
            source=None if source is None else str(source.expanduser().absolute()),
        )
    else:
        task = _own(name)
        order = {"downsample": downsample, "permutation_seed": permutation_seed}
        _refuse_options(name, task, {**order, "data_dir": data_dir, "source": source})
    _check_fingerprint(task, fingerprint)
    return task


def _own(name: str) -> Task:
    """A task that is not of the paper, which knows the name that it was loaded by."""
    task = read_sequences(Path(name)) if is_file(name) else made(name)
    if not isinstance(task, Task):
        raise ValueError(
            f"`name` must be that of a function that returns a task, for example of from_arrays. "
            f"Received: {name!r}, which returns {shown(task)}."
        )
    return Task(
        task.spec,
        task._collection,
        downsample=task.downsample,
        permutation_seed=task.permutation_seed,
        origin=name,
        source=task.source,
    )


def _refuse_options(name, task, given):
    for option, value in foreign_options(given, load_task, task).items():
        received = shown(str(value) if isinstance(value, Path) else value)
        raise ValueError(
            f"`{option}` is for the tasks of images, {', '.join(TASKS)}. Received: "
            f"{option}={received} for {name!r}. Leave it out."
        )


def _check_fingerprint(task, fingerprint):
    if fingerprint is None:
        return
    changes = differences(instance("fingerprint", fingerprint, str), task.fingerprint)
    if changes:
        raise DatasetError(
            f"The data of {task.source or task.origin} has changed: {changes}. Restore it, or "
            "train again, in another folder."
        )


def _checked_downsample(spec: TaskSpec, downsample: int) -> int:
    factor = downsample
    if factor > 1 and not spec.sequential:
        raise ValueError(
            f"`downsample` must be 1 for {spec.name!r}, whose encoder needs whole images. "
            f"Received: {factor}. Use 'scifar10' for fewer steps."
        )
    height, width = spec.image_shape[:2]
    if height % factor or width % factor:
        fitting = [k for k in range(1, height + 1) if height % k == 0 and width % k == 0]
        raise ValueError(
            f"`downsample` must divide the {height}×{width} image of {spec.name!r}. "
            f"Received: {factor}. Use one of {fitting}."
        )
    return factor


def export(
    task: Task | str,
    path: str | os.PathLike,
    *,
    data_dir: str | os.PathLike | None = None,
    download: bool = True,
) -> Path:
    """Write the data of a task to one compressed .npz.

    The sequences of a task of your own become a file whose path is a name of the same task. The
    images and labels of a task of the paper become one for `load_task(source=)`, with the original
    images of all splits. A file made from "psmnist" can also be read for "smnist" and
    "rotated-psmnist", and a file made from one CIFAR-10 task for the other.

    Args:
        task: A loaded task, or the name of a task to load.
        path: The path of the file, in an existing folder; ".npz" is appended if it is missing.
        data_dir: The folder of TensorFlow Datasets, as in `load_task`, if `task` is a name.
        download: Whether to download missing data, as in `load_task`, if `task` is a name.

    Returns:
        The path of the file, which is written completely or not at all.

    Raises:
        ValueError: If the name is unknown.
        DatasetError: If the images are missing or damaged, or the file cannot be written.
    """
    target = path_like("path", path)
    if target is None:
        raise ValueError("`path` must be the path of the .npz to write. Received: None.")
    if not isinstance(task, Task):
        task = load_task(checked_name("task", task), data_dir=data_dir, download=download)
    if task.spec.collection == ARRAYS:
        return write_sequences(task, target.expanduser())
    collection = COLLECTIONS[task.spec.collection]
    return write_archive(collection, target.expanduser(), dict(task._collection))
