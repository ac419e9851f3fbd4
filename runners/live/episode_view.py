"""What the views of an episode have in common: it is played, stepped, turned and drawn."""

import functools
from collections.abc import Callable
from typing import Any

import panel as pn
from bokeh.models import Div, Row

from aru_keras.runners.live.charts import SHOWN_UNITS
from aru_keras.runners.live.locking import locked
from aru_keras.runners.live.network_view import NetworkView, added, owned
from aru_keras.runners.live.networks import Networks
from aru_keras.runners.live.player import Player


class EpisodeView:
    """The controls and charts of one window, and the session behind them.

    A view of its own kind says how an episode begins (`begin_again`, `begin_next`), and what stands
    beside the charts of the units.

    Args:
        networks: The networks, or the agent, that the page offers.
        session: The session.
        units: The units that are drawn first.
        controls: The `Controls`.
        world: The view of what is read or acted in, with `restart`, `advance` and `panel`.
        say: Function that is called with a message for the person, "" to take it back.

    Attributes:
        changed: Function that is called when the episode or the choice of units has changed.
    """

    def __init__(
        self,
        networks: Networks,
        session: Any,
        units: list[int],
        controls: Any,
        world: Any,
        say: Callable[[str], None],
    ):
        self.changed: Callable[[], None] = lambda: None
        self.networks, self.session, self.units = networks, session, units
        self.controls, self.world, self._say = controls, world, say
        self.controls.units.value = self._told_units()
        self.status = Div(margin=(0, 10))
        self.player = Player(self.advance, self._show_playing)
        self.views: list[NetworkView] = []
        # Not a layout of Panel: its changes can reach the browser after later ones of the charts.
        self._charts = Row(margin=0, sizing_mode="stretch_width")
        # In a narrow window the charts of the units stand below.
        look = {"flex": "1 1 400px", "min-width": "0"}
        beside = pn.Row(pn.pane.Bokeh(self._charts), margin=0, styles=look)
        left = pn.Column(*self._left(), width=260, margin=0)
        self.panel = pn.FlexBox(left, beside, sizing_mode="stretch_width")

    def pause(self) -> None:
        """Take no more steps."""
        self.player.pause()

    def close(self) -> None:
        """Stop, and leave what the session holds."""
        self.pause()

    def begin_again(self) -> None:
        """Begin the same episode anew."""
        raise NotImplementedError

    def begin_next(self) -> None:
        """Begin the episode that follows one that is over."""
        self.begin_again()

    def advance(self, count: int) -> bool:
        """Take steps and draw them; False if the episode is over.

        Args:
            count: Number of steps.
        """
        try:
            more = all([self.session.step() for _ in range(count)])
        except ValueError as error:
            self._say(str(error))
            return False
        for index, view in enumerate(self.views):
            view.advance(self.session, index, owned(self.units, view.network))
        self.world.advance(self.session)
        self._show_status()
        self.changed()
        return more and not self.session.over

    def _left(self):
        """What stands beside the charts of the units."""
        return [self.world.panel, self.status]

    def _status(self):
        """The line below the world, as text."""
        raise NotImplementedError

    def _connect(self):
        """Say what the controls do."""
        controls, on = self.controls, self._on
        on(controls.play, "clicks", lambda _: self._toggle())
        on(controls.one_step, "clicks", lambda _: self.advance(1))
        on(controls.restart, "clicks", lambda _: self.begin_again())
        on(controls.speed, "value", self.player.set_speed)
        for name, slider in controls.sliders.items():
            on(slider, "value", functools.partial(self._turn, name))
        on(controls.neutral, "clicks", lambda _: controls.to_neutral())
        on(controls.units, "value", self._type_units, self._told_units)
        self.player.set_speed(controls.speed.value)

    def _on(self, widget, parameter, act, in_force=None):
        """Call `act` with a new value; what it refuses is said to the person.

        With `in_force`, which gives the value in force, the widget returns to it after a refusal.
        """

        def changed(event):
            if in_force is not None and event.new == in_force():
                return
            self._say("")
            try:
                act(event.new)
            except ValueError as error:
                self.player.pause()
                self._say(str(error))
                if in_force is not None:
                    widget.value = in_force()

        widget.param.watch(locked(changed), parameter)

    def _toggle(self):
        if self.player.playing:
            self.player.pause()
            return
        if self.session.over:
            self.begin_next()
        self.player.play()

    def _show_playing(self, playing):
        self.controls.play.label = "Pause" if playing else "Play"

    def _turn(self, name, value):
        self.session.turn(**{name: value})

    @property
    def _largest(self):
        """The index of the network with the most units, any of which can be chosen."""
        networks = self.session.networks
        return max(range(len(networks)), key=lambda index: networks[index].units)

    def _type_units(self, text):
        try:
            units = [int(part) for part in text.replace(",", " ").split()]
        except ValueError:
            units = text
        chosen = self.session.chosen_units(self._largest, units)
        self._choose(chosen[:SHOWN_UNITS])
        if len(chosen) > SHOWN_UNITS:
            self._say(f"The first {SHOWN_UNITS} are drawn.")

    def _told_units(self):
        """The chosen units as text."""
        return ", ".join(map(str, self.units))

    def _clicked(self, unit):
        # Units of a second network stay chosen when it goes.
        known = owned(self.units, self.session.networks[self._largest])
        self._choose(added(unit, known))

    def _choose(self, units):
        self.units = units
        self.controls.units.value = self._told_units()
        self._redraw()
        self.changed()

    def _restarted(self):
        self.world.restart(self.session)
        self._redraw()
        self._show_status()
        self.changed()

    def _redraw(self):
        for index, view in enumerate(self.views):
            view.restart(self.session, index, owned(self.units, view.network))

    def _show_status(self):
        self.status.text = f'<div role="status" aria-live="off">{self._status()}</div>'

    def _show_views(self, views):
        self.views = views
        self._restarted()  # Before the browser knows of the charts, which then get no changes.
        self._charts.children = [view.panel for view in views]
