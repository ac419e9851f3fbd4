"""A task: images in splits, as sequences of pixels, with their classes."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from aru_keras.arguments import array, checked_indices, flag, one_of, whole
from aru_keras.data import transforms
from aru_keras.data.collection import COLLECTIONS, Parts
from aru_keras.data.pipelines import Batches, Passes, tf_dataset
from aru_keras.data.specs import SPLITS, TaskSpec
from aru_keras.data.splits import split as split_parts
from aru_keras.perturbations import as_perturbation


def pixel_order(spec: TaskSpec, downsample: int, seed: int) -> np.ndarray | None:
    """The order in which a task shows its pixels, (T,) int64, read-only; None: row by row.

    Args:
        spec: Of the task.
        downsample: Side of the squares of pixels that are averaged.
        seed: Of the permutation.
    """
    if not spec.permuted:
        return None
    steps = spec.timesteps // whole("downsample", downsample, 1) ** 2
    order = np.random.default_rng(whole("permutation_seed", seed, 0)).permutation(steps)
    order.setflags(write=False)
    return order


def order_hash(order: np.ndarray | None) -> str:
    """Eight hexadecimal digits that name an order of pixels; "none" for None."""
    if order is None:
        return "none"
    return hashlib.sha256(order.astype("<i4").tobytes()).hexdigest()[:8]


class Task:
    """A task with its data. Made by `load_task`.

    Attributes:
        name: the task's name.
        spec: its `TaskSpec`.
        classes: number of classes.
        downsample: side of the squares of pixels that were averaged.
        permutation_seed: seed of the permutation.
        image_shape: (H, W) after downsampling, or (32, 32, 3).
        timesteps: T after downsampling; for scifar10-conv the positions of the encoder's map.
        input_shape: what a model sees for one example: (T, 1), or (32, 32, 3).
        permutation: (T,) int64, or None: step t shows the pixel `permutation[t]`.
        sizes: number of images in each split.
    """

    def __init__(self, spec: TaskSpec, parts: Parts, *, downsample: int, permutation_seed: int):
        self.name, self.spec, self.classes = spec.name, spec, spec.classes
        self.downsample, self.permutation_seed = downsample, permutation_seed
        height, width, *channels = spec.image_shape
        self.image_shape = (height // downsample, width // downsample, *channels)
        self.timesteps = spec.timesteps // downsample**2
        self.input_shape = (self.timesteps, 1) if spec.sequential else self.image_shape
        self.permutation = pixel_order(spec, downsample, permutation_seed)
        self._parts, self._splits = parts, split_parts(spec, parts)
        self.sizes = {split: len(labels) for split, (_, labels) in self._splits.items()}

    def __repr__(self) -> str:
        return (
            f"<Task {self.name}: T={self.timesteps}, input_shape={self.input_shape}, "
            f"permutation {self.permutation_hash}, {self.sizes}>"
        )

    def __deepcopy__(self, memo) -> "Task":
        """Itself: a task never changes, and its images may be many."""
        return self

    @property
    def permutation_hash(self) -> str:
        """Eight hexadecimal digits that name the permutation, "none" where there is none."""
        return order_hash(self.permutation)

    def config(self) -> dict[str, Any]:
        """A JSON-able dict: `load_task(**task.config())` is this task again."""
        return {
            "name": self.name,
            "downsample": self.downsample,
            "permutation_seed": self.permutation_seed,
        }

    def pixel_index(self, t: int) -> int:
        """Row-major index, in an image of `image_shape`, of the pixel shown at step t.

        Raises:
            ValueError: t is outside 0…T − 1, or the task shows whole images.
        """
        if not self.spec.sequential:
            raise ValueError(
                "`pixel_index` needs a task that goes pixel by pixel. Received: "
                f"{self.name!r}, which feeds whole images to an encoder. Use 'scifar10'."
            )
        if whole("t", t, 0) >= self.timesteps:
            raise ValueError(f"`t` must be below T = {self.timesteps}. Received: {t}.")
        return int(t if self.permutation is None else self.permutation[t])

    def images(self, split: str) -> np.ndarray:
        """Images of a split for pictures, (K, *image_shape) float32 in [0, 1], not permuted."""
        return self._pictures(self._split(split)[0])

    def arrays(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """x (K, *input_shape) float32 in [0, 1] and y (K,) int32 of "train", "validation", "test".

        Made anew at each call; only the whole-number images stay in memory.
        """
        return self.examples(split, np.arange(len(self._split(split)[1])))

    def examples(self, split: str, indices: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """x and y of some images of a split, as in `arrays`, without the work for the others.

        Args:
            split: "train", "validation" or "test".
            indices: (K,) whole numbers from 0, in any order.

        Returns:
            x (K, *input_shape) float32 and y (K,) int32.

        Raises:
            ValueError: an index is not in the split.
        """
        images, labels = self._split(split)
        chosen = checked_indices(indices)
        if (chosen >= len(labels)).any():
            raise ValueError(
                f"`indices` must be below {len(labels)}, the size of {split!r} in {self.name!r}. "
                f"Received: {int(chosen.max())}."
            )
        return self._encode(images[chosen]), labels[chosen].astype("int32")

    def perturbed(
        self,
        x: np.ndarray,
        indices: Sequence[int],
        perturbation: Any,
        units: int | None = None,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Encoded examples under a perturbation, as in `batches` and `dataset`.

        Args:
            x: (K, *input_shape), as `examples` gives it.
            indices: (K,) where in their split the images of `x` stand; the noise depends on it.
            perturbation: what `as_perturbation` takes: a value, text, a list, or None.
            units: N, where the drive differs between units.

        Returns:
            x with its contrast changed, and the drive ξ (K, T, 1 or N) float32, or None where
            there is no drive.

        Raises:
            ValueError: the perturbation does not fit the task, or `units` is missing.
        """
        perturbation, chosen = as_perturbation(perturbation), checked_indices(indices)
        x = array("x", x, ("K", "T"), ("K", "T", "I"), ("K", "H", "W", "C"), dtype="float32")
        if len(chosen) != len(x):
            raise ValueError(
                f"`indices` must name each example of `x`. Received: {len(chosen)} indices for "
                f"{len(x)} examples."
            )
        drive = self._drive_of(perturbation, units)
        return perturbation.changed_pixels(x), None if drive is None else drive(chosen)

    def batches(
        self,
        split: str,
        batch_size: int = 100,
        *,
        seed: int = 0,
        shuffle: bool | None = None,
        initial_epoch: int = 0,
        limit: int | None = None,
        perturbation: Any = None,
        units: int | None = None,
        drop_remainder: bool = False,
    ) -> Batches:
        """Batches for any Keras backend; TensorFlow is not needed.

        The k-th pass goes in the order `epoch_order(seed, initial_epoch + k, K)`, a function of
        seed and epoch alone, and the same in `dataset`.

        Args:
            split: "train", "validation" or "test".
            batch_size: images in a batch; the last batch of a pass may be smaller.
            seed: of the order.
            shuffle: by default only "train" is shuffled.
            initial_epoch: epoch of the first pass, where a run is resumed.
            limit: only the first `limit` images of the split.
            perturbation: what `as_perturbation` takes: a value, text, a list, or None. With a
                drive in it the batches are `({"pixels": x, "drive": ξ}, y)`, ξ (B, T, 1 or N), for
                networks built with `drive=True`. An image's noise depends on its index in the
                split, not on its place in a batch.
            units: N, where the drive differs between units.
            drop_remainder: whether a pass leaves out the images that do not fill its last batch.

        Raises:
            ValueError: an argument is out of its range, or the perturbation does not fit the task.
        """
        passes = self._passes(
            split, batch_size, seed, shuffle, initial_epoch, limit, drop_remainder
        )
        images, labels, *plan = self._plan(split, batch_size, passes, perturbation, units)
        return Batches(images, labels, *plan)

    def dataset(
        self,
        split: str,
        batch_size: int = 100,
        *,
        seed: int = 0,
        shuffle: bool | None = None,
        initial_epoch: int = 0,
        limit: int | None = None,
        perturbation: Any = None,
        units: int | None = None,
        drop_remainder: bool = False,
    ) -> Any:
        """A finite `tf.data.Dataset` of (x, y), held in memory and prefetched.

        Arguments, elements and order are those of `batches`. A pass counts once its last batch is
        out: a loop that breaks off before begins the same epoch again.

        Raises:
            ValueError: an argument is out of its range.
            DatasetError: TensorFlow is not installed.
        """
        passes = self._passes(
            split, batch_size, seed, shuffle, initial_epoch, limit, drop_remainder
        )
        images, labels, encode, *plan = self._plan(split, batch_size, passes, perturbation, units)
        return tf_dataset(encode(images), labels.astype("int32"), *plan)

    def _passes(self, split, batch_size, seed, shuffle, epoch, limit, drop_remainder):
        size, batch_size = len(self._split(split)[1]), whole("batch_size", batch_size, 1)
        if limit is not None:
            size = min(size, whole("limit", limit, 1, hint="Leave it out for the whole split."))
        if drop_remainder and batch_size > size:
            raise ValueError(
                f"`batch_size` must be at most {size}, the number of {split} images, where the "
                f"remainder is dropped. Received: {batch_size}. Choose a smaller one."
            )
        return Passes(
            size,
            seed=whole("seed", seed, 0),
            shuffle=split == "train" if shuffle is None else flag("shuffle", shuffle),
            epoch=whole("initial_epoch", epoch, 0),
            used=size - size % batch_size if drop_remainder else size,
        )

    def _plan(self, split, batch_size, passes, perturbation, units):
        images, labels = (values[: passes.size] for values in self._split(split))
        perturbation = as_perturbation(perturbation)
        drive = self._drive_of(perturbation, units)

        def encode(images):
            return perturbation.changed_pixels(self._encode(images))

        return images, labels, encode, drive, batch_size, passes

    def _drive_of(self, perturbation, units):
        """The function from indices (B,) to the drive (B, T, 1 or N); None without a drive."""
        # That of no images costs nothing, and finds out what does not fit.
        if perturbation.drive(np.arange(0), self.timesteps, units) is None:
            return None

        def drive_of(indices):
            drive = perturbation.drive(indices, self.timesteps, units)
            return drive if len(drive) == len(indices) else np.repeat(drive, len(indices), 0)

        return drive_of

    def _split(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        return self._splits[one_of("split", split, SPLITS)]

    def _pictures(self, images: np.ndarray) -> np.ndarray:
        values = transforms.pooled(images, self.downsample)
        if self.spec.sequential and values.ndim == 4:
            values = transforms.grey(values)
        return np.minimum(values / np.float32(COLLECTIONS[self.spec.collection].maximum), 1)

    def _encode(self, images: np.ndarray) -> np.ndarray:
        values = self._pictures(images)
        if not self.spec.sequential:
            return values
        values = values.reshape(len(values), self.timesteps)
        if self.permutation is not None:
            values = values[:, self.permutation]
        return values[..., np.newaxis]
