"""Which images train, validate and test a task.

No split draws a random number: each is the same in every run, with every numpy.
"""

import numpy as np

from aru_keras.data.collection import Parts
from aru_keras.data.specs import TASKS, TaskSpec
from aru_keras.data.transforms import rotated


def split(spec: TaskSpec, parts: Parts) -> Parts:
    """The parts of a collection as the "train", "validation" and "test" of a task."""
    if spec.collection == "digits":
        found = _split_digits(*parts["all"])
    else:
        images, labels = parts["train"]
        held_out = spec.sizes["validation"]
        found = {
            "train": (images[:-held_out], labels[:-held_out]),
            "validation": (images[-held_out:], labels[-held_out:]),
            "test": parts["test"],
        }
    return _turned(found, spec.rotation) if spec.rotation else found


def _turned(found, degrees):
    """Of turned test images one half to train on and the other to test; validation turned too."""
    images, labels = found["test"]
    turned = rotated(images, degrees)
    first, second = halves(labels)
    held_out, held_out_labels = found["validation"]
    return {
        "train": (turned[first], labels[first]),
        "validation": (rotated(held_out, degrees), held_out_labels),
        "test": (turned[second], labels[second]),
    }


def _split_digits(images: np.ndarray, labels: np.ndarray) -> Parts:
    sizes = TASKS["digits"].sizes
    test = spread(labels, sizes["test"])
    rest_images, rest_labels = images[~test], labels[~test]
    validation = spread(rest_labels, sizes["validation"])
    return {
        "train": (rest_images[~validation], rest_labels[~validation]),
        "validation": (rest_images[validation], rest_labels[validation]),
        "test": (images[test], labels[test]),
    }


def spread(labels: np.ndarray, count: int) -> np.ndarray:
    """Mask (K,) of `count` examples, stratified, spread evenly over the array within each class.

    Each class gives its share, rounded so that the total is exact (largest remainders first).
    """
    classes, sizes = np.unique(labels, return_counts=True)
    share = sizes * count / len(labels)
    quota = np.floor(share).astype(int)
    late = np.argsort(quota - share, kind="stable")[: count - quota.sum()]
    quota[late] += 1
    mask = np.zeros(len(labels), bool)
    for label, size, chosen in zip(classes, sizes, quota, strict=True):
        steps = np.arange(size + 1) * chosen // size
        mask[np.flatnonzero(labels == label)[np.diff(steps) > 0]] = True
    return mask


def halves(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two disjoint index arrays, sorted, with the same number of each class in both.

    Within a class, examples go to the halves in turn; an odd one out, the last, is dropped.
    """
    first, second = [], []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        pairs = len(members) // 2 * 2
        first.append(members[0:pairs:2])
        second.append(members[1:pairs:2])
    return np.sort(np.concatenate(first)), np.sort(np.concatenate(second))
