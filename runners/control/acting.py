"""Let a trained agent act for an episode, and keep what its units did."""

import contextlib
import csv
import dataclasses
import io
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from keras import ops

from aru_keras import plots
from aru_keras._util.arguments import whole
from aru_keras._util.files import make_folder, replacing
from aru_keras.envs._drives import DriveReader
from aru_keras.plots import style
from aru_keras.probing import TRACES, OnlineStep
from aru_keras.runners.control.actions import actions_of
from aru_keras.runners.control.environments import make_scalar
from aru_keras.runners.control.evaluation import MOST_STEPS
from aru_keras.runners.control.folder import AgentFolder
from aru_keras.runners.control.training import stretch_seed
from aru_keras.runners.figure_options import PROBE_DPI, PROBE_FORMATS


@dataclass(frozen=True, eq=False)
class Acted:
    """What `act` leaves.

    Attributes:
        observations: What the agent saw, (T, I).
        actions: What it did, (T, count).
        rewards: What it was paid, (T,).
        signals: "n", "s" and "h" of its units, as far as there are, (T, N) each.
        pictures: Paths of the figure, one a format.
        recording: Path of a CSV table with a row for each step.
    """

    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    signals: dict[str, np.ndarray]
    pictures: tuple[Path, ...] = ()
    recording: Path | None = None

    def table(self, **more: np.ndarray) -> str:
        """The episode as CSV: a row for each step, and a column for each number.

        Args:
            **more: Further columns, (T,), after the reward.
        """
        columns = {"t": np.arange(len(self.rewards)), "reward": self.rewards, **more}
        numbered = {"x": self.observations, "action": self.actions, **self.signals}
        for name, values in numbered.items():
            columns |= {f"{name}_{k}": values[:, k] for k in range(values.shape[1])}
        target = io.StringIO(newline="")
        writer = csv.writer(target)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
        return target.getvalue()


class Actor:
    """An agent that acts step by step, with its most likely actions.

    Args:
        env: The environment, as `make_scalar` makes it.
        online: The compiled step of its network, an `OnlineStep` with the signal "y".
        scale_actions: As in `make_world`.

    Attributes:
        actions: What the agent can do.
        over: Whether the episode has ended.
    """

    def __init__(self, env: gym.Env, online: OnlineStep, *, scale_actions: bool = False):
        self.env, self.online = env, online
        self.actions = actions_of(env.action_space, scaled=scale_actions)
        self._drive = DriveReader(env)

    def begin(self, seed: int) -> None:
        """Begin an episode.

        Args:
            seed: The seed of the episode.
        """
        self._shown, self._info = self.env.reset(seed=seed)
        self._state, self.over = self.online.initial_state(1), False

    def step(
        self, drive: float = 0.0, change: Callable[[np.ndarray], np.ndarray] | None = None
    ) -> dict[str, Any]:
        """See what is shown, act, and be paid.

        Args:
            drive: The drive ξ on all units, beside that of the environment, which is info["drive"]
                of the environments of this package.
            change: Function of what is shown that gives what the agent sees; None for the same.

        Returns:
            "observations" (I,), what the agent saw, "actions" (count,), "rewards", and the signals
            of its units by name, (N,) each.
        """
        seen = np.array(self._shown if change is None else change(self._shown))
        given = self._drive(self._info)
        drive = np.float32(drive) + (np.float32(0) if given is None else given)
        _, self._state, signals = self.online(seen, self._state, drive)
        # Copied, because on torch an array can share memory with the state.
        values = {name: np.array(ops.convert_to_numpy(value)) for name, value in signals.items()}
        action = self.actions.best(values.pop("y")[None, :-1])
        for_env = self.actions.for_env(action)[0]
        self._shown, reward, terminated, truncated, self._info = self.env.step(for_env)
        self.over = terminated or truncated
        return {"observations": seen, "actions": action[0], "rewards": float(reward), **values}


def act(
    run_dir: str | os.PathLike,
    *,
    index: int = 0,
    units: Sequence[int] | None = None,
    isolated: bool = False,
    device: str | None = None,
    out: str | os.PathLike | None = None,
    formats: Iterable[str] = PROBE_FORMATS,
    dpi: int = PROBE_DPI,
    most_steps: int = MOST_STEPS,
) -> Acted:
    """Let the agent of a run act for an episode, with its most likely actions.

    Args:
        run_dir: Folder of the run, of a network with signals: arun, gamma or relu.
        index: Number of the episode, which decides its seed.
        units: Indices of the units to draw; by default those that move most.
        isolated: Whether each unit hears only itself.
        device: Where to run the network, as in `keras.device`.
        out: Folder for what it leaves; by default `probes/` in the run's.
        formats: Of the figure, as `plots.save` takes them.
        dpi: Dots an inch of its PNG.
        most_steps: Steps after which an episode is left.

    Returns:
        An `Acted`.

    Raises:
        ValueError: For a bad argument, and for networks without signals.
        RunError: If there is no run in the folder.
    """
    formats, dpi = style.checked_output(formats, dpi)
    folder, index = AgentFolder(run_dir), whole("index", index, 0)
    most_steps = whole("most_steps", most_steps, 1)
    config = folder.load_agent_config()
    online = OnlineStep(folder.load_model(), isolated=isolated, device=device)
    env = make_scalar(config.environment, **config.scalar_options)
    with contextlib.closing(env):
        actor = Actor(env, online, scale_actions=config.scale_actions)
        acted = _episode(actor, stretch_seed(config.seed, index), most_steps)
    drawn = plots.agent_episode(acted.observations, acted.rewards, acted.signals, units)
    target = make_folder("out", out if out is not None else folder.products / "probes")
    name = f"episode-{index}" + ("-isolated" if isolated else "")
    pictures = plots.save(drawn, target / name, formats, dpi)
    recording = target / f"{name}.csv"
    with replacing(recording) as temporary:
        temporary.write_text(acted.table(), encoding="utf-8", newline="")
    return dataclasses.replace(acted, pictures=tuple(pictures), recording=recording)


def _episode(actor, seed, most):
    actor.begin(seed)
    rows: list[dict] = []
    while not actor.over and len(rows) < most:
        rows.append(actor.step())
    columns = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    signals = {name: columns[name] for name in TRACES if name in columns}
    return Acted(columns["observations"], columns["actions"], columns["rewards"], signals)
