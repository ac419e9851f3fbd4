"""The view in which an agent acts while its world is changed by hand."""

import functools
import html
from collections.abc import Callable

from bokeh.models import Div

from aru_keras.probing.reading import liveliest
from aru_keras.runners.live.agent_charts import Actions, AgentWorld
from aru_keras.runners.live.agent_session import AgentSession
from aru_keras.runners.live.charts import SHOWN_UNITS
from aru_keras.runners.live.controls import AgentControls
from aru_keras.runners.live.episode_view import EpisodeView
from aru_keras.runners.live.network_view import NetworkView
from aru_keras.runners.live.networks import Networks

STEPS_SEEN = 200
"""The number of steps of an episode that are seen at once."""


class AgentView(EpisodeView):
    """The controls, the environment and the charts of one window, and the session behind them.

    Args:
        networks: The agent that the page offers.
        say: Function that is called with a message for the person, "" to take it back.
    """

    def __init__(self, networks: Networks, say: Callable[[str], None]):
        agent = networks.first
        session = AgentSession(agent)
        units = _liveliest(session)
        answers = functools.partial(Actions, session.acted.actions.shape[1])
        network = NetworkView(agent, self._clicked, STEPS_SEEN, answers)
        world = AgentWorld(session, network.traces.time)
        controls = AgentControls(list(session.changes))
        super().__init__(networks, session, units, controls, world, say)
        self._show_views([network])
        self._connect()

    def close(self) -> None:
        """Stop, and close the environment."""
        super().close()
        self.session.close()

    def begin_again(self) -> None:
        """Begin the same episode anew."""
        self._show(self.session.index)

    def begin_next(self) -> None:
        """Begin the next episode."""
        self._show(self.session.index + 1)

    def _connect(self):
        super()._connect()
        self._on(self.controls.index, "value", self._choose_episode)

    def _choose_episode(self, index):
        if index != self.session.index:
            self._show(index)

    def _show(self, index):
        self.session.show(index)
        self.controls.index.value = index
        self._restarted()

    def _left(self):
        blind = Div(text=html.escape(self.session.why_blind), margin=(0, 10), width=240)
        return [self.world.picture or blind, self.status, self.world.panel]

    def _status(self):
        session = self.session
        total = session.acted.rewards.sum()
        if session.over:
            return (
                f"Episode {session.index} is over: return {total:.5g} in {session.t} steps. "
                f"Play begins episode {session.index + 1}."
            )
        drive = session.drives[0][-1, 0] if session.t else 0.0
        text = f"Episode {session.index}, step {session.t}, drive ξ = {drive:.2f}"
        return text + (f", reward {session.acted.rewards[-1]:.3g}" if session.t else "")


def _liveliest(session):
    """The units whose gain, or else output, varies most in the first steps of the episode."""
    while session.t < STEPS_SEEN and session.step():
        pass
    units = liveliest(session.signals[0], SHOWN_UNITS).tolist()
    session.show(session.index)
    return units
