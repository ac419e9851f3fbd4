"""Two kinds of pipeline from arrays to a model, with one order of images given by (seed, epoch).

Before training, Keras may read one batch of the data to build a model, and this is not an epoch.
Therefore an epoch is over when its LAST batch has been read, not when the data is opened or reset.
(If a pass consists of a single batch, reading it cannot be distinguished from an epoch.)
"""

import math
import threading
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from aru_keras._util.arguments import LARGEST_SIZE, whole
from aru_keras.tasks._prepared import tensorflow

Encode = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""A function from stored examples and their indices to x, as a perturbation changes it."""

DriveOf = Callable[[np.ndarray], np.ndarray]
"""A function from B indices of images in their split to ξ, (B, T, 1 or N) float32."""

_DRIVES_AT_ONCE = 2


def epoch_order(seed: int, epoch: int, size: int) -> np.ndarray:
    """The order of the images in one epoch: a permutation of range(size), int64.

    It depends on `seed`, `epoch` and `size` alone and comes from a counter-based generator. No
    epoch needs the epochs before it, so a resumed run sees the images in the order in which an
    uninterrupted run would have seen them.

    Args:
        seed: The seed of all epochs.
        epoch: The number of the epoch, from 0.
        size: The number of images.

    Raises:
        ValueError: If an argument is not a whole number of at least 0.
    """
    seed, epoch = whole("seed", seed, 0), whole("epoch", epoch, 0)
    size = whole("size", size, 0, most=LARGEST_SIZE)
    key = np.array([seed, epoch], "uint64")
    return np.random.Generator(np.random.Philox(key=key)).permutation(size)


class Passes:
    """A counter of the passes over a split, which gives the order of each.

    Args:
        size: The number of images in the split.
        seed: The seed of the order.
        shuffle: Whether the passes are shuffled.
        epoch: The epoch of the current pass. It may be set.
        used: The number of images that a pass shows, from the beginning of its order.
    """

    def __init__(self, size: int, *, seed: int, shuffle: bool, epoch: int, used: int):
        self.size, self.used = size, used
        self.seed, self.shuffle, self.epoch = seed, shuffle, epoch

    def order(self) -> np.ndarray:
        """The order of the current pass, (used,) int64."""
        if self.shuffle:
            return epoch_order(self.seed, self.epoch, self.size)[: self.used]
        return np.arange(self.used)

    def finish(self) -> np.int64:
        """End the current pass, and return the new epoch."""
        self.epoch += 1
        return np.int64(self.epoch)


class Batches(keras.utils.PyDataset):
    """Batches (x, y) of one split, for `fit`, `evaluate` and plain loops on every Keras backend.

    `Task.batches` makes them. The k-th pass is epoch `initial_epoch + k`. Keras marks the
    beginning and the end of a pass. Within it the batches come in their order whatever index is
    requested, because `fit` by default requests them in an unseeded random order. If `fit` has
    `steps_per_epoch`, a pass goes on over several of its epochs until the last batch has been read;
    another `fit` begins at the first batch. Outside of `fit`, `evaluate` and `predict`,
    `batches[i]` is the i-th batch of `epoch`, also within a plain loop `for x, y in batches`, which
    is a pass if it reads the last batch. Leave `workers` at its default, 1.

    x is (batch, *input_shape) float32, or {"pixels": x, "drive": ξ} with ξ (batch, T, 1 or N)
    float32. y is (batch,) or (batch, T) int32 for classes, (batch, D) or (batch, T, D) float32 for
    values. If there are weights, (batch,) or (batch, T) float32, a batch is (x, y, weights). The
    last batch may be smaller.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        encode: Encode,
        drive: DriveOf | None,
        batch_size: int,
        passes: Passes,
        weights: np.ndarray | None = None,
    ):
        super().__init__()
        self._images, self._labels, self._weights = images, labels, weights
        self._encode, self._drive = encode, drive
        self._batch_size, self._passes = batch_size, passes
        self._order: tuple[int, np.ndarray] | None = None
        self._position, self._in_pass, self._opened = 0, False, False
        self._reader = threading.get_ident()

    @property
    def epoch(self) -> int:
        """The epoch of the current batches. It may be set."""
        return self._passes.epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self._passes.epoch = whole("epoch", epoch, 0)
        self._position = 0

    @property
    def num_batches(self) -> int:
        """The number of batches. Keras asks for it where it begins to read anew: use len()."""
        self._end_pass()
        self._position, self._opened = 0, True
        return len(self)

    def __len__(self) -> int:
        return math.ceil(self._passes.used / self._batch_size)

    def __getitem__(self, index: int) -> tuple:
        if not 0 <= index < len(self):
            raise IndexError(
                f"The index of a batch must be from 0 to {len(self) - 1}. Received: {index}."
            )
        if not (self._in_pass or self._reads_ahead()):
            return self._batch(index)
        batch = self._batch(self._position % len(self))
        self._position += 1
        return batch

    def __iter__(self) -> Iterator[tuple]:
        unread = len(self)
        try:
            for index in range(len(self)):
                batch = self._batch(index)
                unread -= 1
                yield batch
        finally:
            if not unread:
                self._passes.finish()

    def on_epoch_begin(self) -> None:
        """Begin a pass at its first batch, or go on with the one that `fit` is within."""
        if not self._opened:
            self._position = 0
        self._in_pass = True

    def on_epoch_end(self) -> None:
        """End a pass, and proceed to the next epoch if the last batch has been read."""
        self._end_pass()
        self._in_pass, self._reader = False, threading.get_ident()

    def _end_pass(self) -> None:
        if self._position >= len(self):
            self._passes.finish()
            self._position, self._opened = 0, False

    def _reads_ahead(self) -> bool:
        """Whether TensorFlow, in a thread of its own, reads on in a pass between two epochs."""
        return self._opened and threading.get_ident() != self._reader

    def _batch(self, index: int) -> tuple:
        chosen = self._current_order()[index * self._batch_size : (index + 1) * self._batch_size]
        x, y = self._encode(self._images[chosen], chosen), as_targets(self._labels[chosen])
        x = x if self._drive is None else _driven(x, self._drive(chosen))
        return (x, y) if self._weights is None else (x, y, self._weights[chosen])

    def _current_order(self) -> np.ndarray:
        if self._order is None or self._order[0] != self.epoch:
            self._order = (self.epoch, self._passes.order())
        return self._order[1]


