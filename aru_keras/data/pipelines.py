"""How arrays reach a model: one order of images, given by (seed, epoch), in two kinds of pipeline.

Before it trains, Keras may peek at one batch of the data to build a model, and that is no epoch.
So an epoch counts as over once its LAST batch was asked for, not when the data is opened or reset.
(Where a pass has one batch only, a peek cannot be told from it.)
"""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from aru_keras.arguments import LARGEST_SIZE, whole
from aru_keras.data.prepared import tensorflow

Encode = Callable[[np.ndarray], np.ndarray]
"""From whole-number images to x, contrast and all."""

DriveOf = Callable[[np.ndarray], np.ndarray]
"""From B indices of images in their split to ξ, (B, T, 1 or N) float32."""

_DRIVES_AT_ONCE = 2


def epoch_order(seed: int, epoch: int, size: int) -> np.ndarray:
    """The order of `size` images in one epoch: a permutation of range(size), int64.

    A function of (seed, epoch) alone, from a counter-based generator: no epoch needs the ones
    before it, so that a resumed run sees what an uninterrupted one would have seen.
    """
    seed, epoch = whole("seed", seed, 0), whole("epoch", epoch, 0)
    size = whole("size", size, 0, most=LARGEST_SIZE)
    key = np.array([seed, epoch], "uint64")
    return np.random.Generator(np.random.Philox(key=key)).permutation(size)


class Passes:
    """Counts passes over a split, and says in which order each one goes.

    Attributes:
        size: number of images in the split.
        used: how many of them a pass shows, the first ones of its order.
        epoch: the epoch that the next pass to start will have. May be set.
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
        """The current pass is over."""
        self.epoch += 1
        return np.int64(self.epoch)


class Batches(keras.utils.PyDataset):
    """Batches (x, y) of one split, for `fit`, `evaluate` and plain loops on every Keras backend.

    The k-th pass is epoch `initial_epoch + k`. Keras marks its begin and end; a plain
    `for x, y in batches` does so itself. Within a pass the batches come in their order whatever
    index is asked for, because `fit` by default asks for them shuffled, unseeded. Outside,
    `batches[i]` is the i-th batch of `epoch`. Keep `workers` at 1, its default. Elements:
    x (batch, *input_shape) float32, or {"pixels": x, "drive": ξ} with ξ (batch, T, 1 or N)
    float32; and y (batch,) int32. The last batch may be smaller.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        encode: Encode,
        drive: DriveOf | None,
        batch_size: int,
        passes: Passes,
    ):
        super().__init__()
        self._images, self._labels = images, labels
        self._encode, self._drive = encode, drive
        self._batch_size, self._passes = batch_size, passes
        self._order: tuple[int, np.ndarray] | None = None
        self._position: int | None = None

    @property
    def epoch(self) -> int:
        """The epoch that the batches now belong to. Setting it moves there."""
        return self._passes.epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self._passes.epoch = whole("epoch", epoch, 0)

    def __len__(self) -> int:
        return math.ceil(self._passes.used / self._batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray | dict[str, np.ndarray], np.ndarray]:
        if not 0 <= index < len(self):
            raise IndexError(f"batch {index} of {len(self)}")
        if self._position is not None:
            index = self._position % len(self)
            self._position += 1
        chosen = self._current_order()[index * self._batch_size : (index + 1) * self._batch_size]
        x, y = self._encode(self._images[chosen]), self._labels[chosen].astype("int32")
        return (x if self._drive is None else _driven(x, self._drive(chosen))), y

    def __iter__(self):
        self.on_epoch_begin()
        for index in range(len(self)):
            yield self[index]
        self.on_epoch_end()

    def on_epoch_begin(self) -> None:
        """Start a pass at its first batch."""
        self._position = 0

    def on_epoch_end(self) -> None:
        """End a pass; move on to the next epoch, if the last batch was asked for."""
        if self._position is not None and self._position >= len(self):
            self._passes.finish()
        self._position = None

    def _current_order(self) -> np.ndarray:
        kept = self._order
        if kept is None or kept[0] != self.epoch:
            kept = self._order = (self.epoch, self._passes.order())
        return kept[1]


def tf_dataset(
    inputs: np.ndarray,
    labels: np.ndarray,
    drive: DriveOf | None,
    batch_size: int,
    passes: Passes,
) -> Any:
    """A finite `tf.data.Dataset`: held in memory, ordered, batched, prefetched.

    Elements, shapes and types are those of `Batches`; so is the order, pass by pass. The drive is
    made batch by batch.

    Raises:
        DatasetError: TensorFlow is not installed.
    """
    tf = tensorflow()
    count = math.ceil(passes.used / batch_size)
    with tf.device("CPU:0"):
        inputs, labels = tf.constant(inputs), tf.constant(labels)
    drive_of = None if drive is None else _as_tensors(tf, drive)

    def indices_of_a_pass(_):
        order = tf.numpy_function(passes.order, [], tf.int64)
        order = tf.ensure_shape(order, [passes.used])
        return tf.data.Dataset.from_tensor_slices(order).batch(batch_size)

    def batch_of(chosen):
        x, y = tf.gather(inputs, chosen), tf.gather(labels, chosen)
        return (x if drive_of is None else _driven(x, drive_of(chosen))), y

    def count_the_last(index, batch):
        tf.cond(
            tf.equal(index, count - 1),
            lambda: tf.numpy_function(passes.finish, [], tf.int64),
            lambda: tf.constant(0, tf.int64),
        )
        return batch

    # A batch of noise takes 125 MB at the paper's size: only a few may wait.
    ahead = tf.data.AUTOTUNE if drive is None else _DRIVES_AT_ONCE
    dataset = tf.data.Dataset.range(1).flat_map(indices_of_a_pass)
    dataset = dataset.map(batch_of, num_parallel_calls=ahead, deterministic=True)
    dataset = dataset.prefetch(ahead)
    # Passes are counted behind the prefetching, where a batch is really handed out.
    dataset = dataset.enumerate().map(count_the_last)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(count))
    options = tf.data.Options()
    options.experimental_optimization.inject_prefetch = False
    return dataset.with_options(options)


def _driven(x, drive):
    return {"pixels": x, "drive": drive}


def _as_tensors(tf, drive):
    """`drive` as a function of tensors, whose results know their shape."""
    steps, width = drive(np.arange(0)).shape[1:]
    return lambda chosen: tf.ensure_shape(
        tf.numpy_function(drive, [chosen], tf.float32), [None, steps, width]
    )
