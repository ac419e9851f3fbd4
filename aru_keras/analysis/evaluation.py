"""Accuracy and loss under perturbations that a network did not see in training.

Experiments 2 to 4 of Geadah et al. 2024 (Table 1, Figs 2 and 13–16). The perturbations of a grid
are measured one after the other. Scores that `done` already holds are not measured again::

    evaluate = Evaluator("runs/RUN", task)
    done = ScoreFile("scores.json", evaluate.identity())
    curve = score_grid(evaluate, step_drives(), done=done)  # curve.accuracy (10,)
    table = score_grid(evaluate, contrast_map(), done=done)  # table.loss (6, 8)
"""

import hashlib
import os
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from aru_keras._util.arguments import flag, instance, one_of, shown, whole
from aru_keras._util.compiled import without_gradients
from aru_keras._util.numerics import NetworkOverflowError
from aru_keras.analysis.classification import Classifier
from aru_keras.perturbations import Perturbation, as_perturbation
from aru_keras.tasks._weights import weights_of_sequences


@dataclass(frozen=True)
class Score:
    """Loss and accuracy of a network.

    If the sequences of the task have weights, both are weighted means, as in training.

    Attributes:
        loss: Mean cross-entropy in nats.
        accuracy: Fraction of images that are classified correctly.
        n: Number of images.
    """

    loss: float
    accuracy: float
    n: int


@dataclass(frozen=True, eq=False)
class Scores:
    """The scores for a grid of perturbations.

    Attributes:
        loss: Losses, in the shape of the grid.
        accuracy: Accuracies, in the shape of the grid.
        n: Number of images behind each score.
    """

    loss: np.ndarray
    accuracy: np.ndarray
    n: int


class Evaluator:
    """Accuracy and loss of a network on a split of a task; each call takes one perturbation.

    All calls run the same compiled program. Only a drive with one value for each unit needs a
    second program, because its shape differs. Stateful layers start every batch from their initial
    states, and their own states stay as they are.

    Args:
        network: A model that classifies, with or without a drive among its inputs, or the folder
            of a run.
        task: The `tasks.Task`.
        split: Name of the split of the task.
        batch_size: Number of images in a batch.
        limit: Number of images to use, the first ones of the split; None for all.

    Attributes:
        traces: How often the program was traced; on torch, which does not trace, how often it ran.

    Raises:
        ValueError: An argument is out of its range, or the network does not fit the task.
    """

    def __init__(
        self,
        network: keras.layers.Layer | str | os.PathLike,
        task: Any,
        split: str = "test",
        *,
        batch_size: int = 100,
        limit: int | None = None,
    ):
        self._classifier = Classifier(network)
        self._task, self._split = _checked_task(task), split
        _check_outputs(self._classifier.network, task)
        size = task.sizes[one_of("split", split, task.sizes)]
        size = size if limit is None else min(size, whole("limit", limit, 1))
        self._indices = np.arange(size)
        self._weights = _checked_weights(weights_of_sequences(task, split), split, size)
        self._batch_size = min(whole("batch_size", batch_size, 1), size)
        self.traces = 0
        self._compiled = without_gradients(self._run, lambda: self._classifier.network.variables)

    def __call__(self, perturbation: Any = None) -> Score:
        """The score under a perturbation, in any form that `perturbations.as_perturbation` takes.

        Raises:
            ValueError: The perturbation has a drive, which the network does not accept.
            NetworkOverflowError: The loss is not finite.
        """
        perturbation = as_perturbation(perturbation)
        self._check_drive(perturbation)
        starts = range(0, len(self._indices), self._batch_size)
        batches = [self._batch(perturbation, start) for start in starts]
        losses, hits = (np.concatenate(values) for values in zip(*batches, strict=True))
        if not np.isfinite(losses).all():
            raise NetworkOverflowError(
                f"The loss must be finite. Received: {np.sum(~np.isfinite(losses))} of "
                f"{len(losses)} images with NaN or Inf, under {perturbation}. The network "
                "overflows: leave this perturbation out."
            )
        loss, accuracy = (np.average(values, weights=self._weights) for values in (losses, hits))
        return Score(float(loss), float(accuracy), len(losses))

    def identity(self) -> dict:
        """Everything but the perturbation that the scores depend on, for `ScoreFile`."""
        identity = {
            "task": self._task.config(),
            "split": self._split,
            "images": len(self._indices),
            "weights": _hash(self._classifier.network.get_weights()),
        }
        # Without them, scores that earlier versions saved stay valid.
        weighted = {} if self._weights is None else {"sample_weights": _hash([self._weights])}
        return identity | weighted

    def _batch(self, perturbation, start):
        chosen = self._indices[start : start + self._batch_size]
        # A smaller last batch would need another program, so images are repeated to fill it.
        filled = np.resize(chosen, self._batch_size)
        x, labels = self._task.examples(self._split, filled)
        x, drive = self._task.perturbed(x, filled, perturbation, self._units())
        if drive is None and self._classifier.takes_drive:
            drive = np.zeros((len(filled), self._task.timesteps, 1), "float32")
        inputs = (x, labels, drive)
        tensors = [None if value is None else ops.convert_to_tensor(value) for value in inputs]
        return (
            ops.convert_to_numpy(value)[: len(chosen)].astype("float64")
            for value in self._compiled(*tensors)
        )

    def _run(self, x, labels, drive):
        self.traces += 1
        outputs = self._classifier.outputs(x, drive)
        hits = ops.equal(ops.cast(ops.argmax(outputs, axis=1), labels.dtype), labels)
        return self._classifier.cross_entropy(outputs, labels), hits

    def _units(self):
        return self._classifier.layer.cell.units if self._classifier.takes_drive else None

    def _check_drive(self, perturbation):
        if perturbation.has_drive and not self._classifier.takes_drive:
            raise ValueError(
                "`perturbation` must have no drive for a network without exactly one ARU, GammaRNN "
                "or DrivenRNN before its read-out: the gates of LSTM and GRU have no counterpart. "
                f"Received: {perturbation} for {self._classifier.network.name!r}. Use Contrast."
            )


