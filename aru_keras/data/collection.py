"""The three collections of labelled images, and what a sound copy of each looks like."""

from dataclasses import dataclass

import numpy as np

Parts = dict[str, tuple[np.ndarray, np.ndarray]]
"""Part of a collection -> images (K, H, W) or (K, H, W, 3) uint8, labels (K,) uint8."""

WAYS_OUT = (
    "set TFDS_DATA_DIR or pass data_dir= to name a prepared TFDS folder, pass source= with an "
    '.npz written by aru_keras.tasks.export, or use the task "digits", which needs no download'
)


class DatasetError(RuntimeError):
    """Data that is missing, truncated, damaged, or not what the task needs.

    The message says what is wrong, where, and what to do, in one line.
    """


@dataclass(frozen=True)
class Collection:
    """What a copy of a collection must hold.

    Attributes:
        name: also the name of the TFDS data set.
        image_shape: (H, W) or (H, W, 3).
        sizes: images in each part, as published.
        maximum: the largest pixel value.
        url: a file of the original, to see whether the network reaches it; None: not downloadable.
    """

    name: str
    image_shape: tuple[int, ...]
    sizes: dict[str, int]
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


def checked(collection: Collection, parts: Parts, where: object) -> Parts:
    """`parts`, read-only, labels as uint8, once every count, shape, type and range is right.

    Raises:
        DatasetError: names `where` and the first thing found wrong.
    """
    return {name: _checked_part(collection, name, *parts[name], where) for name in collection.sizes}


def check_headers(
    collection: Collection, part: str, images: tuple, labels: tuple, where: object
) -> None:
    """Check the shape and type of images and labels, a pair each, before they are read.

    Raises:
        DatasetError: as `checked`.
    """
    size = collection.sizes[part]
    expected = (size, *collection.image_shape)
    (image_shape, image_type), (label_shape, label_type) = images, labels
    if image_shape != expected or image_type != np.uint8:
        what = f"images must be {expected} uint8, found {image_shape} {image_type}"
        raise _refusal(collection, part, what, where)
    if label_shape != (size,) or label_type.kind not in "iu":
        what = f"labels must be ({size},) whole numbers, found {label_shape} {label_type}"
        raise _refusal(collection, part, what, where)


def _checked_part(
    collection: Collection, part: str, images: np.ndarray, labels: np.ndarray, where: object
) -> tuple[np.ndarray, np.ndarray]:
    headers = ((array.shape, array.dtype) for array in (images, labels))
    check_headers(collection, part, *headers, where)
    if labels.min() < 0 or labels.max() >= collection.classes:
        what = f"labels must lie in 0…{collection.classes - 1}, found {labels.min()}…{labels.max()}"
        raise _refusal(collection, part, what, where)
    if images.max() > collection.maximum:
        what = f"pixels must be at most {collection.maximum}, found {images.max()}"
        raise _refusal(collection, part, what, where)
    labels = labels.astype(np.uint8)
    images.setflags(write=False)
    labels.setflags(write=False)
    return images, labels


def _refusal(collection: Collection, part: str, what: str, where: object) -> DatasetError:
    return DatasetError(
        f"{collection.name} in {where} is damaged: {part} {what}. Get a fresh copy: {WAYS_OUT}."
    )
