"""The order in which a task shows the pixels of an image."""

import hashlib

import numpy as np

from aru_keras._util.arguments import whole
from aru_keras.tasks.specs import TaskSpec


def pixel_order(spec: TaskSpec, downsample: int = 1, seed: int = 0) -> np.ndarray | None:
    """The order in which a task shows its pixels, (T,) int64 and read-only; None for row by row.

    Args:
        spec: The task's specification.
        downsample: The side of the squares of pixels that are averaged.
        seed: The seed of the permutation.

    Raises:
        ValueError: If `downsample` or `seed` is not a whole number in its range.
    """
    if not spec.permuted:
        return None
    steps = spec.timesteps // whole("downsample", downsample, 1) ** 2
    order = np.random.default_rng(whole("permutation_seed", seed, 0)).permutation(steps)
    order.setflags(write=False)
    return order


def order_hash(order: np.ndarray | None) -> str:
    """Eight hexadecimal digits that identify an order of pixels; "none" for None.

    Args:
        order: The order, (T,), as `pixel_order` returns it.
    """
    if order is None:
        return "none"
    return hashlib.sha256(order.astype("<i4").tobytes()).hexdigest()[:8]
