"""The view in which networks read a sequence while it is perturbed by hand."""

import functools
from collections.abc import Callable
from typing import Any

import panel as pn
from bokeh.models import Div

from aru_keras._util.conversions import shown
from aru_keras.perturbations import StepDrive
from aru_keras.probing import Reading
from aru_keras.runners.live.charts import SHOWN_UNITS
from aru_keras.runners.live.controls import NOTHING, Controls
from aru_keras.runners.live.image_view import ImageView
from aru_keras.runners.live.locking import locked
from aru_keras.runners.live.network_view import NetworkView, added
from aru_keras.runners.live.networks import Networks
from aru_keras.runners.live.player import Player
from aru_keras.runners.live.sequence_view import SequenceView
from aru_keras.runners.live.session import Session

FIRST_INDEX = 3
"""The index in the test split of the sequence that is shown first."""


class ReadingView:
    """The controls, the sequence and the charts of one window, and the session behind them.

    Args:
        networks: The networks that the page offers.
        say: Function that is called with a message for the person, "" to take it back.
    """

    def __init__(self, networks: Networks, say: Callable[[str], None]):
        self.networks, self._say = networks, say
        network = networks.first
        index = min(FIRST_INDEX, network.task.sizes["test"] - 1)
        self.session = Session(network, index=index)
        self.units = _liveliest(network, self.session)
        self.controls = Controls(network.task, networks.others, index)
        self.controls.units.value = ", ".join(map(str, self.units))
        self.image = _view_of(network.task, self._drawn)
        self.status = Div(margin=(0, 10))
        self.player = Player(self.advance, self._show_playing)
        # In a narrow window the charts stand below the sequence.
        self.beside = pn.Row(margin=0, styles={"flex": "1 1 400px", "min-width": "0"})
        left = pn.Column(self.image.panel, self.status, width=260, margin=0)
        self.panel = pn.FlexBox(left, self.beside, sizing_mode="stretch_width")
        self._show_networks()
        self._connect()

    def close(self) -> None:
        """Stop reading."""
        self.player.pause()

    def _connect(self):
        """Say what the controls do."""
        controls, on = self.controls, self._on
        on(controls.play, "clicks", lambda _: self._toggle())
        on(controls.one_step, "clicks", lambda _: self.advance(1))
        on(controls.restart, "clicks", lambda _: self.begin(self.session.history.base))
        on(controls.speed, "value", self.player.set_speed)
        for name, slider in controls.sliders.items():
            on(slider, "value", functools.partial(self._turn, name))
        on(controls.zero, "clicks", lambda _: self._sliders_to_zero())
        on(controls.paper, "clicks", lambda _: self.begin(StepDrive()))
        on(controls.replay, "clicks", lambda _: self._replay())
        on(controls.base, "value", self._type_perturbation)
        on(controls.split, "value", self._choose_split)
        on(controls.index, "value", lambda index: self._choose_image(controls.split.value, index))
        on(controls.draw, "value", self._draw)
        on(controls.label, "value", self._mean)
        on(controls.units, "value", self._type_units)
        on(controls.other, "value", self._compare)
        self.player.set_speed(controls.speed.value)

    def _on(self, widget, parameter, act):
        """Call `act` with a new value; what it refuses is said to the person."""

        def changed(event):
            self._say("")
            try:
                act(event.new)
            except ValueError as error:
                self.player.pause()
                self._say(str(error))

        widget.param.watch(locked(changed), parameter)

    def _toggle(self):
        if self.player.playing:
            self.player.pause()
            return
        if self.session.over:
            self.begin(self.session.history.base)
        self.player.play()

    def _show_playing(self, playing):
        self.controls.play.label = "Pause" if playing else "Play"

    def advance(self, count: int) -> bool:
        """Take steps and draw them; False if the sequence is read.

        Args:
            count: Number of steps.
        """
        try:
            more = all([self.session.step() for _ in range(count)])
        except ValueError as error:
            self._say(str(error))
            return False
        for index, view in enumerate(self.views):
            view.advance(self.session, index, self._units_of(view))
        self.image.advance(self.session)
        self._show_status()
        return more and not self.session.over

    def begin(self, perturbation: Any) -> None:
        """Begin the episode anew.

        Args:
            perturbation: A perturbation, or what `as_perturbation` takes.
        """
        self.session.restart(perturbation)
        self.controls.base.value = self.session.history.base.to_text()
        self._restarted()

    def _replay(self):
        self.session.replay()
        self._sliders_to_zero()
        self.controls.base.value = self.session.history.base.to_text()
        self._restarted()
        self.player.play()

    def _type_perturbation(self, text):
        if text == self.session.history.base.to_text():
            return
        if ".npy" in text:
            raise ValueError(
                "`perturbation` must be written out on this page, which reads no files. "
                f"Received: {shown(text)}. Give the values of the waveform, with spaces between."
            )
        self.begin(text.strip() or None)

    def _turn(self, name, value):
        self.session.turn(**{name: value})

    def _sliders_to_zero(self):
        for slider in self.controls.sliders.values():
            slider.value = 0

    def _choose_split(self, split):
        size = self.session.task.sizes[split]
        self.controls.index.end = size - 1
        self._choose_image(split, min(self.controls.index.value, size - 1))

    def _choose_image(self, split, index):
        self.session.show(split, index)
        self.controls.draw.value = False
        self._restarted()

    def _draw(self, on):
        self.player.pause()
        self.image.draw_by_hand(on)
        if on:
            self._say("Draw on the image: it is read after each stroke.")
        elif self.session.drawn:
            self._choose_image(self.controls.split.value, self.controls.index.value)

    def _drawn(self, image):
        self.session.draw(image, self.controls.label.value)
        self._restarted()
        self.player.play()

    def _mean(self, label):
        if self.session.drawn:
            self._drawn(self.session.image)

    def _type_units(self, text):
        try:
            units = [int(part) for part in text.replace(",", " ").split()]
        except ValueError:
            units = text
        self._choose(self.session.chosen_units(0, units)[:SHOWN_UNITS])

    def _clicked(self, unit):
        self._choose(added(unit, self.units))

    def _choose(self, units):
        self.units = units
        self.controls.units.value = ", ".join(map(str, units))
        self._redraw()

    def _compare(self, name):
        other = None if name == NOTHING else self.networks.load(name)
        self.player.pause()
        self.session.compare(other)
        self._show_networks()

    def _show_networks(self):
        self.views = [NetworkView(network, self._clicked) for network in self.session.networks]
        self._restarted()  # Before the browser knows of the charts, which then get no changes.
        self.beside.objects = [view.panel for view in self.views]

    def _restarted(self):
        self.image.restart(self.session)
        self._redraw()
        self._show_status()

    def _redraw(self):
        for index, view in enumerate(self.views):
            view.restart(self.session, index, self._units_of(view))

    def _units_of(self, view):
        """The chosen units, as far as a network has them."""
        return [unit for unit in self.units if unit < view.network.units] or [0]

    def _show_status(self):
        session = self.session
        drive = session.drives[0][session.t - 1].mean() if session.t else 0.0
        text = f"Step {session.t} of {session.timesteps}, drive ξ = {drive:.2f}"
        self.status.text = f'<div role="status" aria-live="off">{text}</div>'


def _view_of(task, drawn):
    """The view of an image that can be drawn by hand, or of another sequence."""
    if task.image_shape:
        return ImageView(task.image_shape, drawn)
    return SequenceView(task)


def _liveliest(network, session):
    """The units whose gain, or else output, varies most while the sequence is read."""
    while session.step():
        pass
    units = Reading.units(session.reading(), None, SHOWN_UNITS)
    session.restart()
    return units
