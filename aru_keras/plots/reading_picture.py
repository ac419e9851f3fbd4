"""The picture of an image being read."""

import numpy as np

from aru_keras.plots.style import UNIT_COLOURS
from aru_keras.reading import Reading, read

UNITS_DRAWN = 4
LABELS = {"n": "gain $n_t$", "s": "saturation $s_t$", "h": "output $h_t$"}

BAND, MIDDLE = (10, 90), "the middle 80 % of all units"
"""The grey band behind the line of a unit: between which percentiles it lies, and its name."""

WIDTH = 9.0
PANEL, STRIP, STRIPS, IMAGE = 1.1, 0.5, 6.0, 2.5
"""Width of the figure, and heights of a panel, of the strip of a unit, of all strips of a signal at
most, and of an image, in inches."""


def reading(model, task, split="test", index=0, units=None, *, perturbation=None):
    """An image being read pixel by pixel, and n_t, s_t and h_t of several units during it.

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


def picture_of(shown: Reading, units=None):
    """The figure of a `reading.Reading`; units, figure and errors as in `reading`."""
    from matplotlib.figure import Figure

    units = shown.units(units, UNITS_DRAWN)
    strip = min(STRIP, STRIPS / len(units))
    strips = [strip] * len(units) * len(shown.signals)
    heights = [PANEL, *strips, *[PANEL] * (1 if shown.drive is None else 2)]
    figure = Figure(figsize=(WIDTH, sum(heights) + 0.08 * len(heights) + 1), layout="constrained")
    figure.get_layout_engine().set(h_pad=0.02)
    grid = figure.add_gridspec(len(heights), 3, width_ratios=(1, 3, 0.06), height_ratios=heights)
    _draw_image(figure, grid[:, 0], shown)
    rows = [figure.add_subplot(grid[row, 1]) for row in range(len(heights))]
    _draw_input(rows[0], shown.pixels)
    for place, (name, values) in enumerate(shown.signals.items()):
        first = 1 + place * len(units)
        _draw_strips(rows[first : first + len(units)], LABELS[name], values, units)
    if shown.drive is not None:
        _draw_drive(rows[-2], shown.drive)
    classes = _draw_prediction(rows[-1], shown.probabilities, shown.label)
    bar = figure.add_subplot(grid[-1, 2], label="<colorbar>")
    figure.colorbar(classes, cax=bar, label="probability")
    for axes in rows:
        axes.set_xlim(-0.5, shown.timesteps - 0.5)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelbottom=axes is rows[-1])
    return figure


def _draw_image(figure, place, shown):
    task = shown.task
    rest = figure.get_figheight() - 2 * IMAGE
    grid = place.subgridspec(3, 1, height_ratios=(IMAGE, IMAGE, max(rest, 0.1)))
    picture = figure.add_subplot(grid[0])
    picture.imshow(task.images(shown.split)[shown.index], cmap="gray", label="_image")
    picture.set_title(
        f"{task.name} {shown.split}[{shown.index}]\n"
        f"label {shown.label}, read as {shown.predictions[-1]}",
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


def _draw_input(axes, sequence):
    if sequence.shape[-1] != 1:
        axes.set_axis_off()
        return
    axes.bar(range(len(sequence)), sequence[:, 0], width=1.0, color="0.4", label="_pixel")
    axes.set_ylabel("pixel $x_t$")


def _draw_strips(strips, label, values, units):
    """One signal: a strip a unit, under one title."""
    low, high = np.percentile(values, BAND, axis=1)
    steps = np.arange(len(values))
    for row, (axes, unit) in enumerate(zip(strips, units, strict=True)):
        axes.fill_between(steps, low, high, color="0.88", lw=0, label=f"_{label}, {MIDDLE}")
        colour = UNIT_COLOURS[row % len(UNIT_COLOURS)]
        axes.plot(steps, values[:, unit], color=colour, lw=0.8, label=f"_{label}, unit {unit}")
        beside = {"transform": axes.transAxes, "va": "center", "fontsize": 8, "color": colour}
        # In the margin that the colour bar below leaves.
        axes.text(1.005, 0.5, f"unit {unit}", in_layout=False, **beside)
        axes.locator_params(axis="y", nbins=3)
        axes.tick_params(axis="y", labelsize=8)
    for axes in strips[1:]:
        axes.sharey(strips[0])
    strips[0].set_title(label, loc="left", fontsize=10)
    strips[0].set_title(f"grey: {MIDDLE}", loc="right", fontsize=8, color="0.4")


def _draw_drive(axes, drive):
    look = {"step": "mid", "color": "0.75", "label": "_mean drive"}
    axes.fill_between(range(len(drive)), drive.mean(axis=1), **look)
    axes.set_ylabel("drive $\\xi_t$")


def _draw_prediction(axes, probabilities, label):
    look = {"cmap": "Greys", "vmin": 0, "vmax": 1, "label": "_probability"}
    shown = axes.imshow(probabilities.T, aspect="auto", origin="lower", **look)
    axes.axhline(label, color="#D55E00", lw=0.8, ls=":", label=f"label {label}")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 0.97), frameon=False, fontsize=8)
    axes.set_yticks(range(0, probabilities.shape[1], 3))
    axes.set_ylabel("class")
    axes.set_xlabel("step t (pixels read)")
    return shown
