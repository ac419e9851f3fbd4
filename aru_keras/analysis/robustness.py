"""Accuracy and loss under perturbations that a network did not see in training.

Experiments 2 to 4 of Geadah et al. 2024 (Table 1, Figs 2 and 13–16). A grid of perturbations is
measured cell by cell; what is in `done` already is not measured again::

    evaluate = Evaluator("runs/RUN", task)
    done = ScoreFile("scores.json", evaluate.identity())
    curve = measure(evaluate, step_drives(), done=done)  # curve.accuracy (10,)
    table = measure(evaluate, contrast_map(), done=done)  # table.loss (6, 8)
"""

import hashlib
import itertools
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from aru_keras.analysis.classification import Classifier
from aru_keras.arguments import LARGEST_SIZE, array, flag, instance, one_of, shown, whole, wholes
from aru_keras.numerics import NetworkOverflowError
from aru_keras.perturbations import (
    PAPER_TIMESTEPS,
    Contrast,
    Perturbation,
    Perturbations,
    StepDrive,
    as_perturbation,
)
from aru_keras.probing.compiled import without_gradients

STEP_AMPLITUDES = (0, 0.5, 1, 2.5, 5, 7.5, 10, 15, 20, 30)
"""ξ of the paper's step drives."""

CONTRAST_AMPLITUDES = (0, 0.2, 0.4, 0.6, 0.8, 1)
"""A of the contrast; 1 darkens pixels to black. The paper shows a range that it does not name."""

CONTRAST_PHASES = tuple(k * np.pi / 4 for k in range(8))
"""φ of the contrast's map; our choice."""

STEP_DURATIONS = (25, 50, 100, 200, 300, 400, 500)
"""τ of the step drive's map, of 784 steps, scaled to T; our choice."""


@dataclass(frozen=True)
class Score:
    """How well a network classifies.

    Attributes:
        loss: Mean cross-entropy in nats.
        accuracy: Fraction of images classified rightly.
        n: Number of images.
    """

    loss: float
    accuracy: float
    n: int


@dataclass(frozen=True)
class Scores:
    """The scores of a grid of perturbations.

    Attributes:
        loss: In the grid's shape.
        accuracy: In the grid's shape.
        n: Number of images behind each.
    """

    loss: np.ndarray
    accuracy: np.ndarray
    n: int


