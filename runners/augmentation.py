"""Training batches whose contrast varies in time."""

import keras
import numpy as np

from aru_keras.perturbations import Contrast
from aru_keras.tasks import Batches

LARGEST_FREQUENCY = 2.0
"""Upper bound of the frequency f of the contrast, which is uniform between 0 and it."""


class ContrastBatches(keras.utils.PyDataset):
    """Batches, some of which have a contrast of random frequency.

    The contrast is x_t ← x_t·(1 + A sin(2πft/T)) where x_t > 0. Whether a batch has it, and its
    frequency f, depend only on `seed`, the epoch and the index of the batch. A resumed run
    therefore sees what an uninterrupted one would have seen.

    Args:
        batches: Batches of x and y from `Task.batches`, read in the order of their indices.
        share: Probability that a batch has a contrast.
        amplitude: Amplitude A of the contrast.
        seed: Seed of the draws.
    """

    def __init__(self, batches: Batches, share: float, amplitude: float, seed: int):
        super().__init__()
        self._batches, self._share, self._amplitude = batches, share, amplitude
        self._seed = seed

    def __len__(self) -> int:
        return len(self._batches)

    @property
    def num_batches(self) -> int | None:
        """The number of batches; see `Batches.num_batches`."""
        return self._batches.num_batches

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        contrast = self.contrast(self._batches.epoch, index)
        x, *others = self._batches[index]
        return (x if contrast is None else contrast.changed_pixels(x)), *others

    def contrast(self, epoch: int, index: int) -> Contrast | None:
        """The contrast of a batch of an epoch; None if the batch is shown as it is."""
        draws = np.random.default_rng([self._seed, epoch, index])
        if draws.random() >= self._share:
            return None
        return Contrast(self._amplitude, draws.uniform(0, LARGEST_FREQUENCY))

    def on_epoch_begin(self) -> None:
        """Begin a pass; see `Batches.on_epoch_begin`."""
        self._batches.on_epoch_begin()

    def on_epoch_end(self) -> None:
        """End a pass; see `Batches.on_epoch_end`."""
        self._batches.on_epoch_end()
