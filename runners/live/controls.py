"""The controls of the page: what is shown, how fast, and what is turned."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import panel as pn

from aru_keras.runners.control.changed_worlds import UNCHANGED
from aru_keras.tasks import SPLITS, Task

NOTHING = "nothing"
"""What stands for no second network."""

NO_CLASS = "—"
"""What stands for no class that a drawing is meant to be."""

ACCENT = "#0072B2"
PRESSED = f".bk-btn.bk-active {{background: {ACCENT} !important; color: white !important}}"
"""The colour of the page, and the look of buttons that are on."""

SPEEDS = (1, 60)
"""The slowest and the fastest speed in steps a second."""

READING_SLIDERS = {
    "drive": ("Drive ξ", -10, 30, 0.1),
    "noise": ("Noise of the drive, σ", 0, 5, 0.05),
    "contrast": ("Contrast A", -1.5, 1.5, 0.05),
    "phase": ("Phase φ of the contrast", 0, round(2 * math.pi, 2), 0.01),
}
"""Titles, ends and steps of the sliders, by the name of the field of `Hand` that they turn."""

ACTING_SLIDERS = {
    "drive": READING_SLIDERS["drive"],
    "noise": ("Noise on what it sees, σ", 0, 2, 0.01),
    "scale": ("Scale of what it sees", -1, 3, 0.05),
    "gravity": ("Gravity, times", 0, 4, 0.05),
    "length": ("Length of the pole, times", 0.1, 4, 0.05),
}
"""The same, by the name of the change in `control.CHANGES`."""

_STRETCH = {"sizing_mode": "stretch_width"}


class Controls:
    """The widgets beside the charts, without what they do.

    Args:
        doing: What it does while the sliders are turned: "reads" or "acts".
        sliders: Titles, ends and steps of the sliders by name.
        neutral: The values of the sliders by name at which nothing is perturbed.

    Attributes:
        sliders: The sliders by name.
    """

    def __init__(
        self,
        doing: str,
        sliders: Mapping[str, tuple[str, float, float, float]],
        neutral: Mapping[str, float],
    ):
        self.play = pn.widgets.Button(label="Play", color="primary", width=75)
        self.one_step = pn.widgets.Button(label="One step", width=85)
        self.restart = pn.widgets.Button(label="Restart", width=80)
        self.speed = pn.widgets.IntSlider(
            label="Speed, steps a second", start=SPEEDS[0], end=SPEEDS[1], value=15, **_STRETCH
        )
        self._doing, self._neutral = doing, neutral
        self.sliders = {name: _slider(*ends, neutral[name]) for name, ends in sliders.items()}
        self.neutral = pn.widgets.Button(label="All to neutral", width=120)
        self.units = pn.widgets.TextInput(label="Units drawn, the first one as a curve", **_STRETCH)

    def to_neutral(self) -> None:
        """Turn all sliders to where nothing is perturbed."""
        for name, slider in self.sliders.items():
            slider.value = self._neutral[name]

    def column(self, turned: Sequence[Any], shown: Mapping[str, Sequence[Any]]) -> pn.Column:
        """All controls, one below the other.

        Args:
            turned: What stands below the sliders.
            shown: Further groups by their headings.
        """
        groups = {f"Turn while it {self._doing}": [*self.sliders.values(), *turned], **shown}
        below = [
            widget
            for heading, widgets in groups.items()
            for widget in (pn.pane.Markdown(f"**{heading}**", margin=(6, 10, 0, 10)), *widgets)
        ]
        played = pn.Row(self.play, self.one_step, self.restart)
        return pn.Column(played, self.speed, *below, **_STRETCH)


class ReadingControls(Controls):
    """The controls of networks that read.

    Args:
        task: The task that is read.
        others: The names of the networks that can read beside the first one.
        index: The index of the sequence that is shown first.
    """

    def __init__(self, task: Task, others: Sequence[str], index: int):
        super().__init__("reads", READING_SLIDERS, dict.fromkeys(READING_SLIDERS, 0))
        self.neutral.label, self.neutral.width = "All to 0", 80
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
        self.draw = pn.widgets.Toggle(
            label="Draw by hand", width=120, visible=images, stylesheets=[PRESSED]
        )
        self.label = pn.widgets.Select(
            label="Meant as",
            options=[NO_CLASS, *range(task.classes)],
            value=NO_CLASS,
            width=100,
            visible=images,
        )
        self.paper = pn.widgets.Button(label="The paper's step", width=130)
        self.replay = pn.widgets.Button(label="Replay what was turned", **_STRETCH)
        self.base = pn.widgets.TextInput(
            label="Perturbation of the whole episode",
            placeholder="step:5+contrast:0.5",
            **_STRETCH,
        )

    @property
    def panel(self) -> pn.Column:
        """All controls, one below the other."""
        turned = [pn.Row(self.paper, self.neutral), self.replay, self.base]
        read = [pn.Row(self.split, self.index), pn.Row(self.draw, self.label)]
        watched = [self.units, self.other]
        return self.column(turned, {"What is read": read, "What is watched": watched})


class AgentControls(Controls):
    """The controls of an agent that acts.

    Args:
        changes: The names of the changes that its environment has.
    """

    def __init__(self, changes: Sequence[str]):
        super().__init__("acts", {name: ACTING_SLIDERS[name] for name in changes}, UNCHANGED)
        self.index = pn.widgets.IntInput(label="Episode", start=0, value=0, width=95)

    @property
    def panel(self) -> pn.Column:
        """All controls, one below the other."""
        return self.column([self.neutral], {"What is watched": [self.index, self.units]})


def _slider(name, start, end, step, value):
    ends = {"start": start, "end": end, "step": step}
    return pn.widgets.FloatSlider(label=name, value=value, **ends, **_STRETCH)
