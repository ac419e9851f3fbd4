"""The choice of the images that train, validate and test a task.

No split of a task of the paper draws a random number, so each is the same in every run and with
every version of NumPy. Those of your own arrays may be drawn from a seed.
"""

from collections.abc import Mapping

import numpy as np

from aru_keras.tasks._collection import Splits
from aru_keras.tasks._doubts import warn
from aru_keras.tasks._examples import Examples
from aru_keras.tasks._groups import whole_groups
from aru_keras.tasks._transforms import rotated
from aru_keras.tasks.specs import TASKS, TaskSpec


def task_splits(spec: TaskSpec, collection: Splits) -> Splits:
    """The splits "train", "validation" and "test" of a task.

    Args:
        spec: The task's specification.
        collection: The published splits of its collection.
    """
    if spec.collection == "digits":
        splits = _split_digits(*collection["all"])
    else:
        images, labels = collection["train"]
        held_out = spec.sizes["validation"]
        splits = {
            "train": (images[:-held_out], labels[:-held_out]),
            "validation": (images[-held_out:], labels[-held_out:]),
            "test": collection["test"],
        }
    return _rotated_splits(splits, spec.rotation) if spec.rotation else splits


def _rotated_splits(splits: Splits, degrees: float) -> Splits:
    """Rotated test images, one half to train and one half to test; validation rotated too."""
    images, labels = splits["test"]
    turned = rotated(images, degrees)
    first, second = halves(labels)
    held_out, held_out_labels = splits["validation"]
    return {
        "train": (turned[first], labels[first]),
        "validation": (rotated(held_out, degrees), held_out_labels),
        "test": (turned[second], labels[second]),
    }


def _split_digits(images: np.ndarray, labels: np.ndarray) -> Splits:
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
    """A mask (K,) of `count` examples, stratified, and spread evenly over the array in each class.

    Each class contributes its share, rounded so that the total is exact: the largest remainders
    are rounded up first.
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
    """Two disjoint sorted arrays of indices, with the same number of each class in both.

    Within a class the examples go to the two halves alternately. If a class has an odd number of
    examples, its last example is left out.
    """
    first, second = [], []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        pairs = len(members) // 2 * 2
        first.append(members[0:pairs:2])
        second.append(members[1:pairs:2])
    return np.sort(np.concatenate(first)), np.sort(np.concatenate(second))


def drawn_splits(
    splits: Mapping[str, Examples],
    shares: Mapping[str, float | None],
    *,
    seed: int,
    stratified: bool,
    groups: np.ndarray | None = None,
) -> dict[str, Examples]:
    """The given splits of a task, and those that are drawn from its training split.

    Args:
        splits: The splits that are given, "train" among them.
        shares: For every other split the share of the training split; None if it is given.
        seed: The seed of the draw.
        stratified: Whether the sequences have classes, which are drawn in proportion. Groups are
            not, but a warning says where a split has one class alone.
        groups: The number of the group of each sequence, (K,), at least as many as splits; None
            to draw single sequences.

    Raises:
        ValueError: If there are too few sequences.
    """
    train = splits["train"]
    order = np.random.Generator(np.random.Philox(seed)).permutation(len(train))
    labels = train.y[order] if stratified else np.zeros(len(order))
    rest, drawn = np.ones(len(order), bool), dict(splits)
    for split, share in shares.items():
        if share is None:
            continue
        count = max(round(share * len(order)), 1)
        if count >= rest.sum():
            raise ValueError(
                f"`train` must have more sequences, to draw {count} of them for {split}. "
                f"Received: {len(order)}. Give the split itself, or a smaller share."
            )
        if groups is None:
            within = spread(labels[rest], count)
        else:
            later = [name for name in shares if shares[name] and name not in (split, *drawn)]
            within = whole_groups(groups[order][rest], count, left=1 + len(later))
        chosen = np.flatnonzero(rest)[within]
        rest[chosen] = False
        drawn[split] = train.chosen(np.sort(order[chosen]))
        if stratified:
            _warn_of_one_class(split, drawn[split].y)
    drawn["train"] = train if rest.all() else train.chosen(np.sort(order[rest]))
    return drawn


def _warn_of_one_class(split, y):
    if len(np.unique(y)) == 1:
        warn(
            f"`{split}` was drawn with class {y[0]} alone, so that its score says little. Give a "
            f"larger share, another split_seed, or {split} itself."
        )