def tf_dataset(
    images: np.ndarray,
    labels: np.ndarray,
    encode: Encode,
    drive: DriveOf | None,
    batch_size: int,
    passes: Passes,
    weights: np.ndarray | None = None,
) -> Any:
    """A finite `tf.data.Dataset`, held in memory, ordered, batched and prefetched.

    Arguments, elements, shapes, types and the order of each pass are those of `Batches`. The drive
    is made batch by batch. If all batches are full, their size is static.

    Raises:
        DatasetError: If TensorFlow is not installed.
    """
    tf = tensorflow()
    count = math.ceil(passes.used / batch_size)
    with tf.device("CPU:0"):
        inputs = tf.constant(encode(images, np.arange(len(images))))
        labels = tf.constant(as_targets(labels))
        weights = None if weights is None else tf.constant(weights)
    drive_of = None if drive is None else _as_tensors(tf, drive)

    def indices_of_a_pass(_):
        order = tf.numpy_function(passes.order, [], tf.int64)
        order = tf.ensure_shape(order, [passes.used])
        batches = tf.data.Dataset.from_tensor_slices(order)
        # Batches that are all full have a static shape, as XLA and stateful layers need it.
        return batches.batch(batch_size, drop_remainder=passes.used % batch_size == 0)

    def batch_of(chosen):
        x, y = tf.gather(inputs, chosen), tf.gather(labels, chosen)
        x = x if drive_of is None else _driven(x, drive_of(chosen))
        return (x, y) if weights is None else (x, y, tf.gather(weights, chosen))

    def count_the_last(index, batch):
        tf.cond(
            tf.equal(index, count - 1),
            lambda: tf.numpy_function(passes.finish, [], tf.int64),
            lambda: tf.constant(0, tf.int64),
        )
        return batch

    # At the paper's size a batch of noise takes 125 MB, so only a few may wait.
    ahead = tf.data.AUTOTUNE if drive is None else _DRIVES_AT_ONCE
    dataset = tf.data.Dataset.range(1).flat_map(indices_of_a_pass)
    dataset = dataset.map(batch_of, num_parallel_calls=ahead, deterministic=True)
    dataset = dataset.prefetch(ahead)
    # Passes are counted after the prefetching, where a batch really leaves the pipeline.
    dataset = dataset.enumerate().map(count_the_last)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(count))
    options = tf.data.Options()
    options.experimental_optimization.inject_prefetch = False
    return dataset.with_options(options)


def as_targets(labels: np.ndarray) -> np.ndarray:
    """Targets as a loss takes them: classes int32, values as they are."""
    return labels.astype("int32") if labels.dtype.kind in "iu" else labels


def _driven(x: Any, drive: Any) -> dict[str, Any]:
    return {"pixels": x, "drive": drive}


def _as_tensors(tf: Any, drive: DriveOf) -> Callable:
    """`drive` as a function of tensors, whose results have a static shape."""
    steps, width = drive(np.arange(0)).shape[1:]
    return lambda chosen: tf.ensure_shape(
        tf.numpy_function(drive, [chosen], tf.float32), [chosen.shape[0], steps, width]
    )
