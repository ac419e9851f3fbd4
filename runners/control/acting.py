"""Let a trained agent act for an episode, and keep what its units did."""

import csv
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from keras import ops

from aru_keras import plots
from aru_keras._util.arguments import whole
from aru_keras._util.files import make_folder, replacing
from aru_keras.envs.probe import Probe
from aru_keras.plots import style
from aru_keras.runners.control.actions import actions_of
from aru_keras.runners.control.environments import make_scalar
from aru_keras.runners.control.evaluation import MOST_STEPS
from aru_keras.runners.control.folder import AgentFolder
from aru_keras.runners.control.training import stretch_seed

SIGNALS = ("n", "s", "h")


@dataclass(frozen=True)
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


def act(
    run_dir: str | os.PathLike,
    *,
    index: int = 0,
    units: Sequence[int] | None = None,
    isolated: bool = False,
    device: str | None = None,
    out: str | os.PathLike | None = None,
    formats: Iterable[str] = ("png",),
    dpi: int = 150,
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
    config = folder.load_agent_config()
    env = make_scalar(config.environment, mask_velocities=config.mask_velocities)
    probed = Probe(env, folder.load_model(), isolated=isolated, device=device, as_numpy=True)
    acted = _episode(probed, stretch_seed(config.seed, index), most_steps)
    drawn = plots.agent_episode(acted.observations, acted.rewards, acted.signals, units)
    target = make_folder("out", out if out is not None else folder.products / "probes")
    name = f"episode-{index}" + ("-isolated" if isolated else "")
    pictures = plots.save(drawn, target / name, formats, dpi)
    table = _written(acted, target / f"{name}.csv")
    return Acted(**{**vars(acted), "pictures": tuple(pictures), "recording": table})


def _episode(env, seed, most):
    actions = actions_of(env.action_space)
    seen, info = env.reset(seed=seed)
    rows, over = [], False
    while not over and len(rows) < most:
        action = actions.best(ops.convert_to_numpy(info["y"])[None, :-1])
        row = {"observations": seen, "actions": action[0]}
        row |= {name: info[name] for name in SIGNALS if name in info}
        seen, reward, terminated, truncated, info = env.step(actions.for_env(action)[0])
        rows.append({**row, "rewards": reward})
        over = terminated or truncated
    env.close()
    columns = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    signals = {name: columns.pop(name) for name in SIGNALS if name in columns}
    return Acted(**columns, signals=signals)


def _written(acted, path):
    columns = {"t": np.arange(len(acted.rewards)), "reward": acted.rewards}
    numbered = {"x": acted.observations, "action": acted.actions, **acted.signals}
    for name, values in numbered.items():
        columns |= {f"{name}_{k}": values[:, k] for k in range(values.shape[1])}
    with (
        replacing(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path
