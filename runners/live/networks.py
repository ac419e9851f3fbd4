"""Trained networks with their task, and agents, loaded once for all windows of the page."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from aru_keras._util.arguments import one_of
from aru_keras.envs.rig import SIGNALS
from aru_keras.models.pretrained import PREFIX, PRETRAINED, pretrained_name
from aru_keras.models.sizes import GATED
from aru_keras.probing import OnlineStep, class_probabilities
from aru_keras.runners.control.config import describes_agent
from aru_keras.runners.control.folder import AgentFolder
from aru_keras.runners.live.choices import DEFAULT_RUN
from aru_keras.runners.run_folder import RunFolder


class Watched:
    """A trained network whose units are watched. It holds nothing that changes.

    Args:
        run: The folder of a run, or `pretrained:NAME`.
        folder: This folder.
        kind: The name of the network, one of `models.NETWORKS`.

    Attributes:
        run: The text that names the run.
        label: A short name of it.
        kind: The name of the network.
        model: The `keras.Model`.
        step: Its compiled step, an `OnlineStep`.
        signals: The names of its signals among a, n, s and h.

    Raises:
        ValueError: If it is an LSTM or GRU.
        RunError: If the run is damaged.
    """

    def __init__(self, run: str | os.PathLike, folder: RunFolder, kind: str):
        self.run = os.fspath(run)
        self.label = pretrained_name(run) or folder.path.resolve().name
        self.kind = kind
        if kind in GATED:
            raise ValueError(
                "`run` must be an ARUN, RNN+γ or ReLU network, whose units can be watched and "
                f"driven. Received: {self.run}, an {kind.upper()}, whose gates have no n and s."
            )

    def _load(self, folder):
        self.model = folder.load_model()
        self.step = OnlineStep(self.model)
        self.signals = tuple(name for name in SIGNALS if name in self.step.signals)

    @property
    def units(self) -> int:
        """The number of units N."""
        return self.step.units

    @property
    def adapts(self) -> bool:
        """Whether the network has n and s."""
        return "n" in self.signals


class LiveAgent(Watched):
    """An agent of `aru-keras train gym:ID`, which acts in its environment.

    Args:
        run: The folder of its run.

    Attributes:
        config: Its `control.ControlConfig`.

    Raises:
        ValueError: If its network is an LSTM or GRU.
        RunError: If the run is damaged.
    """

    def __init__(self, run: str | os.PathLike):
        folder = AgentFolder(run)
        self.config = folder.load_agent_config()
        super().__init__(run, folder, self.config.model)
        self._load(folder)


class LiveNetwork(Watched):
    """A trained network that is stepped through sequences.

    Args:
        run: The folder of a run, or `pretrained:NAME`.

    Attributes:
        task: The `tasks.Task` on which it was trained.

    Raises:
        ValueError: If it is an LSTM or GRU, or its task has no class at the end of a sequence.
        RunError: If there is no run in the folder, or it is damaged.
        tasks.DatasetError: If the data of its task cannot be had.
    """

    def __init__(self, run: str | os.PathLike):
        folder = RunFolder(run)
        config = folder.load_config()
        super().__init__(run, folder, config.model)
        folder.check_order()
        self.task = config.load_task()
        spec = self.task.spec
        if not (spec.sequential and spec.target == "class" and not spec.every_step):
            raise ValueError(
                "`run` must read sequences step by step, with a class at the end, for the page. "
                f"Received: {self.run}, on {self.task!r}. `aru-keras probe` shows other sequences."
            )
        self._load(folder)

    def start(self) -> list:
        """The states before the first step."""
        return self.step.initial_state(1)

    def read(self, x: np.ndarray, drive: np.ndarray, state: list) -> tuple[dict, list]:
        """Read one step of a sequence.

        Args:
            x: The input, (I,).
            drive: The drive, (N,).
            state: The states of the previous step.

        Returns:
            The signals by name, (N,) each, with the class probabilities "y", and the new states.
        """
        _, state, signals = self.step(x[None], state, drive[None])
        values = {name: ops.convert_to_numpy(signals[name])[0] for name in self.signals}
        return values | {"y": class_probabilities(self.model, signals["y"])[0]}, state

    def reads_like(self, other: "LiveNetwork") -> bool:
        """Whether another network reads the same sequences in the same order."""
        return self.task.config() == other.task.config()


class Networks:
    """The networks that a page offers, each loaded at its first use; or an agent.

    Args:
        run: The run that is shown first, a folder or `pretrained:NAME`.

    Attributes:
        first: Its network.

    Raises:
        ValueError: As `LiveNetwork`, and `LiveAgent` for the run of an agent.
    """

    def __init__(self, run: str | os.PathLike = DEFAULT_RUN):
        acts = describes_agent(Path(run) / "config.json")
        self.first: Any = (LiveAgent if acts else LiveNetwork)(run)
        self._loaded: dict[str, Any] = {self.first.run: self.first}

    @property
    def others(self) -> list[str]:
        """The pretrained networks, as `pretrained:NAME`, that can read beside the first one."""
        task = self.first.task
        return [
            PREFIX + name
            for name, entry in PRETRAINED.items()
            if entry.network not in GATED
            and (entry.task, entry.downsample) == (task.name, task.downsample)
            and task.permutation_seed == 0
            and PREFIX + name != self.first.run
        ]

    def load(self, run: str) -> LiveNetwork:
        """The first network, or one of the others.

        Raises:
            ValueError: If the page does not offer it.
        """
        one_of("network", run, [self.first.run, *self.others])
        if run not in self._loaded:
            self._loaded[run] = LiveNetwork(run)
        return self._loaded[run]


def safe_name(text: str) -> str:
    """A text as it may stand in the name of a file.

    Args:
        text: Any text.
    """
    letters: Any = (letter if letter.isalnum() or letter in "-._" else "-" for letter in text)
    return Path("".join(letters)).name.strip(".") or "network"
