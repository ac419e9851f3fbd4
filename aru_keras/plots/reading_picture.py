"""The picture of an image being read."""

import numpy as np

from aru_keras.plots.style import unit_style
from aru_keras.reading import Reading, read

UNITS_DRAWN = 4
LABELS = {"n": "gain $n_t$", "s": "saturation $s_t$", "h": "output $h_t$"}


def reading(model, task, split="test", index=0, units=None, *, perturbation=None):
    """An image being read pixel by pixel, and n_t, s_t and h_t of several units during it.

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
    count = len(shown.signals) + (2 if shown.drive is None else 3)
    figure = Figure(figsize=(9.0, 1.6 * count), layout="constrained")
    grid = figure.add_gridspec(count, 3, width_ratios=(1, 3, 0.06))
    _draw_image(figure, grid, shown)
    rows = [figure.add_subplot(grid[row, 1]) for row in range(count)]
    _draw_input(rows[0], shown.pixels)
    for axes, (name, values) in zip(rows[1:], shown.signals.items(), strict=False):
        _draw_traces(axes, LABELS[name], values, units)
    rows[1].legend(
        loc="lower right", bbox_to_anchor=(1, 0.95), ncols=7, frameon=False, columnspacing=1
    )
    if shown.drive is not None:
        _draw_drive(rows[-2], shown.drive)
    classes = _draw_prediction(rows[-1], shown.probabilities, shown.label)
    figure.colorbar(classes, cax=figure.add_subplot(grid[-1, 2]), label="probability")
    for axes in rows:
        axes.set_xlim(-0.5, shown.timesteps - 0.5)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelbottom=axes is rows[-1])
    return figure


def _draw_image(figure, grid, shown):
    task = shown.task
    picture = figure.add_subplot(grid[:2, 0])
    picture.imshow(task.images(shown.split)[shown.index], cmap="gray")
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
    axes = figure.add_subplot(grid[2:4, 0])
    shown = axes.imshow(order.reshape(task.image_shape), cmap="cividis")
    axes.set_title("read at step t", fontsize=10)
    axes.set_axis_off()
    figure.colorbar(shown, ax=axes, shrink=0.8)


def _draw_input(axes, sequence):
    if sequence.shape[-1] != 1:
        axes.set_axis_off()
        return
    axes.bar(range(len(sequence)), sequence[:, 0], width=1.0, color="0.4")
    axes.set_ylabel("pixel $x_t$")


def _draw_traces(axes, label, values, units):
    for place, unit in enumerate(units):
        axes.plot(values[:, unit], label=f"unit {unit}", **unit_style(place))
    axes.set_ylabel(label)


def _draw_drive(axes, drive):
    axes.fill_between(range(len(drive)), drive.mean(axis=1), step="mid", color="0.75")
    axes.set_ylabel("drive $\\xi_t$")


def _draw_prediction(axes, probabilities, label):
    shown = axes.imshow(
        probabilities.T, aspect="auto", origin="lower", cmap="Greys", vmin=0, vmax=1
    )
    axes.axhline(label, color="#D55E00", lw=0.8, ls=":")
    axes.set_yticks(range(0, probabilities.shape[1], 3))
    axes.set_ylabel("class")
    axes.set_xlabel("step t (pixels read)")
    return shown
