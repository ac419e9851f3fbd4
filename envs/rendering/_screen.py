"""The frames of a sequence environment, drawn from the steps and signals of its episodes."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from aru_keras.envs.rendering import ReadingView
from aru_keras.envs.rendering._channels import ChannelView


class Screen:
    """The frames of the sub-environments of a `SequenceVectorEnv`.

    Steps are stored when they happen and drawn when a frame is requested, so that the frame
    includes the signals of a probe, which follow the step.

    Args:
        env: The environment, whose spaces and task must be set.
    """

    def __init__(self, env: Any):
        self.env = env
        self.watched: tuple[str, ...] = ()
        self.units: tuple[int, ...] = ()
        self._notes: list[list] = [[] for _ in range(env.num_envs)]
        self._forget_views()

    def _forget_views(self):
        """Let new views draw the episodes from their beginnings."""
        count = len(self._notes)
        self._views: list[ReadingView | None] = [None] * count
        self._drawn_notes = [0] * count

    def __getstate__(self) -> dict:
        """The state without the views, whose figures and windows stay with the original."""
        return {**self.__dict__, "_views": None, "_drawn_notes": None}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._forget_views()

    def watch(self, signals: Iterable[str], units: Iterable[int]) -> None:
        """Draw these signals of these units, whose values `signals` gives after each step."""
        self.close()
        self.watched, self.units = tuple(signals), tuple(units)

    def restart(self, mask: np.ndarray) -> None:
        """Begin new episodes in the sub-environments of a mask."""
        for i in np.flatnonzero(mask):
            self._notes[i], self._drawn_notes[i] = [None], 0

    def show(self, mask: np.ndarray, t: np.ndarray, pixels: np.ndarray, drives: np.ndarray) -> None:
        """Show step t in the sub-environments of a mask: t (B,), pixels (B, I), drives (B, N)."""
        for i in np.flatnonzero(mask):
            self._notes[i].append([int(t[i]), pixels[i].copy(), drives[i].mean(), None])
        if not self.watched:
            self.display()

    def signals(self, mask: np.ndarray, values: Mapping[str, np.ndarray]) -> None:
        """Add the signals, (B, number of watched units) by name, to the step just shown."""
        for i in np.flatnonzero(mask):
            # A step that was drawn before its signals were known stays without them.
            if self._drawn_notes[i] < len(self._notes[i]):
                self._notes[i][-1][3] = {name: value[i] for name, value in values.items()}
        self.display()

    def display(self) -> None:
        """In mode "human", update the window of the first sub-environment."""
        if self.env.render_mode == "human":
            self._drawn(0).display()

    def render(self) -> tuple[np.ndarray, ...] | None:
        """A frame for each sub-environment; None in mode "human"."""
        if self.env.render_mode == "human":
            self.display()
            return None
        return tuple(self._drawn(i).rgb() for i in range(self.env.num_envs))

    def close(self) -> None:
        """Close the windows; new views are made when they are needed."""
        for view in self._views:
            if view is not None:
                view.close()
        self._forget_views()

    def _drawn(self, index: int) -> ReadingView:
        view = self._views[index]
        if view is None:
            view = self._views[index] = self._view()
        notes = self._notes[index]
        for note in notes[self._drawn_notes[index] :]:
            if note is None:
                view.restart()
            else:
                view.show(*note)
        self._drawn_notes[index] = len(notes)
        return view

    def _view(self) -> ReadingView:
        env = self.env
        common = {"signals": self.watched, "units": self.units, "title": env.task.name}
        common["human"] = env.render_mode == "human"
        if not env.task.image_shape:
            return ChannelView(env.task.spec.channels, env.timesteps, **common)
        return ReadingView(
            env.task.image_shape[:2],
            env.timesteps,
            [env.task.pixel_index(t) for t in range(env.timesteps)],
            **common,
        )
