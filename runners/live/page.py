"""The page: its views, its controls and the line of messages."""

import html
from typing import ClassVar

import panel as pn

from aru_keras.runners.live.agent_view import AgentView
from aru_keras.runners.live.controls import ACCENT, PRESSED
from aru_keras.runners.live.episode_view import EpisodeView
from aru_keras.runners.live.locking import locked
from aru_keras.runners.live.networks import LiveAgent, Networks
from aru_keras.runners.live.reading_view import ReadingView
from aru_keras.runners.live.rig_view import RigView
from aru_keras.runners.live.takeaway_view import (
    AgentTakeawayView,
    ReadingTakeawayView,
    TakeawayView,
)

TITLE = "aru-keras live"
_RIG, _TAKEAWAY = "Unit rig", "Take it away"
_STRETCH = {"sizing_mode": "stretch_width"}


class Fast(pn.theme.Fast):
    """Panel's design of this name, by which it finds its files, without a font from elsewhere."""

    _resources: ClassVar = {
        kind: value for kind, value in pn.theme.Fast._resources.items() if kind != "font"
    }


class Page:
    """One window with a session of its own.

    Args:
        networks: The networks that the page offers, which all windows share.
    """

    def __init__(self, networks: Networks):
        self.message = pn.pane.HTML("", sizing_mode="stretch_width", margin=(0, 10))
        self.episode: EpisodeView
        self.takeaway: TakeawayView
        if isinstance(networks.first, LiveAgent):
            name, self.episode = "Acting", AgentView(networks, self.say)
            self.takeaway = AgentTakeawayView(self.episode, self.say)
        else:
            name, self.episode = "Reading", ReadingView(networks, self.say)
            self.takeaway = ReadingTakeawayView(self.episode, self.say)
        self.rig = RigView(networks.first, lambda: self.episode.units, self.say)
        self._views = {
            name: self.episode.panel,
            _RIG: self.rig.panel,
            _TAKEAWAY: self.takeaway.panel,
        }
        for view in self._views.values():
            view.visible = view is self.episode.panel
        # Buttons and not tabs, as tabs of Bokeh cannot be turned with the keyboard.
        self.shown = pn.widgets.RadioButtonGroup(
            options=list(self._views), stylesheets=[PRESSED], margin=(5, 10)
        )
        self.shown.param.watch(locked(self._turned_to), "value")
        self.episode.changed = self._changed

    def say(self, text: str) -> None:
        """Show a message, or none."""
        look = f"border-left: 4px solid {ACCENT}; padding: 4px 10px"
        self.message.object = (
            f'<div role="alert" style="{look}">{html.escape(text)}</div>' if text else ""
        )

    def close(self) -> None:
        """Stop everything that runs."""
        self.episode.close()
        self.rig.close()

    def _turned_to(self, event):
        """Show a view, and make what it needs."""
        self.say("")
        for name, view in self._views.items():
            view.visible = name == event.new
        if event.new == _RIG:
            self.episode.pause()
            self.rig.open()
        if event.new == _TAKEAWAY:
            self.takeaway.show()

    def _changed(self):
        """Follow what was done in the episode, or chosen for it."""
        self.rig.redraw()
        if self.shown.value == _TAKEAWAY:
            self.takeaway.refresh()

    def template(self) -> pn.template.FastListTemplate:
        """The page as a whole, for a window of its own."""
        return pn.template.FastListTemplate(
            title=f"{TITLE}: {self.episode.networks.first.label}",
            sidebar=[self.episode.controls.panel],
            main=[pn.Column(self.shown, self.message, *self._views.values(), **_STRETCH)],
            accent=ACCENT,
            sidebar_width=310,
            font="system-ui, sans-serif",
            design=Fast,
            busy_indicator=None,
        )
