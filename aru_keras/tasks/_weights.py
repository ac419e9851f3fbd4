"""The weights of examples and steps in a loss: of the examples, the classes, and what is padded."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from aru_keras._util.arguments import array, shown
from aru_keras.tasks._examples import Examples
from aru_keras.tasks.specs import TaskSpec

BALANCED = "balanced"


def checked_class_weights(
    weights: str | Sequence[float] | None, spec: TaskSpec, train: Examples
) -> np.ndarray | None:
    """The weight of each class, (C,) float32; None if all weigh 1.

    Args:
        weights: None, "balanced" for W / (C · W of the class), where W is the sum of the weights in
            the training split and C the number of its classes, or a number for each class. A class
            that does not occur there weighs 1.
        spec: The task's specification.
        train: The training split.

    Raises:
        ValueError: If the task has no classes, or `weights` is something else.
    """
    if weights is None:
        return None
    if spec.target != "class":
        raise ValueError(
            f"`class_weights` need a task with classes. Received: {shown(weights)} for "
            f"{spec.name!r}, whose targets are values. Leave them out."
        )
    if isinstance(weights, str) and weights == BALANCED:
        return _balanced(spec, train)
    expected = f'"balanced", or {spec.classes} numbers of at least 0, one for each class'
    checked = array("class_weights", weights, (spec.classes,), least=0, what=expected)
    return checked.astype("float32")


def _balanced(spec, train):
    weights = weights_in_loss(train, spec)
    weights = None if weights is None else weights.ravel()
    sums = np.bincount(train.y.ravel(), weights, minlength=spec.classes)
    occurs = sums > 0
    balanced = sums.sum() / (occurs.sum() * np.where(occurs, sums, 1))
    return np.where(occurs, balanced, 1).astype("float32")


def weights_in_loss(
    examples: Examples, spec: TaskSpec, class_weights: np.ndarray | None = None
) -> np.ndarray | None:
    """The weights of a split's examples, (K,), or of all steps, (K, T); None if all weigh 1.

    Args:
        examples: The split.
        spec: The task's specification. If every step has a target, padding weighs 0.
        class_weights: The weight of each class, (C,), or None.
    """
    by_length = spec.every_step and examples.lengths is not None
    if not by_length and examples.weights is None and class_weights is None:
        return None
    shape = examples.y.shape[: 2 if spec.every_step else 1]
    weights = np.ones(shape, "float32")
    if by_length:
        weights *= examples.mask(spec.timesteps)
    if examples.weights is not None:
        weights *= examples.weights.reshape(-1, *[1] * (len(shape) - 1))
    return weights if class_weights is None else weights * class_weights[examples.y]


def weights_of_sequences(task: Any, split: str) -> np.ndarray | None:
    """The weights of the sequences of a split, (K,) float32; None if all weigh 1.

    Args:
        task: The `Task`, or what an analysis takes in its place, which has no weights.
        split: The split.
    """
    return task._split(split).weights if getattr(task, "weighted", False) else None
