"""The controls of the page: what is read, how fast, and what is turned."""

import math
from collections.abc import Sequence

import panel as pn

from aru_keras.tasks import SPLITS, Task

NOTHING = "nothing"
"""What stands for no second network."""

SPEEDS = (1, 60)
"""The slowest and the fastest reading in steps a second."""

_STRETCH = {"sizing_mode": "stretch_width"}


class Controls:
    """The widgets beside the charts, without what they do.

    Args:
        task: The task that is read.
        others: The names of the networks that can read beside the first one.
        index: The index of the sequence that is shown first.
    """

    def __init__(self, task: Task, others: Sequence[str], index: int):
        self.play = pn.widgets.Button(label="Play", color="primary", width=75)
        self.one_step = pn.widgets.Button(label="One step", width=85)
        self.restart = pn.widgets.Button(label="Restart", width=80)
        self.speed = pn.widgets.IntSlider(
            label="Speed, steps a second", start=SPEEDS[0], end=SPEEDS[1], value=15, **_STRETCH
        )
        self.split = pn.widgets.Select(label="Split", options=list(SPLITS), value="test", width=125)
        self.index = pn.widgets.IntInput(
            label="Image" if task.image_shape else "Sequence",
            start=0,
            end=task.sizes["test"] - 1,
            value=index,
            width=95,
        )
        self.other = pn.widgets.Select(
            label="Beside it", options=[NOTHING, *others], value=NOTHING, **_STRETCH
        )
        images = bool(task.image_shape)
        self.draw = pn.widgets.Toggle(label="Draw by hand", width=120, visible=images)
        self.label = pn.widgets.Select(
            label="Meant as",
            options=list(range(task.classes)),
            value=0,
            width=100,
            visible=images,
        )
        self.drive = _slider("Drive ξ", -10, 30, 0.1)
        self.noise = _slider("Noise of the drive, σ", 0, 5, 0.05)
        self.contrast = _slider("Contrast A", -1.5, 1.5, 0.05)
        self.phase = _slider("Phase φ of the contrast", 0, round(2 * math.pi, 2), 0.01)
        self.paper = pn.widgets.Button(label="The paper's step", width=130)
        self.zero = pn.widgets.Button(label="All to 0", width=80)
        self.replay = pn.widgets.Button(label="Replay what was turned", **_STRETCH)
        self.base = pn.widgets.TextInput(
            label="Perturbation of the whole episode",
            placeholder="step:5+contrast:0.5",
            **_STRETCH,
        )
        self.units = pn.widgets.TextInput(label="Units drawn, the first one as a curve", **_STRETCH)

    @property
    def sliders(self) -> dict[str, pn.widgets.FloatSlider]:
        """The sliders by the name of the field of `Hand` that they turn."""
        return {name: getattr(self, name) for name in ("drive", "noise", "contrast", "phase")}

    @property
    def panel(self) -> pn.Column:
        """All controls, one below the other."""
        heading = {"margin": (6, 10, 0, 10)}
        return pn.Column(
            pn.Row(self.play, self.one_step, self.restart),
            self.speed,
            pn.pane.Markdown("**Turn while it reads**", **heading),
            *self.sliders.values(),
            pn.Row(self.paper, self.zero),
            self.replay,
            self.base,
            pn.pane.Markdown("**What is read**", **heading),
            pn.Row(self.split, self.index),
            pn.Row(self.draw, self.label),
            pn.pane.Markdown("**What is watched**", **heading),
            self.units,
            self.other,
            **_STRETCH,
        )


def _slider(name, start, end, step):
    return pn.widgets.FloatSlider(label=name, start=start, end=end, step=step, value=0, **_STRETCH)