class Evaluator:
    """Accuracy and loss of a network on a split, under one perturbation a call.

    Every call runs the same compiled program; another shape of drive, one value a unit, takes a
    second one.

    Args:
        network: A model that classifies, with or without a drive among its inputs, or the folder
            of a run.
        task: The `tasks.Task`.
        split: Of the task.
        batch_size: Images that run at once.
        limit: Only the first `limit` images; None: all.

    Attributes:
        traces: How often the program was traced; on torch, which traces nothing, how often it ran.

    Raises:
        ValueError: An argument is out of its range.
    """

    def __init__(self, network, task, split: str = "test", *, batch_size: int = 100, limit=None):
        self._classifier = Classifier(network)
        self._task, self._split = task, split
        size = task.sizes[one_of("split", split, task.sizes)]
        size = size if limit is None else min(size, whole("limit", limit, 1))
        self._indices = np.arange(size)
        self._batch_size = min(whole("batch_size", batch_size, 1), size)
        self.traces = 0
        self._compiled = without_gradients(self._run, lambda: self._classifier.network.variables)

    def __call__(self, perturbation=None) -> Score:
        """The score under what `perturbations.as_perturbation` takes.

        Raises:
            ValueError: There is no place for a drive.
            NetworkOverflowError: The loss is not finite.
        """
        perturbation = as_perturbation(perturbation)
        self._check_drive(perturbation)
        starts = range(0, len(self._indices), self._batch_size)
        parts = [self._batch(perturbation, start) for start in starts]
        losses, hits = (np.concatenate(values) for values in zip(*parts, strict=True))
        if not np.isfinite(losses).all():
            raise NetworkOverflowError(
                f"The loss must be finite. Received: {np.sum(~np.isfinite(losses))} of "
                f"{len(losses)} images with NaN or Inf, under {perturbation}. The network "
                "overflows: leave this perturbation out."
            )
        return Score(float(losses.mean()), float(hits.mean()), len(losses))

    def identity(self) -> dict:
        """What the scores depend on beside the perturbation, for `ScoreFile`."""
        weights = hashlib.sha256()
        for value in self._classifier.network.get_weights():
            weights.update(np.ascontiguousarray(value).tobytes())
        return {
            "task": self._task.config(),
            "split": self._split,
            "images": len(self._indices),
            "weights": weights.hexdigest()[:16],
        }

    def _batch(self, perturbation, start):
        chosen = self._indices[start : start + self._batch_size]
        # A smaller last batch would be another program: it is filled up with images once more.
        filled = np.resize(chosen, self._batch_size)
        x, labels = self._task.examples(self._split, filled)
        x, drive = self._task.perturbed(x, filled, perturbation, self._units())
        if drive is None and self._classifier.takes_drive:
            drive = np.zeros((len(filled), self._task.timesteps, 1), "float32")
        values = [None if one is None else ops.convert_to_tensor(one) for one in (x, labels, drive)]
        losses, hits = self._compiled(*values)
        return (
            ops.convert_to_numpy(one)[: len(chosen)].astype("float64") for one in (losses, hits)
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


def measure(
    evaluate: Callable[[Perturbation], Score],
    perturbations,
    *,
    done: MutableMapping[Perturbation, Score] | None = None,
    progress: bool = False,
) -> Scores:
    """The scores of a grid of perturbations.

    Args:
        evaluate: Gives the score under a perturbation, such as an `Evaluator`.
        perturbations: The grid: an array or nested lists of perturbations.
        done: What was measured before, which is not measured again, and where every new score is
            put at once; a `ScoreFile` goes on after an interruption.
        progress: Show a progress bar.
    """
    if not callable(evaluate):
        raise ValueError(
            f"`evaluate` must be a function, such as an Evaluator. Received: {shown(evaluate)}."
        )
    grid, progress = _checked_grid(perturbations), flag("progress", progress)
    done = {} if done is None else instance("done", done, MutableMapping)
    bar = keras.utils.Progbar(grid.size, unit_name="perturbation") if progress else None
    for place, perturbation in enumerate(grid.flat):
        if perturbation not in done:
            done[perturbation] = evaluate(perturbation)
        if bar:
            bar.update(place + 1)
    scores = [done[perturbation] for perturbation in grid.flat]
    loss, accuracy = (
        np.reshape([getattr(score, name) for score in scores], grid.shape)
        for name in ("loss", "accuracy")
    )
    return Scores(loss, accuracy, scores[0].n)


def step_drives(amplitudes: Sequence[float] = STEP_AMPLITUDES) -> np.ndarray:
    """Step drives ξ in the paper's window, (K,), for `measure` (Fig 2)."""
    return _grid(lambda xi: StepDrive(xi) if xi else Perturbations(), amplitudes=amplitudes)


def contrasts(amplitudes: Sequence[float] = CONTRAST_AMPLITUDES) -> np.ndarray:
    """Contrasts of amplitude A, (K,), for `measure` (Fig 2)."""
    return _grid(lambda a: Contrast(a) if a else Perturbations(), amplitudes=amplitudes)


def contrast_map(
    amplitudes: Sequence[float] = CONTRAST_AMPLITUDES, phases: Sequence[float] = CONTRAST_PHASES
) -> np.ndarray:
    """Contrasts of amplitude A and phase φ, (A, Φ), for `measure` (Figs 13–16)."""
    return _grid(
        lambda a, phase: Contrast(a, phase=phase) if a else Perturbations(),
        amplitudes=amplitudes,
        phases=phases,
    )


def step_map(
    amplitudes: Sequence[float] = STEP_AMPLITUDES, durations: Sequence[int] = STEP_DURATIONS
) -> np.ndarray:
    """Step drives ξ of duration τ in steps, from the paper's t0 on, (Ξ, Τ), for `measure`.

    A drive acts at t0 < t < t0 + τ, so τ must be 2 or more (Figs 13–16).
    """
    return _grid(
        lambda xi, tau: StepDrive(xi, duration=int(tau)) if xi else Perturbations(),
        amplitudes=amplitudes,
        durations=wholes("durations", durations, 2, most=LARGEST_SIZE),
    )


def scaled_durations(timesteps: int, durations: Sequence[int] = STEP_DURATIONS) -> list[int]:
    """Durations of the paper's 784 steps in a sequence of T, τ·T/784, at least 2."""
    timesteps = whole("timesteps", timesteps, 1, most=LARGEST_SIZE)
    durations = array("durations", durations, ("K",), least=0, what="a list of numbers from 0")
    return [max(2, round(tau * timesteps / PAPER_TIMESTEPS)) for tau in durations]


def fractional_drop(amplitudes: Sequence[float], values: Sequence[float]) -> float:
    """The fraction of an accuracy that is lost on average over a range of amplitudes.

    1 − (area under the curve) / (that of a constant at the value of the least amplitude), by the
    trapezoidal rule: 0 for a network that does not degrade, 1 for one that fails at once.

    Args:
        amplitudes: (K,) increasing, the first one usually 0.
        values: Accuracies there, (K,).

    Raises:
        ValueError: Amplitudes do not increase, there are fewer than two, a number is not finite,
            or the first value is not positive.
    """
    amplitudes, values = array("amplitudes", amplitudes, ("K",)), array("values", values, ("K",))
    same = len(amplitudes) == len(values) > 1
    if not (same and (np.diff(amplitudes) > 0).all()):
        raise ValueError(
            "`amplitudes` and `values` must be (K,), K ≥ 2, finite, amplitudes increasing. "
            f"Received: {shown(amplitudes.tolist())} and {shown(values.tolist())}."
        )
    if values[0] <= 0:
        raise ValueError(f"The first of `values` must be positive. Received: {values[0]}.")
    area = np.trapezoid(values, amplitudes)
    return float(1 - area / (values[0] * (amplitudes[-1] - amplitudes[0])))


def _checked_grid(perturbations):
    """An array of perturbations."""
    try:
        grid = np.asarray(perturbations, dtype=object)
    except ValueError:  # A ragged list.
        grid = np.empty(0, dtype=object)
    if not grid.size or not all(isinstance(one, Perturbation) for one in grid.flat):
        raise ValueError(
            "`perturbations` must be an array or nested lists of perturbations. Received: "
            f"{shown(perturbations)}. step_drives and contrast_map make some."
        )
    return grid


def _grid(make, **axes):
    """Perturbations over the product of axes; amplitude 0 is no perturbation, measured once."""
    axes = [array(name, values, ("K",)).tolist() for name, values in axes.items()]
    cells = np.empty([len(axis) for axis in axes], dtype=object)
    cells.flat = [make(*values) for values in itertools.product(*axes)]
    return cells
