"""The endless stream of images that the lanes of an environment draw from."""

import numpy as np

from aru_keras.tasks import epoch_order


class ImageStream:
    """Pass after pass over a subset of images: each comes once before any comes again.

    Args:
        rng: Generator that the stream's seed is drawn from.
        subset: Indices of the images, (K,).
        shuffle: Whether every pass goes in an order of its own, else in that of `subset`.
    """

    def __init__(self, rng: np.random.Generator, subset: np.ndarray, shuffle: bool):
        self._subset, self._shuffle = subset, shuffle
        self._seed = int(rng.integers(2**63)) if shuffle else 0
        self._epoch, self._position = 0, 0

    def take(self, count: int) -> np.ndarray:
        """The next `count` indices."""
        taken = np.empty(count, np.int64)
        for place in range(count):
            if self._position == len(self._subset):
                self._epoch, self._position = self._epoch + 1, 0
            if self._position == 0:
                self._order = self._next_order()
            taken[place] = self._order[self._position]
            self._position += 1
        return taken

    def _next_order(self):
        if not self._shuffle:
            return self._subset
        return self._subset[epoch_order(self._seed, self._epoch, len(self._subset))]
