"""The choice of the sequences that the episodes of an environment show."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from aru_keras import tasks
from aru_keras._util.arguments import foreign_options, shown, whole


class ImageStream:
    """An endless stream of indices: every image of a subset once before any comes again.

    Args:
        rng: The generator from which the seed of the stream is drawn.
        subset: The indices of the images, (K,).
        shuffle: Whether every pass has a random order, and not that of `subset`.
    """

    def __init__(self, rng: np.random.Generator, subset: np.ndarray, shuffle: bool):
        self._subset, self._shuffle = subset, shuffle
        self._seed = int(rng.integers(2**63)) if shuffle else 0
        self._epoch, self._position = 0, 0

    def take(self, count: int) -> np.ndarray:
        """The next `count` indices."""
        taken = np.empty(count, np.int64)
        for i in range(count):
            if self._position == len(self._subset):
                self._epoch, self._position = self._epoch + 1, 0
            if self._position == 0:
                self._order = self._next_order()
            taken[i] = self._order[self._position]
            self._position += 1
        return taken

    def _next_order(self) -> np.ndarray:
        if not self._shuffle:
            return self._subset
        return self._subset[tasks.epoch_order(self._seed, self._epoch, len(self._subset))]


def checked_subset(subset: int | Sequence[int] | None, size: int) -> np.ndarray:
    """The indices of the images to draw from, of a split of `size` images.

    Raises:
        ValueError: If `subset` is neither a number of images nor indices of the split.
    """
    if subset is None:
        return np.arange(size)
    if isinstance(subset, int) or np.ndim(subset) == 0:
        subset = range(whole("subset", subset, 1, hint="Or give indices."))
    indices = np.asarray(subset)
    valid = indices.ndim == 1 and indices.dtype.kind in "iu" and len(indices)
    if not valid or indices.min() < 0 or indices.max() >= size:
        raise ValueError(
            f"`subset` must be a number of images or indices from 0 to {size - 1}. "
            f"Received: {subset!r}."
        )
    return indices


def requested_indices(index: int | Sequence[int], mask: np.ndarray, size: int) -> np.ndarray:
    """The indices of the images that options["index"] requests, one for each True of the mask.

    Args:
        index: An index for all sub-environments, or one for each of them or of those that start.
        mask: The sub-environments that start, (B,) bool.
        size: The number of images in the split.

    Raises:
        ValueError: If an index is not in the split, or there is another number of them.
    """
    count = int(mask.sum())
    indices = np.asarray(index)
    fits = indices.dtype.kind in "iu" and indices.ndim < 2 and indices.size in {1, count, len(mask)}
    if not fits or indices.min() < 0 or indices.max() >= size:
        raise ValueError(
            f'options["index"] must be the index of an image of the split, from 0 to {size - 1}, '
            f"or an index for each sub-environment. Received: {indices.tolist()}."
        )
    if indices.shape == mask.shape:
        return indices[mask]
    return np.broadcast_to(indices, (count,))


def pixel_task(task: str | tasks.Task, **options: Any) -> tasks.Task:
    """The task that an environment shows, loaded with the options of `load_task` if it is a name.

    Raises:
        ValueError: If the task is missing, or is not read pixel by pixel; or if an option comes
            with a loaded task, and is neither the default nor that of the task.
    """
    if isinstance(task, tasks.Task):
        _refuse_options(task, options)
        loaded = task
    else:
        loaded = tasks.load_task(tasks.origins.checked_name("task", task), **options)
    if not loaded.spec.sequential:
        raise ValueError(
            "`task` must be a task that is read pixel by pixel. Received: "
            f"{loaded.name!r}, which feeds whole images to an encoder. Use 'scifar10'."
        )
    return loaded


def _refuse_options(task, options):
    for name, value in foreign_options(options, tasks.load_task, task).items():
        raise ValueError(
            f"`{name}` is for a task that is given by its name. Received: {name}="
            f"{shown(value)} with a loaded task, {task.name!r}. Give it to tasks.load_task."
        )
