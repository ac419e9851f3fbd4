"""The stored examples of a split, and how sequences of different lengths are padded."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

PADDING = -32768.0
"""The value of all channels at the steps that pad a shorter sequence.

It is exact in half precision too. A `keras.layers.Masking` with this value skips these steps.
"""


@dataclass(frozen=True, eq=False)
class Examples:
    """The examples of a split, as they are stored.

    Attributes:
        x: Images (K, H, W) or (K, H, W, 3) uint8, or padded sequences (K, T, I) float32.
        y: Classes (K,) or (K, T), whole numbers, or values (K, D) or (K, T, D) float32.
        lengths: The number of steps of each sequence, (K,) int64; None if all have T.
        weights: The weights of the examples, (K,) float32; None if all weigh 1.
    """

    x: np.ndarray
    y: np.ndarray
    lengths: np.ndarray | None = None
    weights: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.y)

    def steps(self, timesteps: int) -> np.ndarray:
        """The number of steps of each sequence, (K,) int64, of at most `timesteps`."""
        return np.full(len(self), timesteps) if self.lengths is None else self.lengths

    def mask(self, timesteps: int) -> np.ndarray:
        """A mask (K, timesteps), True at the steps inside of each sequence."""
        return np.arange(timesteps) < self.steps(timesteps)[:, None]

    def chosen(self, indices: np.ndarray | slice) -> "Examples":
        """Some of the examples."""
        fields = (self.x, self.y, self.lengths, self.weights)
        return Examples(*(None if field is None else field[indices] for field in fields))


def padded(rows: Sequence[np.ndarray], steps: int, value: float) -> np.ndarray:
    """Rows (T_k, …) in one array (K, steps, …), with a value behind the end of each."""
    joined = np.full((len(rows), steps, *rows[0].shape[1:]), value, rows[0].dtype)
    for padded_row, row in zip(joined, rows, strict=True):
        padded_row[: len(row)] = row
    return joined


def widened(values: np.ndarray, steps: int, value: float) -> np.ndarray:
    """An array (K, T, …) with more steps, which have a value."""
    missing = steps - values.shape[1]
    if not missing:
        return values
    widths = [(0, 0), (0, missing), *[(0, 0)] * (values.ndim - 2)]
    return np.pad(values, widths, constant_values=value)


def is_padding(x: np.ndarray) -> np.ndarray:
    """A mask (…,) of sequences (…, I), True at the steps that are padding."""
    return (x == np.float32(PADDING)).all(axis=-1)
