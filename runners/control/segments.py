"""Segments of experience: a fixed number of steps in every sub-environment."""

from dataclasses import dataclass

import numpy as np
from keras import ops

from aru_keras.runners.control.agent import ControlAgent
from aru_keras.runners.control.world import World


@dataclass(frozen=True, eq=False)
class Segment:
    """T steps of B sub-environments.

    Attributes:
        observations: What the agent saw, (T, B, I).
        starts: Whether an episode began with it, (T, B).
        actions: What it did, (T, B, count).
        outputs: y, with the value last, (T, B, P + 1).
        rewards: (T, B).
        terminated: Whether nothing followed, (T, B).
        ended: Whether the episode ended, (T, B).
        ignored: Whether the action was ignored, (T, B).
        next_values: Value of what the step led to, in the same episode, (T, B).
        state: States before the first step, (B, …) each.
        drive: Drive ξ on the units, (T, B, N); None where none is given.
    """

    observations: np.ndarray
    starts: np.ndarray
    actions: np.ndarray
    outputs: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    ended: np.ndarray
    ignored: np.ndarray
    next_values: np.ndarray
    state: list[np.ndarray]
    drive: np.ndarray | None = None

    def inputs(self) -> dict[str, np.ndarray]:
        """What `agent.segment_model` reads, (B, …)."""
        inputs = {
            "observations": self.observations.swapaxes(0, 1),
            "starts": self.starts.T[..., None].astype("float32"),
        }
        if self.drive is not None:
            inputs["drive"] = self.drive.swapaxes(0, 1)
        return inputs | {f"state_{i}": state for i, state in enumerate(self.state)}


class Collector:
    """Lets an agent act in a world, and collects segments.

    Args:
        agent: The agent.
        world: The world.
    """

    def __init__(self, agent: ControlAgent, world: World):
        self.agent, self.world = agent, world

    def begin(self, seed: int) -> None:
        """Begin new episodes everywhere."""
        self._seen = self.world.reset(seed)
        self._starts = np.ones(self.world.num_envs, bool)
        self._state = self.agent.initial_state(self.world.num_envs)

    def segment(self, steps: int, rng: np.random.Generator) -> Segment:
        """Act for some steps.

        Args:
            steps: Number of steps T.
            rng: Draws the actions.
        """
        before = [np.array(ops.convert_to_numpy(state)) for state in self._state]
        rows = [self._step(rng) for _ in range(steps)]
        last, _ = self.agent(self._seen, self._starts, self._state, self._drive())
        columns = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
        values = np.concatenate([columns["outputs"][1:, :, -1], last[None, :, -1]])
        final = columns.pop("final_values")
        next_values = np.where(np.isnan(final), values, final)
        return Segment(**columns, next_values=next_values, state=before)

    def _drive(self):
        """The drive on the units, (B, N); None where there is none."""
        if not (self.world.gives_drive and self.agent.driven):
            return None
        shape = self.world.num_envs, self.agent.layer.cell.units
        drive = np.float32(0) if self.world.drive is None else self.world.drive
        return np.broadcast_to(drive, shape)

    def _step(self, rng):
        drive = self._drive()
        y, self._state = self.agent(self._seen, self._starts, self._state, drive)
        actions = self.agent.actions.sample(y[:, :-1], rng)
        outcome = self.world.step(actions)
        row = {
            "observations": self._seen,
            "starts": self._starts,
            "actions": actions,
            "outputs": y,
            "rewards": outcome.rewards,
            "terminated": outcome.terminated,
            "ended": outcome.ended,
            "ignored": outcome.ignored,
            "final_values": self._final_values(outcome),
        }
        if drive is not None:
            row["drive"] = drive
        self._seen, self._starts = outcome.observations, outcome.starts
        return row

    def _final_values(self, outcome):
        """Value of the last observation where an episode was broken off; elsewhere NaN."""
        values = np.full(len(outcome.rewards), np.nan, "float32")
        if outcome.final is not None and outcome.truncated.any():
            starts = np.zeros_like(outcome.starts)
            y, _ = self.agent(outcome.final, starts, self._state, self._drive())
            values[outcome.truncated] = y[outcome.truncated, -1]
        return values
