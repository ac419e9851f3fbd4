"""What the steps of episodes showed, and the Dataset of it."""

from typing import Any

import numpy as np

from aru_keras.probing import _datasets
from aru_keras.probing._datasets import CHANNEL, SEQUENCE, STEP

BESIDE = ("drive", "contrast", "index")
"""The names of what is kept of `info` beside the signals, as far as it is there."""


class Episodes:
    """The episodes of B sub-environments, in the order in which they began.

    Args:
        num_envs: The number of sub-environments B.
    """

    def __init__(self, num_envs: int):
        self._all: list[dict[str, list]] = []
        self._open: list[dict[str, list]] = [{} for _ in range(num_envs)]

    def clear(self) -> None:
        """Forget all episodes, those that go on too."""
        self._all, self._open = [], [{} for _ in self._open]

    def begin(self, mask: np.ndarray) -> None:
        """Begin episodes in the sub-environments of a mask, (B,)."""
        for k in np.flatnonzero(mask):
            self._open[k] = {}
            self._all.append(self._open[k])

    def add(self, mask: np.ndarray, values: dict[str, np.ndarray]) -> None:
        """Keep what a step showed in the sub-environments of a mask: values (B, …) by name."""
        for k in np.flatnonzero(mask):
            for name, value in values.items():
                self._open[k].setdefault(name, []).append(np.array(value[k]))

    def dataset(self, env: Any, probe: Any, attributes: dict[str, Any]) -> Any:
        """All episodes, as `probing.record_task` gives them.

        Args:
            env: The environment without its wrappers.
            probe: The probe around it.
            attributes: The attributes beside those of network and task.
        """
        episodes = self._all
        if not episodes:
            raise ValueError("`to_dataset` needs an episode: call reset() first.")
        lengths = np.array([len(episode["x"]) for episode in episodes])
        mask = np.arange(lengths.max()) < lengths[:, None]
        shown = {
            name: _padded([episode[name] for episode in episodes], mask) for name in episodes[0]
        }
        env = getattr(env, "vector_env", env)
        task = getattr(env, "task", None)
        coordinates = _coordinates(env, task, shown, mask)
        perturbation = getattr(env, "perturbation", None)
        attributes |= _datasets.network_attributes(probe.run, perturbation, probe.online.isolated)
        if task is not None:
            attributes |= _datasets.task_attributes(task, env.split)
        variables = {name: shown[name] for name in (*probe.online.signals, "x")}
        variables = _datasets.by_controller_unit(variables, probe.online.units)
        return _datasets.labelled(variables, coordinates, task, attributes)


def _padded(rows, mask):
    """Rows of different lengths in one array (E, T, …), with NaN behind their ends."""
    first = np.asarray(rows[0])
    kind = first.dtype if first.dtype.kind == "f" else np.dtype("float64")
    values = np.full((*mask.shape, *first.shape[1:]), np.nan, kind)
    values[mask] = np.concatenate(rows)
    return values


def _coordinates(env, task, shown, mask):
    made = {"mask": ((SEQUENCE, STEP), mask)}
    if "drive" in shown:
        made["drive"] = _datasets.drive_coordinate(shown["drive"], mask)
    if "contrast" in shown:
        made["contrast"] = _of_steps(shown["contrast"], mask)
    if task is not None and "index" in shown:
        index = shown["index"][:, 0].astype("int64")
        label = task.examples(env.split, index)[1]
        label = label[:, : mask.shape[1]] if task.spec.every_step else label
        steps = np.arange(mask.shape[1])
        made |= _datasets.task_coordinates(task, index, label, steps, mask)
    return made


def _of_steps(values, mask):
    """What is the same in all episodes, (T,) or (T, I); otherwise (E, T) or (E, T, I)."""
    dimensions = (SEQUENCE, STEP, CHANNEL)[: values.ndim]
    longest = values[mask.sum(axis=1).argmax()]
    same = (longest == values)[mask].all()
    return (dimensions[1:], longest) if same else (dimensions, values)
