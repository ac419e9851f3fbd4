"""The picture of an image, or another sequence, being read."""

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from aru_keras._util.deprecated import renamed
from aru_keras.plots.style import UNIT_COLOURS, unit_style
from aru_keras.probing.reading import Reading, read

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNITS_DRAWN = 4
CHANNELS_DRAWN = 8
"""How many channels of a sequence are drawn, from the first on."""
LABELS = {"n": "gain $n_t$", "s": "saturation $s_t$", "h": "output $h_t$"}

_BAND, _MIDDLE = (10, 90), "the middle 80 % of all units"
"""The grey band behind the line of a unit: between which percentiles it lies, and its name."""

_CLASSES_NAMED = 5
"""How many classes the axis of the prediction names at most."""

_WIDTH = 9.0
_TITLE = 1.0
_RECT_OF_VALUES = (0, 0, 0.94, 1)
"""Height of the title of a sequence without image, in inches, and where a figure of values lies."""

_PANEL, _STRIP, _STRIPS, _IMAGE = 1.1, 0.5, 6.0, 2.5
"""Width of the figure, and heights of a panel, of the strip of a unit, of all strips of a signal at
most, and of an image, in inches."""


def reading(
    model: keras.Model | str | os.PathLike,
    task: Any,
    split: str = "test",
    index: int = 0,
    units: Sequence[int] | None = None,
    *,
    perturbation: Any = None,
) -> "Figure":
    """A sequence being read step by step, and n_t, s_t and h_t of several units during it.

    On the left are an image and the order of its pixels; other sequences have their channels as
    traces. At the bottom are the probabilities of the classes, or the values and their targets.

    Each unit has a strip of its own in each signal, and the strips of a signal have one scale. The
    grey band is the same in all of them: the middle 80 % of all units.

    Args:
        model: A trained network with signals (`arun`, `gamma`, `relu`), or a model of one's own, as
            `reading.read` takes it, or its path.
        task: The `tasks.Task` that it was trained on.
        split: Split of the image.
        index: Which image of the split.
        units: Indices of the units to draw; by default those whose gain (else output) moves most.
        perturbation: What acts while it reads, as `perturbations.as_perturbation` takes it.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: If the model has no such recurrent layer, or a unit or image does not exist.
    """
    return picture_of(read(model, task, split, index, perturbation), units)


def picture_of(shown: Reading, units: Sequence[int] | None = None) -> "Figure":
    """The figure of a `reading.Reading`; units, figure and errors as in `reading`."""
    from matplotlib.figure import Figure

    units = shown.units(units, UNITS_DRAWN)
    strip = min(_STRIP, _STRIPS / len(units))
    strips = [strip] * len(units) * len(shown.signals)
    heights = [_PANEL, *strips, *[_PANEL] * (1 if shown.drive is None else 2)]
    figure = Figure(figsize=(_WIDTH, sum(heights) + 0.08 * len(heights) + 1), layout="constrained")
    figure.get_layout_engine().set(h_pad=0.02)
    grid = figure.add_gridspec(len(heights), 3, width_ratios=(1, 3, 0.06), height_ratios=heights)
    _draw_image(figure, grid[:, 0], shown)
    rows = [figure.add_subplot(grid[row, 1]) for row in range(len(heights))]
    _draw_input(rows[0], shown)
    for index, (name, values) in enumerate(shown.signals.items()):
        first = 1 + index * len(units)
        _draw_strips(rows[first : first + len(units)], LABELS[name], values, units)
    if shown.drive is not None:
        _draw_drive(rows[-2], shown.drive)
    if shown.of_values:  # Without a colour bar, the names of the units need room of their own.
        figure.get_layout_engine().set(rect=_RECT_OF_VALUES)
        _draw_values(rows[-1], shown.probabilities, shown.label)
    else:
        classes = _draw_prediction(rows[-1], shown)
        bar = figure.add_subplot(grid[-1, 2], label="<colorbar>")
        figure.colorbar(classes, cax=bar, label="probability")
    rows[-1].set_xlabel(_step_label(shown.task))
    for axes in rows:
        axes.set_xlim(-0.5, shown.timesteps - 0.5)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelbottom=axes is rows[-1])
    return figure


def _draw_image(figure, spec, shown):
    task = shown.task
    if not task.image_shape:
        _draw_title(figure, spec, shown)
        return
    rest = figure.get_figheight() - 2 * _IMAGE
    grid = spec.subgridspec(3, 1, height_ratios=(_IMAGE, _IMAGE, max(rest, 0.1)))
    picture = figure.add_subplot(grid[0])
    name = task.spec.class_name
    picture.imshow(task.images(shown.split)[shown.index], cmap="gray", label="_image")
    picture.set_title(
        f"{task.name} {shown.split}[{shown.index}]\n"
        f"label {name(shown.label)}, read as {name(shown.predictions[-1])}",
        fontsize=10,
    )
    picture.set_axis_off()
    if len(task.image_shape) != 2:
        return
    order = np.empty(task.timesteps)
    order[[task.pixel_index(t) for t in range(task.timesteps)]] = np.arange(task.timesteps)
    axes = figure.add_subplot(grid[1])
    shown = axes.imshow(order.reshape(task.image_shape), cmap="cividis", label="_read at step")
    axes.set_axis_off()
    figure.colorbar(shown, ax=axes, location="bottom", label="read at step t")


