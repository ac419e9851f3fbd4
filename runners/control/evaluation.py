"""The returns of a trained agent, which no longer learns."""

from typing import Any

import numpy as np

from aru_keras._util.arguments import whole
from aru_keras.runners.control.agent import ControlAgent
from aru_keras.runners.control.world import World

MOST_STEPS = 10_000
"""Steps after which an evaluation ends, even if the environment does not."""


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
            is counted from the start of the evaluation; None for none.
        sampled: Whether actions are sampled as in training; otherwise the most likely are taken.
        most_steps: Steps after which the evaluation ends. An episode that still runs then counts
            with what it has brought so far.

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
    starts, running = np.ones(world.num_envs, bool), np.zeros(world.num_envs)
    returns: list[list[float]] = [[] for _ in running]
    choose = agent.actions.best if not sampled else lambda y: agent.actions.sample(y, rng)
    for t in range(most_steps):
        driven = drive(t) if callable(drive) else drive
        y, state = agent(seen, starts, state, driven)
        outcome = world.step(choose(y[:, :-1]))
        seen, starts = outcome.observations, outcome.starts
        running += outcome.rewards
        for index in np.flatnonzero(outcome.ended):
            returns[index].append(float(running[index]))
            running[index] = 0
        if min(map(len, returns)) >= count:
            break
    for index, of_one in enumerate(returns):
        if len(of_one) < count:
            of_one.append(float(running[index]))
    return np.concatenate([of_one[:count] for of_one in returns])
