"""One episode that is stepped by hand: a sequence, one or two networks, and what was turned."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from aru_keras._util.arguments import array, checked_units, one_of, whole
from aru_keras.perturbations import Perturbation, Perturbations, as_perturbation
from aru_keras.probing import TRACES, Reading
from aru_keras.probing._datasets import contrast_factors
from aru_keras.runners.live.hand import Hand, History
from aru_keras.runners.live.networks import LiveNetwork
from aru_keras.tasks import SPLITS

DRAWN = "drawn"
"""What stands for the split of an image that was drawn by hand."""

NO_LABEL = -1
"""What stands for the label of a drawing that is not meant to be of any class."""


class Session:
    """The state of one window: what is read, how far, and what was turned until now.

    Args:
        network: The network that reads.
        other: A second network that reads the same, or None.
        split: The split of the sequence.
        index: The index of the sequence in the split.

    Attributes:
        networks: The networks that read.
        hand: The positions of the controls, which act from the next step on.
        t: The number of steps taken.
        pixels: The inputs as they were shown, (T, I), with T the length of the longest sequence.
        contrast: The factors on positive inputs, (T,), or (T, I) where channels differ.
        drives: The drives into the units of each network, (T, N) each.
        signals: The signals by name of each network, (T, N) each.
        probabilities: The class probabilities after each step of each network, (T, classes) each.

    Raises:
        ValueError: If the networks do not read alike, or there is no such sequence.
    """

    def __init__(
        self,
        network: LiveNetwork,
        other: LiveNetwork | None = None,
        split: str = "test",
        index: int = 0,
    ):
        self.task, self.hand = network.task, Hand()
        self.networks = _alike(network, other)
        self.show(split, index)

    @property
    def timesteps(self) -> int:
        """The number of steps of the episode."""
        return self._length

    @property
    def over(self) -> bool:
        """Whether the whole sequence was read."""
        return self.t == self.timesteps

    @property
    def drawn(self) -> bool:
        """Whether the image was drawn by hand."""
        return self.split == DRAWN

    def show(self, split: str, index: int) -> None:
        """Begin an episode with a sequence of the task.

        Raises:
            ValueError: If there is no such sequence.
        """
        one_of("split", split, SPLITS)
        index = whole("index", index, 0, most=self.task.sizes[split] - 1)
        x, labels = self.task.examples(split, [index])
        ragged = self.task.spec.ragged
        length = int(self.task.lengths(split)[index]) if ragged else self.task.timesteps
        self._take(split, index, int(labels[0]), x[0], length)

    def draw(self, image: Any, label: int | None = None) -> None:
        """Begin an episode with an image that was drawn by hand.

        Args:
            image: The image, (H, W), from 0 to 1.
            label: The class that it is meant to be, or None.

        Raises:
            ValueError: If the image has another shape or other values.
        """
        image = array("image", image, self.task.image_shape, least=0, most=1, dtype="float32")
        most = self.task.classes - 1
        label = NO_LABEL if label is None else whole("label", label, 0, most=most)
        order = [self.task.pixel_index(t) for t in range(self.task.timesteps)]
        self._take(DRAWN, 0, label, image.reshape(-1, 1)[order], len(order))

    def restart(self, perturbation: Any = None) -> None:
        """Begin the episode anew, under a perturbation to which the controls add.

        Args:
            perturbation: A perturbation, or what `as_perturbation` takes.

        Raises:
            ValueError: If the perturbation does not fit the task or a network. The episode goes on.
        """
        base = as_perturbation(perturbation)
        steps = self.task.timesteps
        history = History(steps, self.index, base)
        channels = self.task.spec.channels
        changed = base.changed_pixels(self._x[None], [self.index], channels)[0]
        for network in self.networks:
            base.drive([self.index], steps, network.units)
        self.history, self.t, self._changed = history, 0, changed
        self._states = [network.start() for network in self.networks]
        self.pixels = self._empty(self._x.shape[1])
        self._factors = contrast_factors(base, self.task)
        self.contrast = np.ones_like(self._factors)
        self.drives = [self._empty(network.units) for network in self.networks]
        self.signals = [
            {name: self._empty(network.units) for name in network.signals}
            for network in self.networks
        ]
        self.probabilities = [self._empty(self.task.classes) for _ in self.networks]

    def replay(self) -> None:
        """Begin the episode anew with what was turned until now, and the controls at 0."""
        perturbation, self.hand = self.perturbation, Hand()
        self.restart(perturbation)

    def compare(self, other: LiveNetwork | None) -> None:
        """Let a second network, or none, read beside the first; the episode begins anew.

        Raises:
            ValueError: If the networks do not read alike.
        """
        self.networks = _alike(self.networks[0], other)
        self.restart(self.history.base)

    def turn(self, **positions: float) -> None:
        """Turn controls, which are the fields of `Hand`; they act from the next step on.

        Raises:
            ValueError: If a position is out of its range.
        """
        self.hand = dataclasses.replace(self.hand, **positions)

    def step(self) -> bool:
        """Read the next step; False if the sequence is read."""
        if self.over:
            return False
        t = self.t
        self.history.add(self.hand)
        self.pixels[t], self.contrast[t] = self._input(t)
        for k, network in enumerate(self.networks):
            self.drives[k][t] = drive = self.history.drive(network.units)
            signals, self._states[k] = network.read(self.pixels[t], drive, self._states[k])
            self.probabilities[k][t] = signals.pop("y")
            for name, values in signals.items():
                self.signals[k][name][t] = values
        self.t += 1
        return True

    @property
    def sequence(self) -> np.ndarray:
        """The whole sequence as it is in the data, without padding, (steps, I)."""
        return self._x[: self._length]

    @property
    def image(self) -> np.ndarray:
        """The image as a picture, (H, W)."""
        return self._picture(self._x)

    @property
    def image_read(self) -> np.ndarray:
        """The image as far as it was read and as it was shown, (H, W); NaN elsewhere."""
        shown = self.pixels.copy()
        shown[self.t :] = np.nan
        return self._picture(shown)

    @property
    def perturbation(self) -> Perturbation:
        """The perturbation that does again what was turned until now."""
        return self.history.perturbation()

    def reading(self, network_index: int = 0) -> Reading:
        """The reading so far of one of the networks.

        Args:
            network_index: Index of the network in `networks`.

        Raises:
            ValueError: If no step was taken yet.
        """
        whole("t", self.t, 1, hint="Take a step first.")
        drive = self.drives[network_index][: self.t]
        return Reading(
            task=_DrawnTask(self.task, self.image) if self.drawn else self.task,
            split=self.split,
            index=self.index,
            label=self.label,
            pixels=self.pixels[: self.t],
            drive=drive if drive.any() else None,
            signals={
                name: values[: self.t]
                for name, values in self.signals[network_index].items()
                if name in TRACES
            },
            probabilities=self.probabilities[network_index][: self.t],
        )

    def chosen_units(self, network_index: int, units: Sequence[int]) -> list[int]:
        """Units of one of the networks, checked.

        Raises:
            ValueError: If a unit does not exist.
        """
        return checked_units("units", units, self.networks[network_index].units)

    def _take(self, split, index, label, x, length):
        self.split, self.index, self.label = split, index, label
        self._x, self._length = x, length
        self.restart(self.history.base if hasattr(self, "history") else Perturbations())

    def _input(self, t):
        """The input at a step as it is shown, and the factor on it."""
        by_hand = self.history.factor_by_hand()
        x, factor = (
            np.where(values > 0, values * by_hand, values)
            for values in (self._changed[t], self._factors[t])
        )
        return x, factor

    def _picture(self, sequence):
        picture = np.empty(self.task.timesteps, "float32")
        picture[[self.task.pixel_index(t) for t in range(len(picture))]] = sequence[:, 0]
        return picture.reshape(self.task.image_shape)

    def _empty(self, width):
        return np.zeros((self.task.timesteps, width), "float32")


class _DrawnTask:
    """A task whose only image was drawn by hand, for its picture."""

    def __init__(self, task, image):
        self._task, self._image = task, image
        self.spec = _DrawnSpec(task.spec)

    def __getattr__(self, name):
        return getattr(self._task, name)

    def images(self, split):
        """The image."""
        return self._image[None]


class _DrawnSpec:
    """What is known of a task, in which there is a name for no class."""

    def __init__(self, spec):
        self._spec = spec

    def __getattr__(self, name):
        return getattr(self._spec, name)

    def class_name(self, number):
        """The name of a class."""
        return "none" if number == NO_LABEL else self._spec.class_name(number)


def _alike(network, other):
    if other is None:
        return [network]
    if not network.reads_like(other):
        raise ValueError(
            "`other` must read the same task in the same order. Received: "
            f"{other.label} on {other.task} beside {network.label} on {network.task}."
        )
    return [network, other]
