"""One episode of an agent that is stepped by hand, in a world that is changed by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from aru_keras._util.arguments import LARGEST_WHOLE, checked_units, finite, one_of, whole
from aru_keras.probing import TRACES
from aru_keras.runners.control.acting import Acted, Actor
from aru_keras.runners.control.changed_worlds import (
    ATTRIBUTES,
    CHANGES,
    UNCHANGED,
    attributes,
    changed_observations,
    multiply,
)
from aru_keras.runners.control.environments import closed_on_failure, make_rendered, velocities
from aru_keras.runners.control.evaluation import MOST_STEPS
from aru_keras.runners.control.observations import masked
from aru_keras.runners.control.training import stretch_seed
from aru_keras.runners.live.networks import LiveAgent


class AgentSession:
    """The state of one window: an environment, how far the agent has come, and what is changed.

    Where nothing is changed, the episodes are those of `control.acting.act`.

    Args:
        agent: The agent.
        index: The number of the episode, which decides its seed.

    Attributes:
        networks: The agent alone.
        changes: The amplitudes of the changes by name, as in `control.CHANGES`, which act from the
            next step on: those that this environment has.
        index: The number of the episode.
        t: The number of steps taken.
        why_blind: Why there is no picture of the environment; "" where there is one.

    Raises:
        ValueError: If there is no such environment.
    """

    def __init__(self, agent: LiveAgent, index: int = 0):
        self.networks, config = [agent], agent.config
        self.env = make_rendered(config.environment, **config.scalar_options)
        self.why_blind = "" if self.env.render_mode else f"{config.environment} gives no picture."
        self._hidden = velocities(config.environment) if config.mask_velocities else ()
        self._actor = Actor(self.env, agent.step, scale_actions=config.scale_actions)
        self._multiplied = {change: attributes(self.env, change) for change in ATTRIBUTES}
        self.changes = {
            change: UNCHANGED[change]
            for change in CHANGES
            if change not in ATTRIBUTES or self._multiplied[change]
        }
        with closed_on_failure(self.env):
            self.show(index)

    def close(self) -> None:
        """Close the environment."""
        self.env.close()

    @property
    def over(self) -> bool:
        """Whether the episode is over."""
        return self._actor.over or self.t == MOST_STEPS

    def show(self, index: int) -> None:
        """Begin an episode.

        Raises:
            ValueError: If it has no such number.
        """
        self.index = whole("index", index, 0, most=LARGEST_WHOLE)
        (agent,) = self.networks
        seed = stretch_seed(agent.config.seed, self.index)
        self._rng = np.random.default_rng(seed)
        self.t, seen = 0, self.env.observation_space.shape
        shapes = dict.fromkeys(agent.signals, (agent.units,)) | dict.fromkeys(self.changes, (1,))
        shapes |= {"observations": seen, "actions": (self._actor.actions.count,)}
        self._recorded = {name: _Rows(shape) for name, shape in shapes.items()}
        self._recorded["rewards"] = _Rows(())
        self._actor.begin(seed)

    def turn(self, **amplitudes: float) -> None:
        """Change the world from the next step on.

        Args:
            **amplitudes: Amplitudes of changes in `changes`.

        Raises:
            ValueError: If there is no such change, or an amplitude is out of its range.
        """
        for change, amplitude in amplitudes.items():
            one_of("change", change, self.changes)
            least = 0 if change == "noise" else -np.inf
            self.changes[change] = finite(change, amplitude, least)
            multiply(self._multiplied.get(change, ()), self.changes[change])

    def step(self) -> bool:
        """Let the agent act once; False if the episode is over."""
        if self.over:
            return False
        names = ("scale", "noise")
        unchanged = all(UNCHANGED[name] == self.changes[name] for name in names)
        row = self._actor.step(self.changes["drive"], None if unchanged else self._seen)
        for name, rows in self._recorded.items():
            rows.add(self.changes[name] if name in self.changes else row[name])
        self.t += 1
        return True

    def _seen(self, shown):
        """What the agent sees of what is shown: nothing of what is hidden, not even noise."""
        scale, noise = self.changes["scale"], self.changes["noise"]
        return masked(changed_observations(shown, scale, noise, self._rng), self._hidden)

    @property
    def signals(self) -> list[dict[str, np.ndarray]]:
        """The signals by name up to now, (t, N) each, of each network."""
        return [{name: self._recorded[name].values for name in self.networks[0].signals}]

    @property
    def drives(self) -> list[np.ndarray]:
        """The drive ξ on all units at each step, (t, 1), of each network."""
        return [self._recorded["drive"].values]

    @property
    def acted(self) -> Acted:
        """The episode up to now."""
        (signals,), columns = self.signals, ("observations", "actions", "rewards")
        return Acted(
            **{name: self._recorded[name].values for name in columns},
            signals={name: signals[name] for name in TRACES if name in signals},
        )

    @property
    def changed(self) -> dict[str, np.ndarray]:
        """The amplitudes of the changes that were made, at each step, (t,) each."""
        made = {name: self._recorded[name].values[:, 0] for name in self.changes}
        return {name: values for name, values in made.items() if (values != UNCHANGED[name]).any()}

    def frame(self) -> np.ndarray | None:
        """The environment as a picture, (H, W, 3) uint8; None where `why_blind` says why."""
        if self.why_blind:
            return None
        try:
            rendered: Any = self.env.render()
            return rendered
        except Exception as error:  # Renderers raise anything, and the rest of the page works.
            self.why_blind = f"There is no picture ({type(error).__name__}: {error})."
            return None

    def chosen_units(self, network_index: int, units: Sequence[int]) -> list[int]:
        """Units of the agent, checked.

        Raises:
            ValueError: If a unit does not exist.
        """
        return checked_units("units", units, self.networks[network_index].units)


class _Rows:
    """Rows of numbers that are added one by one, as one array."""

    def __init__(self, shape):
        self._count, self._room, self._shape = 0, np.empty((0, *shape)), shape

    @property
    def values(self):
        return self._room[: self._count]

    def add(self, row):
        if not self._count:
            self._room = np.empty((64, *self._shape), np.asarray(row).dtype)
        if self._count == len(self._room):
            self._room = np.concatenate([self._room, np.empty_like(self._room)])
        self._room[self._count] = row
        self._count += 1
