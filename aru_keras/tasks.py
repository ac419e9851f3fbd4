"""The tasks of the paper: an image, pixel by pixel, and its class at the end.

- digits: the 8×8 digits that come with the package, permuted; T = 64.
- sdigits, rotated-digits: the same row by row, or turned by 45°; T = 64.
- smnist: MNIST, row by row; T = 784.
- psmnist: MNIST, permuted; T = 784.
- rotated-psmnist: the MNIST test images turned by 45°, permuted; T = 784.
- scifar10: CIFAR-10 in grey scale, row by row; T = 1024.
- scifar10-conv: CIFAR-10 in colour, whole, for a convolutional encoder; its 8×8 map, T = 64.

Splits are fixed and never depend on a seed. MNIST and CIFAR-10: the last 10,000 training images
are the validation set. digits: 1,257, 180 and 360 of the 1,797 images, stratified, spread evenly
over the file. The rotated tasks: the test images in two halves (4,999 of MNIST, 178 of the digits),
each with the same number of every digit (the last image of a digit with an odd number is dropped),
and the validation images, all turned alike.

The digits are the test set of "Optical Recognition of Handwritten Digits" (E. Alpaydin,
C. Kaynak, UCI Machine Learning Repository, CC BY 4.0), in the copy that scikit-learn carries.

Example::

    task = load_task("digits")
    model.fit(task.batches("train"), validation_data=task.batches("validation"), shuffle=False)
"""

import os
from pathlib import Path

from aru_keras.arguments import flag, one_of, path_like, whole
from aru_keras.data.archives import write_archive
from aru_keras.data.collection import COLLECTIONS, DatasetError
from aru_keras.data.pipelines import epoch_order
from aru_keras.data.sources import fetch
from aru_keras.data.specs import TASKS, TaskSpec
from aru_keras.data.task import Task

__all__ = ["TASKS", "DatasetError", "Task", "TaskSpec", "epoch_order", "export", "load_task"]


def load_task(
    name: str,
    *,
    downsample: int = 1,
    permutation_seed: int = 0,
    data_dir: str | os.PathLike | None = None,
    source: str | os.PathLike | None = None,
    download: bool = True,
) -> Task:
    """Load a task and its images.

    Args:
        name: one of `TASKS`.
        downsample: average the image over squares of this side first: T shrinks by its square.
        permutation_seed: of the one permutation of the permuted tasks.
        data_dir: TFDS folder; by default TFDS_DATA_DIR, else TFDS's own default.
        source: an .npz from `export`, read without TensorFlow instead of a TFDS folder.
        download: fetch what is not there; False never touches the network.

    Raises:
        ValueError: unknown name, or a downsample that does not divide the image.
        DatasetError: the data is missing, truncated, damaged, or not this task's.
    """
    spec = TASKS[one_of("name", name, TASKS)]
    downsample = _checked_downsample(spec, downsample)
    permutation_seed = whole("permutation_seed", permutation_seed, 0)
    data_dir, source = path_like("data_dir", data_dir), path_like("source", source)
    download = flag("download", download)
    parts = fetch(spec.collection, data_dir=data_dir, source=source, allow_download=download)
    return Task(spec, parts, downsample=downsample, permutation_seed=permutation_seed)


def _checked_downsample(spec: TaskSpec, downsample: int) -> int:
    factor = whole("downsample", downsample, 1, hint="1 keeps every pixel.")
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
    """Write the images and labels under a task to one compressed .npz, for `load_task(source=)`.

    The file holds the original images of all splits: one made from "psmnist" serves "smnist" and
    "rotated-psmnist" too, and one made from either CIFAR-10 task serves the other.

    Args:
        task: a loaded task, or a name to load.
        path: where to; ".npz" is appended where it is missing. Its folder must exist.
        data_dir: as in `load_task`, for a name.
        download: as in `load_task`, for a name.

    Returns:
        The path written. It is written whole or not at all.

    Raises:
        ValueError: unknown name.
        DatasetError: the images are missing or damaged, or the file cannot be written.
    """
    path = path_like("path", path)
    if path is None:
        raise ValueError("`path` must be where to write the .npz. Received: None.")
    if not isinstance(task, Task):
        one_of("task", task, TASKS)
        task = load_task(task, data_dir=data_dir, download=download)
    collection = COLLECTIONS[task.spec.collection]
    return write_archive(collection, Path(path).expanduser(), task._parts)
