"""How the stored examples of a task become what a network reads: from images, or from arrays."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from aru_keras._util.arguments import whole
from aru_keras.tasks import _transforms as transforms
from aru_keras.tasks._collection import COLLECTIONS
from aru_keras.tasks._examples import Examples
from aru_keras.tasks._pixel_order import order_hash, pixel_order
from aru_keras.tasks._splits import task_splits
from aru_keras.tasks.specs import ARRAYS, TaskSpec


class PixelView:
    """Images in whole numbers as sequences of pixels, or as whole images for an encoder.

    Args:
        spec: The task's specification.
        downsample: The side of the squares of pixels that are averaged.
        permutation_seed: The seed of the permutation.
    """

    def __init__(self, spec: TaskSpec, downsample: int, permutation_seed: int):
        height, width, *channels = spec.image_shape
        self._spec, self._downsample = spec, downsample
        self.image_shape = (height // downsample, width // downsample, *channels)
        self.timesteps = spec.timesteps // downsample**2
        self.input_shape = (self.timesteps, 1) if spec.sequential else self.image_shape
        self.permutation = pixel_order(spec, downsample, permutation_seed)
        self.label = f"permutation {order_hash(self.permutation)}"
        self.channels = 1 if spec.sequential else channels[0]

    def bounds(self, splits: Iterable[Examples]) -> tuple[np.ndarray, np.ndarray]:
        """The least and the greatest value of every channel, (I,) float32 each."""
        return np.zeros(self.channels, "float32"), np.ones(self.channels, "float32")

    def encode(self, images: np.ndarray) -> np.ndarray:
        """What a network reads, (K, *input_shape) float32."""
        values = self.pictures(images)
        if not self._spec.sequential:
            return values
        values = values.reshape(len(values), self.timesteps)
        if self.permutation is not None:
            values = values[:, self.permutation]
        return values[..., np.newaxis]

    def pictures(self, images: np.ndarray) -> np.ndarray:
        """The images as pictures, (K, *image_shape) float32 in [0, 1], not permuted."""
        values = transforms.pooled(images, self._downsample)
        if self._spec.sequential and values.ndim == 4:
            values = transforms.grey(values)
        return np.minimum(values / np.float32(COLLECTIONS[self._spec.collection].maximum), 1)

    def pixel_index(self, t: int) -> int:
        """The row-major index of the pixel shown at step t."""
        if not self._spec.sequential:
            raise ValueError(
                "`pixel_index` needs a task that is read pixel by pixel. Received: "
                f"{self._spec.name!r}, which feeds whole images to an encoder. Use 'scifar10'."
            )
        if whole("t", t, 0) >= self.timesteps:
            raise ValueError(f"`t` must be below T = {self.timesteps}. Received: {t}.")
        return int(t if self.permutation is None else self.permutation[t])


class ArrayView:
    """Sequences that are read as they are.

    Args:
        spec: The task's specification.
    """

    image_shape: tuple[int, ...] = ()
    permutation = None

    def __init__(self, spec: TaskSpec):
        self._spec = spec
        self.timesteps, self.input_shape = spec.timesteps, spec.input_shape
        values = "1 value" if spec.values == 1 else f"{spec.values} values"
        kind = f"{spec.classes} classes" if spec.classes else values
        self.label = f"{kind} {'at every step' if spec.every_step else 'at the end'}"

    def bounds(self, splits: Iterable[Examples]) -> tuple[np.ndarray, np.ndarray]:
        """The least and the greatest value of every channel, (I,) float32 each."""
        steps = [split.x[split.mask(self.timesteps)] for split in splits]
        least, greatest = (np.stack([end(x, axis=0) for x in steps]) for end in (np.min, np.max))
        return least.min(axis=0), greatest.max(axis=0)

    def encode(self, sequences: np.ndarray) -> np.ndarray:
        """The sequences themselves."""
        return sequences

    def pictures(self, sequences: np.ndarray) -> np.ndarray:
        """Refuse: there are no images."""
        raise self._imageless("images")

    def pixel_index(self, t: int) -> int:
        """Refuse: there are no pixels."""
        raise self._imageless("pixel_index")

    def _imageless(self, name):
        return ValueError(
            f"`{name}` needs a task of images. Received: {self._spec.name!r}, whose sequences have "
            "none. `arrays` gives the sequences."
        )


def opened(
    spec: TaskSpec, collection: Mapping[str, Any], downsample: int, permutation_seed: int
) -> tuple[PixelView | ArrayView, dict[str, Examples]]:
    """The view of a task and its splits, from what its constructor takes."""
    if spec.collection == ARRAYS:
        return ArrayView(spec), dict(collection)
    splits = task_splits(spec, collection)  # type: ignore[arg-type]
    examples = {name: Examples(*images_and_labels) for name, images_and_labels in splits.items()}
    return PixelView(spec, downsample, permutation_seed), examples