def _draw_title(figure, grid, shown):
    """What is read, in words, and the channels, in place of an image."""
    from matplotlib.lines import Line2D

    axes = figure.add_subplot(grid)
    spec, last = shown.task.spec, shown.predictions[-1]
    if shown.of_values:
        target = np.atleast_2d(shown.label)[-1]
        verdict = f"target {_numbers(target)}\nread as {_numbers(last)}"
    elif spec.every_step:
        verdict = f"{np.mean(shown.predictions == shown.label):.0%} of the steps right"
    else:
        verdict = f"label {spec.class_name(shown.label)}\nread as {spec.class_name(last)}"
    title = f"{shown.task.name}\n{shown.split}[{shown.index}], {shown.timesteps} steps\n{verdict}"
    axes.text(0, 1, title, va="top", fontsize=10, transform=axes.transAxes)
    names = spec.channels[:CHANNELS_DRAWN]
    lines = [Line2D([], [], **unit_style(k), label=name) for k, name in enumerate(names)]
    more = f"+ {len(spec.channels) - len(names)} more" if len(spec.channels) > len(names) else None
    below = {"loc": "upper left", "bbox_to_anchor": (0, 1 - _TITLE / figure.get_figheight())}
    below |= {"title": more, "alignment": "left", "frameon": False, "borderpad": 0}
    axes.legend(handles=lines, fontsize=8, title_fontsize=8, **below)
    axes.set_axis_off()


def _numbers(values):
    return ", ".join(f"{value:.3g}" for value in values)


def _step_label(task):
    if task.image_shape:
        return "step t (pixels read)"
    spec = task.spec
    return f"step t ({spec.interval:g} {spec.unit} each)" if spec.unit != "step" else "step t"


def _draw_input(axes, shown):
    sequence, task = shown.pixels, shown.task
    if sequence.ndim != 2 or (task.image_shape and sequence.shape[-1] != 1):
        axes.set_axis_off()
        return
    if task.image_shape:
        axes.bar(range(len(sequence)), sequence[:, 0], width=1.0, color="0.4", label="_pixel")
        axes.set_ylabel("pixel $x_t$")
        return
    for channel, name in enumerate(task.spec.channels[:CHANNELS_DRAWN]):
        axes.plot(sequence[:, channel], **unit_style(channel), label=name)
    axes.set_ylabel("input $x_t$")


def _draw_strips(strips, label, values, units):
    """One signal: a strip a unit, under one title."""
    low, high = np.percentile(values, _BAND, axis=1)
    steps = np.arange(len(values))
    for row, (axes, unit) in enumerate(zip(strips, units, strict=True)):
        axes.fill_between(steps, low, high, color="0.88", lw=0, label=f"_{label}, {_MIDDLE}")
        colour = UNIT_COLOURS[row % len(UNIT_COLOURS)]
        axes.plot(steps, values[:, unit], color=colour, lw=0.8, label=f"_{label}, unit {unit}")
        mean = {"color": "0.15", "lw": 1.1, "zorder": 1.9}
        axes.plot(steps, values.mean(axis=1), **mean, label=f"_{label}, mean")
        beside = {"transform": axes.transAxes, "va": "center", "fontsize": 8, "color": colour}
        # In the margin that the colour bar below leaves.
        axes.text(1.005, 0.5, f"unit {unit}", in_layout=False, **beside)
        axes.locator_params(axis="y", nbins=3)
        axes.tick_params(axis="y", labelsize=8)
    for axes in strips[1:]:
        axes.sharey(strips[0])
    strips[0].set_title(label, loc="left", fontsize=10)
    strips[0].set_title(f"black: mean, grey: {_MIDDLE}", loc="right", fontsize=8, color="0.4")


def _draw_drive(axes, drive):
    look = {"step": "mid", "color": "0.75", "label": "_mean drive"}
    axes.fill_between(range(len(drive)), drive.mean(axis=1), **look)
    by_unit = (drive != drive[:, :1]).any()
    axes.set_ylabel("mean drive" if by_unit else "drive $\\xi_t$")


def _draw_prediction(axes, shown):
    spec, classes = shown.task.spec, shown.probabilities.shape[1]
    look = {"cmap": "Greys", "vmin": 0, "vmax": 1, "label": "_probability"}
    image = axes.imshow(shown.probabilities.T, aspect="auto", origin="lower", **look)
    line = {"color": "#D55E00", "lw": 0.8, "ls": ":"}
    if np.ndim(shown.label):
        steps = np.arange(len(shown.label))
        axes.step(steps, shown.label, where="mid", label="label of each step", **line)
    else:
        axes.axhline(shown.label, label=f"label {spec.class_name(shown.label)}", **line)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 0.97), frameon=False, fontsize=8)
    step = 1 if classes <= _CLASSES_NAMED else math.ceil(classes / (_CLASSES_NAMED - 1))
    ticks = range(0, classes, step)
    axes.set_yticks(ticks, [spec.class_name(k) for k in ticks])
    axes.set_ylabel("class")
    return image


def _draw_values(axes, values, target):
    """The values after each step, and their targets."""
    targets = np.broadcast_to(target, values.shape)
    for k in range(values.shape[1]):
        style = unit_style(k)
        axes.plot(values[:, k], **style, label=f"value {k}")
        axes.plot(targets[:, k], **{**style, "ls": ":"}, label=f"target {k}")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 0.97), ncols=4, frameon=False, fontsize=8)
    axes.set_ylabel("value")


__getattr__ = renamed(
    __name__,
    {
        "BAND": "_BAND",
        "MIDDLE": "_MIDDLE",
        "WIDTH": "_WIDTH",
        "PANEL": "_PANEL",
        "STRIP": "_STRIP",
        "STRIPS": "_STRIPS",
        "IMAGE": "_IMAGE",
    },
)
