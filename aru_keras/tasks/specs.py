"""What is known of a task before its data, and the table of the tasks of the paper.

This module needs neither Keras nor the data.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SPLITS = ("train", "validation", "test")
"""The names of the splits of every task."""

ARRAYS = "arrays"
"""The collection of a task whose examples are given as arrays."""

TARGETS = ("class", "value")
"""The kinds of targets: one of several classes, or a vector of real numbers (regression)."""


@dataclass(frozen=True)
class TaskSpec:
    """The specification of a task, which is known before any data is read.

    Attributes:
        name: The name that `load_task` takes.
        description: A description in one line.
        collection: The collection of the images: "digits", "mnist" or "cifar10"; "arrays" for a
            task of `from_arrays`.
        image_shape: The shape of an image without downsampling, (H, W) or (H, W, 3); () where
            there are no images.
        timesteps: The number of steps T without downsampling; of sequences of different lengths,
            that of the longest.
        sizes: The number of examples in each split.
        permuted: Whether the pixels are shown in a permuted order.
        rotation: The angle in degrees, counter-clockwise, by which the test images are rotated. If
            it is not 0, one half of them is for training and the other half for testing.
        classes: The number of classes; 0 for a regression.
        target: The kind of target: "class" or "value".
        values: The number of values D of a regression; 0 for a classification.
        every_step: Whether every step has a target, and not the sequence as a whole.
        ragged: Whether the sequences have different lengths.
        channels: The names of the I channels of a sequence.
        class_names: The names of the classes; () for their numbers.
        interval: The time between two steps, in units of `unit`.
        unit: The unit of time.
    """

    name: str
    description: str
    collection: str
    image_shape: tuple[int, ...]
    timesteps: int
    sizes: Mapping[str, int]
    permuted: bool = False
    rotation: float = 0.0
    classes: int = 10
    target: str = "class"
    values: int = 0
    every_step: bool = False
    ragged: bool = False
    channels: tuple[str, ...] = ("pixel",)
    class_names: tuple[str, ...] = ()
    interval: float = 1.0
    unit: str = "step"

    @property
    def sequential(self) -> bool:
        """Whether a model reads the examples step by step, and not as whole images."""
        return len(self.image_shape) != 3

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of an example without downsampling: (T, I) or (H, W, 3)."""
        return (self.timesteps, len(self.channels)) if self.sequential else self.image_shape

    @property
    def outputs(self) -> int:
        """The number of outputs of a network for the task: of classes, or of values."""
        return self.classes or self.values

    def class_name(self, number: int) -> str:
        """The name of a class, or its number as text where the classes have none."""
        return self.class_names[number] if self.class_names else str(number)


def _sizes(train: int, validation: int, test: int) -> Mapping[str, int]:
    return {"train": train, "validation": validation, "test": test}


_DIGITS = _sizes(1257, 180, 360)
_MNIST = _sizes(50_000, 10_000, 10_000)
_CIFAR = _sizes(40_000, 10_000, 10_000)

TASKS: Mapping[str, TaskSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            TaskSpec(
                "digits",
                "8×8 digits pixel by pixel, permuted; comes with the package",
                "digits",
                (8, 8),
                64,
                _DIGITS,
                permuted=True,
            ),
            TaskSpec(
                "sdigits", "8×8 digits pixel by pixel, row by row", "digits", (8, 8), 64, _DIGITS
            ),
            TaskSpec(
                "rotated-digits",
                "8×8 digits of the test split turned by 45° counter-clockwise, then as digits",
                "digits",
                (8, 8),
                64,
                _sizes(178, 180, 178),
                permuted=True,
                rotation=45.0,
            ),
            TaskSpec("smnist", "MNIST pixel by pixel, row by row", "mnist", (28, 28), 784, _MNIST),
            TaskSpec(
                "psmnist",
                "MNIST pixel by pixel, through one fixed permutation",
                "mnist",
                (28, 28),
                784,
                _MNIST,
                permuted=True,
            ),
            TaskSpec(
                "rotated-psmnist",
                "MNIST test images turned by 45° counter-clockwise, then as psmnist",
                "mnist",
                (28, 28),
                784,
                _sizes(4999, 10_000, 4999),
                permuted=True,
                rotation=45.0,
            ),
            TaskSpec(
                "scifar10",
                "CIFAR-10 in grey scale pixel by pixel, row by row",
                "cifar10",
                (32, 32),
                1024,
                _CIFAR,
            ),
            TaskSpec(
                "scifar10-conv",
                "CIFAR-10 in colour, whole images for a convolutional encoder",
                "cifar10",
                (32, 32, 3),
                64,
                _CIFAR,
            ),
        )
    }
)
"""The tasks by name."""
