"""The returns of a trained agent, which no longer learns."""

from typing import Any

import numpy as np

from aru_keras._util.arguments import whole
from aru_keras.runners.control.agent import ControlAgent
from aru_keras.runners.control.world import World

MOST_STEPS = 10_000
"""Steps after which an episode counts, even if the environment does not end it."""


def evaluate(
    agent: ControlAgent,
    world: World,
    *,
    episodes: int = 20,
    seed: int = 0,
    drive: Any = None,
    sampled: bool = False,
    most_steps: int = MOST_STEPS,
) -> np.ndarray:
    """Let an agent act, and give the return of every episode.

    Every sub-environment contributes equally many episodes, its first, as otherwise short ones
    would count for more.

    Args:
        agent: The agent.
        world: Where it acts.
        episodes: Least number of episodes.
        seed: Of the episodes, and of sampled actions.
        drive: Drive ξ on the units, broadcastable to (B, N), or a function of the step t, which
            is counted from the start of the evaluation; None for none. It is added to that of the
            world.
        sampled: Whether actions are sampled as in training; otherwise the most likely are taken.
        most_steps: Steps after which an episode counts with what it has brought so far. Every
            further `most_steps` of it count as an episode of their own, and a shorter rest does
            not count.

    Returns:
        Returns, (count,) with count the least multiple of the sub-environments that is at least
        `episodes`.

    Raises:
        ValueError: If an argument is out of range, or lstm or gru are to be driven.
    """
    count = -(-whole("episodes", episodes, 1) // world.num_envs)
    most_steps = whole("most_steps", most_steps, 1)
    if drive is not None and not agent.driven:
        raise ValueError(
            "`drive` needs units with one pre-activation: arun, gamma or relu. Received: a drive "
            f"for {agent.model.name}. Leave it out."
        )
    rng = np.random.default_rng(whole("seed", seed, 0))
    seen, state = world.reset(seed), agent.initial_state(world.num_envs)
    starts, tally = np.ones(world.num_envs, bool), _Tally(world.num_envs, most_steps)
    choose = agent.actions.best if not sampled else lambda y: agent.actions.sample(y, rng)
    t = 0
    while tally.fewest < count:
        driven = _sum(drive(t) if callable(drive) else drive, world.drive)
        y, state = agent(seen, starts, state, driven if agent.driven else None)
        outcome = world.step(choose(y[:, :-1]))
        seen, starts = outcome.observations, outcome.starts
        tally.add(outcome)
        t += 1
    return np.concatenate([of_one[:count] for of_one in tally.returns])


def _sum(drive, of_world):
    return drive if of_world is None else of_world + (np.float32(0) if drive is None else drive)


class _Tally:
    """The returns of every sub-environment, of episodes that count after `most` steps."""

    def __init__(self, num_envs, most):
        self.returns: list[list[float]] = [[] for _ in range(num_envs)]
        self._most = most
        self._running, self._steps = np.zeros(num_envs), np.zeros(num_envs, int)
        self._cut = np.zeros(num_envs, bool)  # Whether the episode has counted already.

    @property
    def fewest(self):
        return min(map(len, self.returns))

    def add(self, outcome):
        self._running += outcome.rewards
        self._steps += ~outcome.ignored
        full = self._steps == self._most
        for index in np.flatnonzero(full | (outcome.ended & ~self._cut)):
            self.returns[index].append(float(self._running[index]))
        over = full | outcome.ended
        self._cut = (self._cut | full) & ~outcome.ended
        self._running[over], self._steps[over] = 0, 0
