"""What a pipeline of a task is made of: its passes, its drive, and the change of its inputs."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from aru_keras._util.arguments import checked_indices, flag, whole
from aru_keras.perturbations import Perturbation
from aru_keras.tasks._examples import is_padding
from aru_keras.tasks._pipelines import DriveOf, Passes


def passes_over(
    split: str,
    size: int,
    batch_size: int,
    seed: int,
    shuffle: bool | None,
    initial_epoch: int,
    limit: int | None,
    drop_remainder: bool,
) -> Passes:
    """The passes over a split of `size` examples; the other arguments are those of `Task.batches`.

    Raises:
        ValueError: If an argument is out of its range.
    """
    batch_size = whole("batch_size", batch_size, 1)
    if limit is not None:
        size = min(size, whole("limit", limit, 1, hint="Leave it out for the whole split."))
    if drop_remainder and batch_size > size:
        raise ValueError(
            f"`batch_size` must be at most {size}, the number of {split} images, if the "
            f"remainder is dropped. Received: {batch_size}. Choose a smaller batch."
        )
    return Passes(
        size,
        seed=whole("seed", seed, 0),
        shuffle=split == "train" if shuffle is None else flag("shuffle", shuffle),
        epoch=whole("initial_epoch", initial_epoch, 0),
        used=size - size % batch_size if drop_remainder else size,
    )


def drive_of(perturbation: Perturbation, timesteps: int, units: int | None) -> DriveOf | None:
    """The function from indices (B,) to the drive (B, T, 1 or N); None without a drive."""
    # The drive of no images costs nothing, and its errors show what does not fit.
    if perturbation.drive(np.arange(0), timesteps, units) is None:
        return None

    def drive(indices):
        values = perturbation.drive(indices, timesteps, units)
        return values if len(values) == len(indices) else np.repeat(values, len(indices), 0)

    return drive


def changed(
    x: np.ndarray, indices: np.ndarray, perturbation: Perturbation, task: Any
) -> np.ndarray:
    """The inputs of a task under a perturbation, which leaves what is padding as it is."""
    values = perturbation.changed_pixels(x, indices, task.spec.channels)
    if task.padding is None or values is x:
        return values
    return np.where(is_padding(x)[..., None], x, values)


def indices_within(indices: Sequence[int], size: int, name: str) -> np.ndarray:
    """Indices of examples, which must be in a split.

    Args:
        indices: The indices, whole numbers from 0.
        size: The size of the split.
        name: The name of the split, for the message.

    Raises:
        ValueError: If an index is not in the split.
    """
    chosen = checked_indices(indices)
    if (chosen >= size).any():
        raise ValueError(
            f"`indices` must be below {size}, the size of {name}. Received: {int(chosen.max())}."
        )
    return chosen