def score_grid(
    evaluate: Callable[[Perturbation], Score],
    perturbations: Any,
    *,
    done: MutableMapping[Perturbation, Score] | None = None,
    progress: bool = False,
) -> Scores:
    """Measure the scores for a grid of perturbations.

    Args:
        evaluate: Function from a perturbation to its score, such as an `Evaluator`.
        perturbations: Grid of perturbations, as an array or nested lists.
        done: Scores that were measured before, by perturbation; they are not measured again. Every
            new score is added to it at once, so that a `ScoreFile` survives an interruption.
        progress: Whether to show a progress bar.
    """
    if not callable(evaluate):
        raise ValueError(
            f"`evaluate` must be a function, such as an Evaluator. Received: {shown(evaluate)}."
        )
    grid, progress = _checked_grid(perturbations), flag("progress", progress)
    done = {} if done is None else instance("done", done, MutableMapping)
    bar = keras.utils.Progbar(grid.size, unit_name="perturbation") if progress else None
    for index, perturbation in enumerate(grid.flat):
        if perturbation not in done:
            done[perturbation] = evaluate(perturbation)
        if bar:
            bar.update(index + 1)
    scores = [done[perturbation] for perturbation in grid.flat]
    loss, accuracy = (
        np.reshape([getattr(score, name) for score in scores], grid.shape)
        for name in ("loss", "accuracy")
    )
    return Scores(loss, accuracy, scores[0].n)


def _checked_grid(perturbations):
    """An array of perturbations."""
    try:
        grid = np.asarray(perturbations, dtype=object)
    except ValueError:  # A ragged list.
        grid = np.empty(0, dtype=object)
    if not grid.size or not all(isinstance(entry, Perturbation) for entry in grid.flat):
        raise ValueError(
            "`perturbations` must be an array or nested lists of perturbations. Received: "
            f"{shown(perturbations)}. step_drives and contrast_map make some."
        )
    return grid


def _check_outputs(network, task):
    """Refuse a network that does not have an output for each class of the task at the end."""
    outputs, classes = getattr(network, "outputs", None), getattr(task, "classes", 0)
    shape = tuple(outputs[0].shape) if outputs else (None, classes)
    if len(shape) != 2 or (shape[1] is not None and shape[1] < classes):
        raise ValueError(
            f"`network` must give (B, {classes}), an output for each class of `task` at the end of "
            f"a sequence. Received: {network.name!r}, which gives {shape}. Its last layers may be "
            f"an ARU without return_sequences and Dense({classes})."
        )


def _hash(arrays):
    """Sixteen hexadecimal digits that identify some arrays."""
    digest = hashlib.sha256()
    for values in arrays:
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:16]


def _checked_weights(weights, split, size):
    """The weights of the first sequences of a split, (K,) float64; None if all weigh 1."""
    if weights is None:
        return None
    weights = weights[:size].astype("float64")
    if not weights.any():
        raise ValueError(
            "`limit` must leave a sequence whose weight is not 0. Received: weights 0 for all of "
            f"the first {size} sequences of {split!r}. Use more of them."
        )
    return weights


def _checked_task(task):
    spec = getattr(task, "spec", None)
    if spec is not None and (spec.target != "class" or spec.every_step):
        kind = "a target at every step" if spec.every_step else "values as targets"
        raise ValueError(
            f"`task` must have one class for each sequence. Received: {task.spec.name!r}, which "
            f"has {kind}. `keras.Model.evaluate` takes its dataset."
        )
    return task
