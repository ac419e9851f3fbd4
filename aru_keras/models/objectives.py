"""A network for a task, and what it learns by: the loss and the score of each kind of target.

| target | loss | score |
|---|---|---|
| class | cross-entropy | `accuracy`: the share of right classes |
| value | mean squared error | `r2`: the coefficient of determination R² |

With a target at every step, both are means over all steps that are not padding.
"""

from typing import Any

import keras
from keras import ops

from aru_keras._util.arguments import flag, one_of, shown
from aru_keras.models.networks import build_network
from aru_keras.models.sizes import NETWORKS

SCORES = {"class": "accuracy", "value": "r2"}
"""The name of the score of each kind of target. The higher it is, the better."""


@keras.saving.register_keras_serializable(package="aru_keras")
class RSquared(keras.metrics.R2Score):
    """R² of values at the end of sequences or at every step, averaged over the D values.

    It is 1 for exact predictions, and 0 for those of the mean of the targets.

    Args:
        name: Name of the metric.
        **options: Further arguments of `keras.metrics.R2Score`.

    Example:
        >>> float(RSquared()(np.zeros((1, 3, 1)), np.zeros((1, 3, 1))))
        0.0
    """

    def __init__(self, name: str = "r2", **options: Any):
        super().__init__(name=name, **options)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in targets and predictions, (B, D) or (B, T, D), and weights, (B,) or (B, T)."""
        width = y_pred.shape[-1]
        y_true, y_pred = (ops.reshape(values, (-1, width)) for values in (y_true, y_pred))
        if sample_weight is not None:
            sample_weight = ops.reshape(sample_weight, (-1, 1))
        super().update_state(y_true, y_pred, sample_weight)

    def result(self) -> Any:
        """R², and 0 where the targets do not vary."""
        score = super().result()
        return ops.where(ops.isnan(score), ops.zeros_like(score), score)


def network_for(task: Any, name: str = "arun", **options: Any) -> keras.Model:
    """Build one of the paper's networks for a task: with its inputs, outputs, steps and padding.

    Args:
        task: A task, as `tasks.load_task` and `tasks.from_arrays` return it.
        name: Name in `NETWORKS`.
        **options: Further arguments of `build_network`, for example `units`.

    Raises:
        ValueError: If `task` is no task, or as in `build_network`.

    Example:
        >>> model = network_for(task, "gamma", units=32)
        >>> model.compile("adam", **objective(task))
    """
    one_of("name", name, NETWORKS)
    spec = _spec(task)
    encoder = "linear" if spec.sequential else "conv"
    shape = {"classes": spec.outputs, "encoder": encoder, "every_step": spec.every_step}
    return build_network(name, task.input_shape, **{**shape, "padding": task.padding, **options})


def objective(task: Any, weighted: bool | None = None) -> dict[str, Any]:
    """The loss and the score of a task, as the arguments of `compile`.

    Args:
        task: A task, as in `network_for`.
        weighted: Whether the batches have weights, so that the loss is a weighted mean; None if
            they have those of the task alone. Say True for batches with `class_weights`.

    Raises:
        ValueError: If `task` is no task.
    """
    spec = _spec(task)
    weighted = task.weighted if weighted is None else flag("weighted", weighted)
    options = {"reduction": "mean_with_sample_weight"} if weighted else {}
    if spec.target == "class":
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, **options)
    else:
        loss = keras.losses.MeanSquaredError(**options)
    score = "accuracy" if spec.target == "class" else RSquared()
    return {"loss": loss, "weighted_metrics" if task.weighted else "metrics": [score]}


def _spec(task):
    if not (hasattr(task, "spec") and hasattr(task, "padding")):
        raise ValueError(
            "`task` must be a task, as tasks.load_task and tasks.from_arrays give it. Received: "
            f"{shown(task)}."
        )
    return task.spec
