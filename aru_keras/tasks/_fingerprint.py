"""Hashes of a task's data, which say what changed if the data is not that of an earlier run."""

import hashlib
import json
from collections.abc import Mapping

import numpy as np

from aru_keras.tasks._examples import Examples
from aru_keras.tasks.specs import TaskSpec

_DIGITS = 8
_PROPERTIES = (
    "timesteps",
    "target",
    "classes",
    "values",
    "every_step",
    "channels",
    "class_names",
    "interval",
    "unit",
)
"""The properties of a task that are part of what a network learns."""


def fingerprint(spec: TaskSpec, splits: Mapping[str, Examples]) -> str:
    """The size and hash of every split, and a hash of the task's properties, as one text.

    For example "train=700:0a1b2c3d,validation=…,test=…,task=:4e5f6071".
    """
    properties = json.dumps([getattr(spec, name) for name in _PROPERTIES])
    entries = [f"{name}={len(split)}:{_hash(split)}" for name, split in splits.items()]
    entries.append(f"task=:{hashlib.sha256(properties.encode()).hexdigest()[:_DIGITS]}")
    return ",".join(entries)


def short_hash(text: str) -> str:
    """Eight hexadecimal digits that identify a fingerprint."""
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def differences(then: str, now: str) -> str:
    """What differs between two fingerprints, in words; "" if nothing does."""
    before, after = (
        dict(entry.partition("=")[::2] for entry in text.split(",")) for text in (then, now)
    )
    changes = [
        _change(name, before.get(name, ":"), after.get(name, ":"))
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    ]
    return "; ".join(changes)


def _change(name, before, after):
    if name == "task":
        return "its shape, names, interval or kind of target changed"
    size, new_size = before.partition(":")[0], after.partition(":")[0]
    if size != new_size:
        return f"{name} has {new_size or 'no'} sequences, and had {size or 'none'}"
    return f"the {size} sequences of {name} changed"


def _hash(split):
    digest = hashlib.sha256()
    for values in (split.x, split.y, split.lengths, split.weights):
        if values is not None:
            digest.update(f"{values.shape} {values.dtype}".encode())
            digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:_DIGITS]
