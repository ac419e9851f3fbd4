"""One image being read: what a network saw, what its units did, and what it made of it."""

from dataclasses import dataclass

import keras
import numpy as np

from aru_keras.arguments import checked_units, instance, shown, whole
from aru_keras.perturbations import as_perturbation
from aru_keras.probing import networks, record

TRACES = ("n", "s", "h")
"""The signals of a reading, as far as the network has them."""


@dataclass(frozen=True)
class Reading:
    """A network reading an image of a task, step by step.

    Attributes:
        task: The `tasks.Task`.
        split: Split of the image.
        index: Its index in the split.
        label: Its class.
        pixels: x_t as it was shown, (T, I).
        drive: ξ_t, (T, 1) or (T, N); None without a drive.
        signals: (T, N) by name.
        probabilities: Of the classes after each step, (T, classes).

    Raises:
        ValueError: A probability is not finite: the network overflows.
    """

    task: object
    split: str
    index: int
    label: int
    pixels: np.ndarray
    drive: np.ndarray | None
    signals: dict[str, np.ndarray]
    probabilities: np.ndarray

    def __post_init__(self):
        finite = np.isfinite(self.probabilities).all(axis=-1)
        if not finite.all():
            raise ValueError(
                "The network's output must be finite. Received: NaN or infinity at "
                f"{np.count_nonzero(~finite)} of {len(finite)} steps, the first t = "
                f"{np.flatnonzero(~finite)[0]}. The network overflows: choose a smaller "
                "perturbation, or other weights."
            )

    @property
    def timesteps(self) -> int:
        """T."""
        return len(self.pixels)

    @property
    def predictions(self) -> np.ndarray:
        """The likeliest class after each step, (T,)."""
        return self.probabilities.argmax(axis=1)

    def liveliest(self, count: int) -> np.ndarray:
        """The units whose gain, else output, moves most."""
        spread = next(iter(self.signals.values())).std(axis=0)
        if not spread.any():
            spread = self.signals["h"].std(axis=0)
        return np.argsort(spread)[::-1][:count]

    def units(self, units, count: int) -> list[int]:
        """`units`, checked, or the `count` liveliest where it is None.

        Raises:
            ValueError: If a unit does not exist.
        """
        if units is None:
            return self.liveliest(count).tolist()
        return checked_units("units", units, self.signals["h"].shape[1])


def read(model, task, split="test", index=0, perturbation=None) -> Reading:
    """Let a network read one image of a task.

    Args:
        model: A trained network with signals (`arun`, `gamma`, `relu`), or a model of one's own
            with one such recurrent layer, from whose last output it gives logits or probabilities;
            or the path of a run or of a `.keras` file.
        task: The `tasks.Task` that it was trained on.
        split: Split of the image.
        index: Which image of the split.
        perturbation: What `perturbations.as_perturbation` takes.

    Raises:
        ValueError: If the model has no such layer, or the image is not in the split.
    """
    model = instance("model", networks.load_network(model), keras.Model)
    layer = networks.recurrent_layer(model)
    head = networks.read_out(model, layer)
    if head is None:
        raise ValueError(
            "`model` must make its output of the last output of its recurrent layer. "
            f"Received: {model.name!r}, where {layer.name!r} does not lead to the output alone."
        )
    if not hasattr(task, "examples"):
        raise ValueError(
            f"`task` must be a task, as tasks.load_task gives it. Received: {shown(task)}."
        )
    x, labels = task.examples(split, [whole("index", index, 0)])
    x, drive = task.perturbed(x, [index], as_perturbation(perturbation), layer.cell.units)
    names = [name for name in TRACES if name in layer.cell.signal_sizes]
    found = record(model, x, names, drive)
    signals = {name: found[name][0] for name in names}
    return Reading(
        task=task,
        split=split,
        index=index,
        label=int(labels[0]),
        pixels=x[0],
        drive=None if drive is None else drive[0],
        signals=signals,
        probabilities=class_probabilities(model, head(signals["h"])),
    )


def class_probabilities(model: keras.Model, outputs) -> np.ndarray:
    """Probabilities of the classes from outputs of a model, (…, classes): logits unless its last
    layer is a softmax already."""
    if getattr(model.layers[-1], "activation", None) is not keras.activations.softmax:
        outputs = keras.ops.softmax(outputs)
    return keras.ops.convert_to_numpy(outputs)
