"""The reading of a sequence by a network: its input, its signals and what it makes of it."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from aru_keras._util.arguments import checked_units, instance, shown, whole
from aru_keras._util.numerics import NetworkOverflowError
from aru_keras.perturbations import as_perturbation
from aru_keras.probing import graph
from aru_keras.probing._layers_within import gives_probabilities
from aru_keras.probing.recording import record

TRACES = ("n", "s", "h")
"""The names of the signals of a reading, as far as the network has them."""


@dataclass(frozen=True, eq=False)
class Reading:
    """The reading of an image, or another sequence, of a task by a network, step by step.

    T is the length of this sequence.

    Attributes:
        task: The `tasks.Task`.
        split: The split of the sequence.
        index: The index of the sequence in the split.
        label: The class of the sequence. If every step has a target, the classes, (T,). Of a task
            of values, the values, (D,) or (T, D).
        pixels: The input x_t as it was shown, (T, I).
        drive: The drive ξ_t, (T, 1) or (T, N); None without a drive.
        signals: The signals by name, (T, N) each.
        probabilities: The probabilities of the classes after each step, (T, classes); for a task of
            values, the values that the network gives, (T, D).

    Raises:
        NetworkOverflowError: If a probability or value is not finite. It is a ValueError.
    """

    task: Any
    split: str
    index: int
    label: int | np.ndarray
    pixels: np.ndarray
    drive: np.ndarray | None
    signals: dict[str, np.ndarray]
    probabilities: np.ndarray

    def __post_init__(self):
        finite = np.isfinite(self.probabilities).all(axis=-1)
        if not finite.all():
            raise NetworkOverflowError(
                "The network's output must be finite. Received: NaN or infinity at "
                f"{np.count_nonzero(~finite)} of {len(finite)} steps, the first t = "
                f"{np.flatnonzero(~finite)[0]}. The network overflows: choose a smaller "
                "perturbation, or other weights."
            )

    @property
    def timesteps(self) -> int:
        """The number of steps T."""
        return len(self.pixels)

    @property
    def of_values(self) -> bool:
        """Whether the task is one of values, and not of classes."""
        spec = getattr(self.task, "spec", None)
        return spec is not None and spec.target == "value"

    @property
    def predictions(self) -> np.ndarray:
        """The most probable class after each step, (T,); for a task of values, these, (T, D)."""
        return self.probabilities if self.of_values else self.probabilities.argmax(axis=1)

    def to_dataset(self) -> Any:
        """The reading as an `xarray.Dataset` of one sequence, with the names of `record_task`.

        The variables are the signals, the input x, and "probability", or "y" of a task of values.

        Raises:
            ImportError: If xarray is not installed.
        """
        from aru_keras.probing._datasets import of_reading

        return of_reading(self)

    def liveliest(self, count: int) -> np.ndarray:
        """The units whose gain varies most; if no gain varies, those whose output does.

        Args:
            count: The number of units.
        """
        return liveliest(self.signals, count)

    def units(self, units: Sequence[int] | None, count: int) -> list[int]:
        """The given units, or by default the `liveliest`.

        Args:
            units: The indices of units, or None.
            count: The number of units to choose if `units` is None.

        Raises:
            ValueError: If a unit does not exist.
        """
        if units is None:
            return self.liveliest(count).tolist()
        return checked_units("units", units, self.signals["h"].shape[1])


def read(
    model: keras.Model | str | os.PathLike,
    task: Any,
    split: str = "test",
    index: int = 0,
    perturbation: Any = None,
) -> Reading:
    """Let a network read an image, or another sequence, of a task.

    Args:
        model: A network `arun`, `gamma` or `relu`, or another model with exactly one recurrent
            layer with signals, whose last output, or output at every step, it turns into logits,
            probabilities or values; or the folder of a run,
            `pretrained:NAME`, or a `.keras` file.
        task: The `tasks.Task` on which the network was trained.
        split: The split of the sequence.
        index: The index of the sequence in the split.
        perturbation: A `perturbations` value, or another form that `as_perturbation` takes.

    Raises:
        ValueError: If the model has no such layer, or the image is not in the split.
        NetworkOverflowError: If a probability is not finite.
    """
    model = instance("model", graph.load_network(model), keras.Model)
    layer = graph.recurrent_layer(model)
    if layer.go_backwards:
        raise ValueError(
            "`model` must read in the order of time. Received: a layer with go_backwards=True, "
            "whose first output belongs to the last step. Use `record` for its signals."
        )
    head = graph.read_out(model, layer)
    if head is None:
        raise ValueError(
            "`model` must make its output from the last output of its recurrent layer alone, or "
            f"at every step alike. Received: {model.name!r}, whose output has another source than "
            f"{layer.name!r}, or mixes its steps. Use `record` for the signals."
        )
    if not hasattr(task, "examples"):
        raise ValueError(
            f"`task` must be a task, as tasks.load_task gives it. Received: {shown(task)}."
        )
    x, labels = task.examples(split, [whole("index", index, 0)])
    x, drive = task.perturbed(x, [index], as_perturbation(perturbation), layer.cell.units)
    names = [name for name in TRACES if name in layer.cell.signal_sizes]
    recorded = record(model, x, names, drive)
    steps = slice(int(task.lengths(split)[index]) if task.image_shape == () else None)
    signals = {name: recorded[name][0, steps] for name in names}
    outputs = head(signals["h"])
    return Reading(
        task=task,
        split=split,
        index=index,
        label=label_of(task, labels[0], steps),
        pixels=x[0, steps],
        drive=None if drive is None else drive[0, steps],
        signals=signals,
        probabilities=outputs_of(task, model, outputs),
    )


def liveliest(signals: Mapping[str, np.ndarray], count: int) -> np.ndarray:
    """The units whose gain varies most; if no gain varies, those whose output does.

    Args:
        signals: The signals by name, (T, N) each: "n" if the network has gains, and "h".
        count: The number of units.
    """
    spread = _spread(signals["n"]) if "n" in signals else np.zeros(1)
    if not spread.any():
        spread = _spread(signals["h"])
    return np.argsort(spread)[::-1][:count]


def _spread(values):
    """The standard deviation over steps, (N,), exactly 0 of what is constant."""
    constant = (values == values[:1]).all(axis=0)
    return np.where(constant, 0, values.std(axis=0, dtype="float64"))


def label_of(task: Any, target: Any, steps: slice) -> int | np.ndarray:
    """The label of a reading: a class as an int, or the targets of its steps, or values.

    Args:
        task: The `tasks.Task`.
        target: The target of the sequence, as `Task.examples` gives it.
        steps: The steps of the sequence that are not padding.
    """
    if task.spec.every_step:
        return np.asarray(target)[steps]
    return int(target) if task.spec.target == "class" else np.asarray(target)


def outputs_of(task: Any, model: keras.Model, outputs: Any) -> np.ndarray:
    """What the outputs of a model say: the probabilities of the classes, or the values.

    Args:
        task: The `tasks.Task`.
        model: The model.
        outputs: Its outputs, (…, classes) or (…, D).
    """
    if task.spec.target == "class":
        return class_probabilities(model, outputs)
    return keras.ops.convert_to_numpy(outputs)


def class_probabilities(model: keras.Model, outputs: Any) -> np.ndarray:
    """The probabilities of the classes, (…, classes), from the outputs of a model.

    Args:
        model: The model. If its last layer is a softmax, or has one, the outputs are probabilities
            already.
        outputs: Its outputs, (…, classes).
    """
    if not gives_probabilities(model):
        outputs = keras.ops.softmax(outputs)
    return keras.ops.convert_to_numpy(outputs)
