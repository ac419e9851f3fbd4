"""The table of tasks: what each one is, before any data is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class TaskSpec:
    """What a task is, before any data is read.

    Attributes:
        name: as `load_task` takes it.
        description: one line.
        collection: the images it is made of: "digits", "mnist" or "cifar10".
        image_shape: (H, W) or (H, W, 3), without downsampling.
        timesteps: T, without downsampling.
        sizes: images in each split.
        permuted: whether the pixels come in a permuted order.
        rotation: degrees, counter-clockwise, that the test images are turned by, one half of which
            trains and the other half tests.
        classes: number of classes.
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

    @property
    def sequential(self) -> bool:
        """Whether a model is fed pixel by pixel, rather than whole images."""
        return len(self.image_shape) == 2

    @property
    def input_shape(self) -> tuple[int, ...]:
        """What a model sees of one example, without downsampling: (T, 1) or (H, W, 3)."""
        return (self.timesteps, 1) if self.sequential else self.image_shape


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
