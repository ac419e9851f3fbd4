"""The three collections of labelled images, and the checks of a copy of each."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Splits = dict[str, tuple[np.ndarray, np.ndarray]]
"""Split of a collection -> images (K, H, W) or (K, H, W, 3) uint8, and labels (K,) uint8."""

Header = tuple[tuple[int, ...], np.dtype]
"""The shape and the type of an array."""

WAYS_OUT = (
    "set TFDS_DATA_DIR or pass data_dir= to name a prepared TFDS folder, pass source= with an "
    '.npz written by aru_keras.tasks.export, or use the task "digits", which needs no download'
)


class DatasetError(RuntimeError):
    """Data that is missing, truncated, damaged, or not what the task needs.

    The message is one line that says what is wrong, in which file or folder, and what to do.
    """


@dataclass(frozen=True)
class Collection:
    """What a copy of a collection must hold.

    Attributes:
        name: The name, which is also that of the TFDS data set.
        image_shape: The shape of an image, (H, W) or (H, W, 3).
        sizes: The published number of images in each split.
        maximum: The largest value of a pixel.
        classes: The number of classes.
        url: A file of the original, by which to see whether the network reaches it; None for a
            collection that cannot be downloaded.
    """

    name: str
    image_shape: tuple[int, ...]
    sizes: Mapping[str, int]
    maximum: int = 255
    classes: int = 10
    url: str | None = None


COLLECTIONS = {
    collection.name: collection
    for collection in (
        Collection("digits", (8, 8), {"all": 1797}, maximum=16),
        Collection(
            "mnist",
            (28, 28),
            {"train": 60_000, "test": 10_000},
            url="https://storage.googleapis.com/cvdf-datasets/mnist/t10k-labels-idx1-ubyte.gz",
        ),
        Collection(
            "cifar10",
            (32, 32, 3),
            {"train": 50_000, "test": 10_000},
            url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        ),
    )
}


def checked(collection: Collection, splits: Splits, source: object) -> Splits:
    """The splits, read-only and with labels as uint8, after a check of every array.

    Args:
        collection: The collection that the splits must be.
        splits: The splits, whose counts, shapes, types and ranges are checked.
        source: The file or folder that they come from, for the message.

    Raises:
        DatasetError: If something is wrong. It names `source` and the first fault.
    """
    return {
        name: _checked_split(collection, name, *splits[name], source) for name in collection.sizes
    }


def check_headers(
    collection: Collection, split: str, images: Header, labels: Header, source: object
) -> None:
    """Check the shapes and types of images and labels before they are read.

    Raises:
        DatasetError: As in `checked`.
    """
    size = collection.sizes[split]
    expected = (size, *collection.image_shape)
    (image_shape, image_type), (label_shape, label_type) = images, labels
    if image_shape != expected or image_type != np.uint8:
        fault = f"images must be {expected} uint8, found {image_shape} {image_type}"
        raise _refusal(collection, split, fault, source)
    if label_shape != (size,) or label_type.kind not in "iu":
        fault = f"labels must be ({size},) whole numbers, found {label_shape} {label_type}"
        raise _refusal(collection, split, fault, source)


def _checked_split(
    collection: Collection, split: str, images: np.ndarray, labels: np.ndarray, source: object
) -> tuple[np.ndarray, np.ndarray]:
    check_headers(
        collection, split, (images.shape, images.dtype), (labels.shape, labels.dtype), source
    )
    least, most = labels.min(), labels.max()
    if least < 0 or most >= collection.classes:
        fault = f"labels must lie in 0…{collection.classes - 1}, found {least}…{most}"
        raise _refusal(collection, split, fault, source)
    if images.max() > collection.maximum:
        fault = f"pixels must be at most {collection.maximum}, found {images.max()}"
        raise _refusal(collection, split, fault, source)
    labels = labels.astype(np.uint8)
    images.setflags(write=False)
    labels.setflags(write=False)
    return images, labels


def _refusal(collection: Collection, split: str, fault: str, source: object) -> DatasetError:
    return DatasetError(
        f"{collection.name} in {source} is damaged: {split} {fault}. Get a fresh copy: {WAYS_OUT}."
    )
