"""What a sequence environment shows of its lanes: views that follow steps and signals."""

import numpy as np

from aru_keras.envs.rendering import ReadingView


class Screen:
    """Frames of the lanes of a `SequenceVectorEnv`.

    Steps are noted as they happen and drawn when a frame is asked for, so that the signals of a
    probe, which come after the step, are in it.

    Args:
        env: The environment, with its spaces and task set.
    """

    def __init__(self, env):
        self.env = env
        self.watched: tuple[str, ...] = ()
        self.units: tuple[int, ...] = ()
        self._notes = [[] for _ in range(env.num_envs)]
        self._forget_views()

    def _forget_views(self):
        """New views will draw the episodes from their beginnings."""
        lanes = len(self._notes)
        self._views, self._drawn_notes = [None] * lanes, [0] * lanes

    def __getstate__(self):
        """What is shown, without the views, whose figures and windows stay with the original."""
        return {**self.__dict__, "_views": None, "_drawn_notes": None}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._forget_views()

    def watch(self, signals, units) -> None:
        """Draw these signals of these units, which `signals` will bring after each step."""
        self.close()
        self.watched, self.units = tuple(signals), tuple(units)

    def restart(self, lanes) -> None:
        """New episodes begin in the lanes of a mask."""
        for lane in np.flatnonzero(lanes):
            self._notes[lane], self._drawn_notes[lane] = [None], 0

    def show(self, lanes, t, pixels, drives) -> None:
        """The lanes of a mask show pixel t: t and pixels (B,), drives (B, 1 or N)."""
        for lane in np.flatnonzero(lanes):
            self._notes[lane].append([int(t[lane]), float(pixels[lane]), drives[lane].mean(), None])
        if not self.watched:
            self.display()

    def signals(self, lanes, values) -> None:
        """Signals of the step just shown: name to array (B, number of watched units)."""
        for lane in np.flatnonzero(lanes):
            # Nothing where a frame was asked for before the signals came.
            if self._drawn_notes[lane] < len(self._notes[lane]):
                self._notes[lane][-1][3] = {name: value[lane] for name, value in values.items()}
        self.display()

    def display(self) -> None:
        """In mode "human", bring the window of the first lane up to date."""
        if self.env.render_mode == "human":
            self._drawn(0).display()

    def render(self):
        """A frame a lane; None in mode "human"."""
        if self.env.render_mode == "human":
            return self.display()
        return tuple(self._drawn(lane).rgb() for lane in range(self.env.num_envs))

    def close(self) -> None:
        """Close windows; the views are made anew when needed."""
        for view in self._views:
            if view is not None:
                view.close()
        self._forget_views()

    def _drawn(self, lane):
        if self._views[lane] is None:
            self._views[lane] = self._view()
        view, notes = self._views[lane], self._notes[lane]
        for note in notes[self._drawn_notes[lane] :]:
            if note is None:
                view.restart()
            else:
                view.show(*note)
        self._drawn_notes[lane] = len(notes)
        return view

    def _view(self):
        env = self.env
        return ReadingView(
            env.task.image_shape[:2],
            env.timesteps,
            [env.task.pixel_index(t) for t in range(env.timesteps)],
            signals=self.watched,
            units=self.units,
            title=env.task.name,
            human=env.render_mode == "human",
        )
