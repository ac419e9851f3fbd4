"""Splits by group: all sequences of a subject, a session or an animal are in one split."""

from collections.abc import Mapping, Set
from typing import Any

import numpy as np

from aru_keras._util.arguments import shown
from aru_keras._util.conversions import listed
from aru_keras.tasks._labels import as_label, has_masked


def checked_groups(
    groups: Any, count: int, shares: Mapping[str, float | None]
) -> np.ndarray | None:
    """The number of the group of each sequence, (K,) int64; None if there are no groups.

    Args:
        groups: A name or a number for each sequence, or None.
        count: The number of sequences K from which splits are drawn.
        shares: For every other split than "train" the share that is drawn; None if it is given.

    Raises:
        ValueError: If no split is drawn, if there is not one group for each sequence, or if there
            are fewer groups than splits.
    """
    if groups is None:
        return None
    drawn = [split for split, share in shares.items() if share is not None]
    if not drawn:
        raise ValueError(
            "`groups` must be left out where validation and test are given, because no split is "
            f"drawn. Received: {shown(groups)}."
        )
    names, numbers = np.unique(_labels(groups, count), return_inverse=True)
    if len(names) <= len(drawn):
        raise ValueError(
            f"`groups` must hold at least {len(drawn) + 1} groups, one for the training split and "
            f"one for each that is drawn. Received: {len(names)}. Give a split itself, or leave "
            "`groups` out."
        )
    return numbers


def _labels(groups, count):
    labels = [] if isinstance(groups, Set) else [as_label(group) for group in listed(groups)]
    kinds = {label.dtype.kind for label in labels}
    known = kinds == {"U"} or kinds <= set("iubf")
    single = len(labels) == count and all(label.ndim == 0 for label in labels)
    values = np.array(labels) if known and single else None
    if values is None or (kinds != {"U"} and not np.isfinite(values).all()):
        masked = [k for k, group in enumerate(listed(groups)) if has_masked(group)]
        received = f"{len(labels)} of them" if labels and len(labels) != count else shown(groups)
        received = f"groups[{masked[0]}] is masked" if masked else received
        raise ValueError(
            f"`groups` must hold a name, or a number, for each of the {count} sequences of "
            f"`train`, and none may be missing. Received: {received}."
        )
    return values


def whole_groups(groups: np.ndarray, count: int, left: int) -> np.ndarray:
    """A mask (K,) of sequences, all of some groups, whose number is as near to `count` as it can.

    Groups that come early are preferred.

    Args:
        groups: The number of the group of each sequence, (K,).
        count: The number of sequences that is wanted.
        left: The number of groups that must at least be left.
    """
    names, first, sizes = np.unique(groups, return_index=True, return_counts=True)
    order = np.argsort(first)
    chosen = _nearest(sizes[order].tolist(), count)
    if len(chosen) > len(names) - left:
        chosen = _nearest_with_some_left(sizes[order].tolist(), count, left)
    return np.isin(groups, names[order[chosen]])


def _nearest(sizes, count):
    """The indices of the sizes whose sum is nearest to `count`, one at the least."""
    most = max(2 * count, min(sizes))
    last = np.full(most + 1, -1)  # The index of the last size in each sum that can be made.
    last[0] = len(sizes)
    for k, size in enumerate(sizes):
        sums = np.flatnonzero(last[: max(most + 1 - size, 0)] >= 0) + size
        last[sums[last[sums] < 0]] = k
        if last[count] >= 0:
            break
    sums = np.flatnonzero(last >= 0)[1:]
    rest, chosen = int(sums[np.abs(sums - count).argmin()]), []
    while rest:
        chosen.append(int(last[rest]))
        rest -= sizes[chosen[-1]]
    return sorted(chosen)


def _nearest_with_some_left(sizes, count, left):
    """The indices of the sizes whose sum is nearest to `count`, where at least `left` are left."""
    total = sum(sizes)
    # The first size that made each (number of sizes, at most `left`; sum) of those that are left.
    made_by = np.full((left + 1, total + 1), -1)
    made_by[0, 0] = len(sizes)
    for k in reversed(range(len(sizes))):  # Late ones are left.
        made = made_by[:, : total + 1 - sizes[k]] >= 0
        more = made[:-1]
        more[-1] |= made[-1]
        targets = made_by[1:, sizes[k] :]
        targets[more & (targets < 0)] = k
    sums = np.flatnonzero(made_by[left, :total] >= 0)[::-1]
    rest, number, others = int(sums[np.abs(total - sums - count).argmin()]), left, set()
    while rest:
        k = int(made_by[number, rest])
        others.add(k)
        rest -= sizes[k]
        number -= int(number < left or made_by[number - 1, rest] > k)
    return [k for k in range(len(sizes)) if k not in others]
