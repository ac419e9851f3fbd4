"""A task: sequences in splits, of pixels or of any channels, with their classes or values."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aru_keras._util.arguments import array, checked_indices, one_of
from aru_keras.perturbations import as_perturbation
from aru_keras.tasks._examples import PADDING, Examples
from aru_keras.tasks._fingerprint import fingerprint, short_hash
from aru_keras.tasks._pipelines import Batches, as_targets, tf_dataset
from aru_keras.tasks._pixel_order import order_hash
from aru_keras.tasks._plans import changed, drive_of, indices_within, passes_over
from aru_keras.tasks._views import opened
from aru_keras.tasks._weights import checked_class_weights, weights_in_loss
from aru_keras.tasks.specs import ARRAYS, SPLITS, TaskSpec


class Task:
    """A task with its data, as `load_task` and `from_arrays` return it.

    Args:
        spec: The task's specification.
        collection: The published splits of its collection of images; of a task of arrays, its own
            splits.
        downsample: The side of the squares of pixels that are averaged.
        permutation_seed: The seed of the permutation.
        origin: The name by which `load_task` loads a task of arrays, or None.
        source: The path of the .npz from which the images were read, or None.

    Attributes:
        name: The name of the task.
        origin: The name by which `load_task` loads it; None for arrays without one.
        source: The whole path of the .npz from which its images were read, or None.
        spec: The task's specification.
        classes: The number of classes; 0 for a regression.
        downsample: The side of the squares of pixels that are averaged.
        permutation_seed: The seed of the permutation.
        image_shape: The shape of an image after downsampling, (H, W), or (32, 32, 3); () where
            there are no images.
        timesteps: The number of steps T after downsampling; for scifar10-conv the number of
            positions in the encoder's map.
        input_shape: The shape of an example for a model, (T, I), or (32, 32, 3).
        summary: A few words on the order of the pixels, or on the targets.
        permutation: The order of the pixels, (T,) int64: step t shows pixel `permutation[t]`. None
            if the steps are not permuted.
        sizes: The number of examples in each split.
        weighted: Whether steps or examples have weights: those given, and 0 for padding.
        padding: The value of all channels behind the end of a shorter sequence, which a network
            masks; None if all sequences have T steps.
    """

    def __init__(
        self,
        spec: TaskSpec,
        collection: Mapping[str, Any],
        *,
        downsample: int = 1,
        permutation_seed: int = 0,
        origin: str | None = None,
        source: str | None = None,
    ):
        self.name, self.spec, self.classes = spec.name, spec, spec.classes
        self.origin = origin if spec.collection == ARRAYS else spec.name
        self.downsample, self.permutation_seed, self.source = downsample, permutation_seed, source
        self._view, self._splits = opened(spec, collection, downsample, permutation_seed)
        self.image_shape, self.timesteps = self._view.image_shape, self._view.timesteps
        self.input_shape, self.permutation = self._view.input_shape, self._view.permutation
        self.summary = self._view.label
        self.sizes = {split: len(examples) for split, examples in self._splits.items()}
        splits = self._splits.values()
        self.weighted = any(weights_in_loss(split, spec) is not None for split in splits)
        self._collection, self.padding = collection, PADDING if spec.ragged else None

    def __repr__(self) -> str:
        return (
            f"<Task {self.name}: T={self.timesteps}, input_shape={self.input_shape}, "
            f"{self.summary}, {self.sizes}>"
        )

    def __deepcopy__(self, memo: dict) -> "Task":
        """Return the task itself, because it never changes and its images may be many."""
        return self

    @property
    def permutation_hash(self) -> str:
        """Eight hexadecimal digits that identify the permutation; "none" without a permutation."""
        return order_hash(self.permutation)

    @functools.cached_property
    def fingerprint(self) -> str:
        """The sizes and hashes of the splits and properties, which `load_task` compares."""
        return fingerprint(self.spec, self._splits)

    @functools.cached_property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """The least and the greatest value of each channel in any split, (I,) float32 each."""
        return self._view.bounds(self._splits.values())

    @property
    def hash(self) -> str:
        """Eight hexadecimal digits that identify the data of the task."""
        return short_hash(self.fingerprint)

    def config(self) -> dict[str, Any]:
        """A dict that JSON can hold: `load_task(**task.config())` loads this task again."""
        if self.spec.collection == ARRAYS:
            return {"name": self.origin or self.name, "fingerprint": self.fingerprint}
        order = {"downsample": self.downsample, "permutation_seed": self.permutation_seed}
        return {"name": self.name, **order}

    def pixel_index(self, t: int) -> int:
        """The row-major index, in an image of `image_shape`, of the pixel shown at step t.

        Args:
            t: The step, from 0 to T − 1.

        Raises:
            ValueError: If t is out of this range, or the task does not show pixels one by one.
        """
        return self._view.pixel_index(t)

    def images(self, split: str) -> np.ndarray:
        """The images of a split as pictures, not permuted.

        Args:
            split: The split: "train", "validation" or "test".

        Returns:
            An array (K, *image_shape) float32 in [0, 1]. A task without images has none.
        """
        return self._view.pictures(self._split(split).x)

    def lengths(self, split: str) -> np.ndarray:
        """The number of steps of each sequence of a split, (K,) int64.

        Args:
            split: The split: "train", "validation" or "test".
        """
        return self._split(split).steps(self.timesteps)

    def mask(self, split: str) -> np.ndarray:
        """A mask (K, T) of a split, False at the steps that are padding.

        Args:
            split: The split: "train", "validation" or "test".
        """
        return self._split(split).mask(self.timesteps)

    def arrays(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """All examples of a split and their targets.

        Args:
            split: The split: "train", "validation" or "test".

        Returns:
            x (K, *input_shape) float32, pixels in [0, 1], and y: (K,) or (K, T) int32 for classes,
            (K, D) or (K, T, D) float32 for values.
        """
        return self.examples(split, np.arange(len(self._split(split))))

    def examples(self, split: str, indices: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Some examples of a split and their targets, without the work for the others.

        Args:
            split: The split: "train", "validation" or "test".
            indices: The indices of K examples, whole numbers from 0 in any order.

        Returns:
            x and y, as in `arrays`.

        Raises:
            ValueError: If an index is not in the split.
        """
        examples = self._split(split)
        chosen = indices_within(indices, len(examples), f"{split!r} in {self.name!r}")
        return self._view.encode(examples.x[chosen]), as_targets(examples.y[chosen])

    def perturbed(
        self,
        x: np.ndarray,
        indices: Sequence[int],
        perturbation: Any,
        units: int | None = None,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Examples under a perturbation, as they are in `batches` and `dataset`.

        Args:
            x: The examples, (K, *input_shape), as `examples` returns them.
            indices: The indices of the K images in their split, on which the noise depends.
            perturbation: A `perturbations` value, or another form that `as_perturbation` takes.
            units: The number of units N, which is needed if the drive differs between units.

        Returns:
            x after the change of contrast, and the drive ξ, (K, T, 1 or N) float32, or None if
            there is no drive.

        Raises:
            ValueError: If the perturbation does not fit the task, or `units` is missing.
        """
        perturbation, chosen = as_perturbation(perturbation), checked_indices(indices)
        x = array("x", x, ("K", "T"), ("K", "T", "I"), ("K", "H", "W", "C"), dtype="float32")
        if len(chosen) != len(x):
            raise ValueError(
                f"`indices` must name each example of `x`. Received: {len(chosen)} indices for "
                f"{len(x)} examples."
            )
        drive = drive_of(perturbation, self.timesteps, units)
        values = changed(x, chosen, perturbation, self)
        return values, None if drive is None else drive(chosen)

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
        class_weights: str | Sequence[float] | None = None,
    ) -> Batches:
        """Batches for every Keras backend, for which TensorFlow is not needed.

        The k-th pass has the order `epoch_order(seed, initial_epoch + k, K)`, which depends on
        seed and epoch alone and is the same in `dataset`.

        Args:
            split: The split: "train", "validation" or "test".
            batch_size: The number of images in a batch. The last batch of a pass may be smaller.
            seed: The seed of the order.
            shuffle: Whether to shuffle. By default only "train" is shuffled.
            initial_epoch: The epoch of the first pass, for a run that is resumed.
            limit: The number of images to use, from the beginning of the split.
            perturbation: A `perturbations` value, or another form that `as_perturbation` takes. If
                it has a drive, the batches are `({"pixels": x, "drive": ξ}, y)` with ξ
                (B, T, 1 or N), for networks built with `drive=True`. The noise of an image depends
                on its index in the split, and not on its position in a batch.
            units: The number of units N, which is needed if the drive differs between units.
            drop_remainder: Whether a pass leaves out the images that do not fill its last batch.
            class_weights: The weights of the classes in the loss: a number for each, or "balanced"
                for the same sum of all weights in each class of the training split; others weigh 1.

        Raises:
            ValueError: If an argument is out of its range, or the perturbation does not fit the
                task.
        """
        counted = seed, shuffle, initial_epoch, limit, drop_remainder
        return Batches(*self._plan(split, batch_size, counted, perturbation, units, class_weights))

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
        class_weights: str | Sequence[float] | None = None,
    ) -> Any:
        """A finite `tf.data.Dataset` of (x, y), held in memory and prefetched.

        Arguments, elements and order are those of `batches`. After a loop that stops before the
        last batch, the next loop repeats the same epoch. All that is derived from one dataset
        shares its count of passes: for `shard`, make a dataset for each, or take `shuffle=False`.

        Raises:
            ValueError: If an argument is out of its range.
            DatasetError: If TensorFlow is not installed.
        """
        counted = seed, shuffle, initial_epoch, limit, drop_remainder
        plan = self._plan(split, batch_size, counted, perturbation, units, class_weights)
        return tf_dataset(*plan)

    def _plan(self, split, batch_size, counted, perturbation, units, class_weights):
        """The arguments of `Batches`."""
        examples, train = self._split(split), self._split("train")
        passes = passes_over(split, len(examples), batch_size, *counted)
        examples = examples.chosen(slice(passes.size))
        perturbation = as_perturbation(perturbation)
        drive = drive_of(perturbation, self.timesteps, units)
        class_weights = checked_class_weights(class_weights, self.spec, train)
        weights = weights_in_loss(examples, self.spec, class_weights)

        def encode(stored, indices):
            return changed(self._view.encode(stored), indices, perturbation, self)

        return examples.x, examples.y, encode, drive, batch_size, passes, weights

    def _split(self, split: str) -> Examples:
        return self._splits[one_of("split", split, SPLITS)]
