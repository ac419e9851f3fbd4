"""The view in which networks read a sequence while it is perturbed by hand."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from aru_keras._util.conversions import shown
from aru_keras.perturbations import Perturbations, StepDrive
from aru_keras.probing import Reading
from aru_keras.runners.live.charts import SHOWN_UNITS
from aru_keras.runners.live.classes import Classes
from aru_keras.runners.live.controls import NO_CLASS, NOTHING, ReadingControls
from aru_keras.runners.live.episode_view import EpisodeView
from aru_keras.runners.live.hand import Hand
from aru_keras.runners.live.image_view import ImageView
from aru_keras.runners.live.network_view import NetworkView
from aru_keras.runners.live.networks import Networks
from aru_keras.runners.live.sequence_view import SequenceView
from aru_keras.runners.live.session import Session

FIRST_INDEX = 3
"""The index in the test split of the sequence that is shown first."""


class ReadingView(EpisodeView):
    """The controls, the sequence and the charts of one window, and the session behind them.

    Args:
        networks: The networks that the page offers.
        say: Function that is called with a message for the person, "" to take it back.
    """

    def __init__(self, networks: Networks, say: Callable[[str], None]):
        network = networks.first
        index = min(FIRST_INDEX, network.task.sizes["test"] - 1)
        session = Session(network, index=index)
        controls = ReadingControls(network.task, networks.others, index)
        world = _view_of(network.task, self._drawn)
        super().__init__(networks, session, _liveliest(session), controls, world, say)
        self._show_networks()
        self._connect()

    def _connect(self):
        """Say what the controls do."""
        super()._connect()
        controls, on = self.controls, self._on
        on(controls.paper, "clicks", lambda _: self._papers_step())
        on(controls.replay, "clicks", lambda _: self._replay())
        on(controls.base, "value", self._type_perturbation, self._told_base)
        on(controls.split, "value", self._choose_split)
        on(controls.index, "value", lambda index: self._choose_image(controls.split.value, index))
        on(controls.draw, "value", self._draw)
        on(controls.label, "value", self._mean)
        on(controls.other, "value", self._compare)

    def begin_again(self) -> None:
        """Begin the episode anew, under the same perturbation."""
        self.begin(self.session.history.base)

    def begin(self, perturbation: Any) -> None:
        """Begin the episode anew.

        Args:
            perturbation: A perturbation, or what `as_perturbation` takes.
        """
        self.session.restart(perturbation)
        self.controls.base.value = self._told_base()
        self._restarted()

    def _papers_step(self):
        self._to_neutral()
        self.begin(StepDrive())

    def _to_neutral(self):
        # The sliders only tell the session of it after the next message.
        self.session.hand = Hand()
        self.controls.to_neutral()

    def _replay(self):
        self.session.replay()
        self.controls.to_neutral()
        self.controls.base.value = self._told_base()
        self._restarted()
        self.player.play()

    def _type_perturbation(self, text):
        if ".npy" in text:
            raise ValueError(
                "`perturbation` must be written out on this page, which reads no files. "
                f"Received: {shown(text)}. Give the values of the waveform, with spaces between."
            )
        self.begin(text.strip() or None)

    def _told_base(self):
        """The perturbation of the whole episode as text, "" for none."""
        base = self.session.history.base
        return "" if base == Perturbations() else base.to_text()

    def _choose_split(self, split):
        size = self.session.task.sizes[split]
        self.controls.index.end = size - 1
        self._choose_image(split, min(self._index, size - 1))

    @property
    def _index(self):
        """The index that is typed, or that of the sequence that is seen if the box is empty."""
        typed = self.controls.index.value
        return self.session.index if typed is None else typed

    def _choose_image(self, split, index):
        self.session.show(split, index)
        self.controls.draw.value = False
        self._restarted()

    def _draw(self, on):
        self.player.pause()
        self.world.draw_by_hand(on)
        if on:
            self._drawn(np.zeros(self.session.task.image_shape, "float32"))
            self._say("Draw on the image: it is read after each stroke.")
        elif self.session.drawn:
            self._choose_image(self.controls.split.value, self._index)

    def _drawn(self, image):
        label = self.controls.label.value
        self.session.draw(image, None if label == NO_CLASS else label)
        self._restarted()
        if image.any():
            self.player.play()

    def _mean(self, label):
        if self.session.drawn:
            self._drawn(self.session.image)

    def _compare(self, name):
        other = None if name == NOTHING else self.networks.load(name)
        self.player.pause()
        self.session.compare(other)
        self._show_networks()

    def _show_networks(self):
        task = self.session.task
        self._show_views(
            [
                NetworkView(
                    network, self._clicked, task.timesteps, functools.partial(Classes, task)
                )
                for network in self.session.networks
            ]
        )

    def _status(self):
        session = self.session
        drive = session.drives[0][session.t - 1].mean() if session.t else 0.0
        return f"Step {session.t} of {session.timesteps}, drive ξ = {drive:.2f}"


def _view_of(task, drawn):
    """The view of an image that can be drawn by hand, or of another sequence."""
    if task.image_shape:
        return ImageView(task.image_shape, drawn)
    return SequenceView(task)


def _liveliest(session):
    """The units whose gain, or else output, varies most while the sequence is read."""
    while session.step():
        pass
    units = Reading.units(session.reading(), None, SHOWN_UNITS)
    session.restart()
    return units
