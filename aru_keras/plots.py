"""Figures: each function takes data and returns a matplotlib `Figure`, drawn nowhere else."""

import keras
import numpy as np

from aru_keras.probing import record, recurrent_layer

UNIT_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
LABELS = {"n": "gain $n_t$", "s": "saturation $s_t$", "h": "output $h_t$"}


def reading(model: keras.Model, task, split: str = "test", index: int = 0, units=None):
    """An image being read pixel by pixel, and n_t, s_t and h_t of several units during it.

    Args:
        model: A trained network with signals (`arun`, `gamma`, `relu`), or a model of one's own
            with one such recurrent layer and a dense layer named "readout" on its last output.
        task: The `tasks.Task` that it was trained on.
        split: Split of the image.
        index: Which image of the split.
        units: Indices of the units to draw; by default those whose gain (else output) moves most.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: If the model has no such recurrent layer, or no layer named "readout".
    """
    from matplotlib.figure import Figure

    x, labels = task.arrays(split)
    x, label = x[index : index + 1], int(labels[index])
    signals = _signals(model, x)
    units = _liveliest(signals) if units is None else units

    count = len(signals) + 2
    figure = Figure(figsize=(9.0, 1.6 * count), layout="constrained")
    grid = figure.add_gridspec(count, 3, width_ratios=(1, 3, 0.06))
    _draw_image(figure, grid, task, split, index, label)
    rows = [figure.add_subplot(grid[row, 1]) for row in range(count)]
    _draw_input(rows[0], x[0])
    for axes, (name, values) in zip(rows[1:], signals.items(), strict=False):
        _draw_traces(axes, LABELS[name], values, units)
    rows[1].legend(loc="lower right", bbox_to_anchor=(1, 0.95), ncols=len(units), frameon=False)
    shown = _draw_prediction(rows[-1], read_out(model, signals["h"]), label)
    figure.colorbar(shown, cax=figure.add_subplot(grid[-1, 2]), label="probability")
    for axes in rows:
        axes.set_xlim(-0.5, len(signals["h"]) - 0.5)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelbottom=axes is rows[-1])
    return figure


def read_out(model, h: np.ndarray) -> np.ndarray:
    """Class probabilities (T, classes) that the read-out gives for the outputs `h` (T, N)."""
    layer = model.get_layer("readout")
    values = layer(h)
    if getattr(layer, "activation", None) is not keras.activations.softmax:
        values = keras.ops.softmax(values)
    return keras.ops.convert_to_numpy(values)


def _signals(model, x):
    """n, s and h, as far as the network has them, of the one sequence in `x`: (T, N) each."""
    known = recurrent_layer(model).cell.signal_sizes
    names = [name for name in ("n", "s", "h") if name in known]
    return {name: values[0] for name, values in record(model, x, names).items()}


def _liveliest(signals):
    """The units whose gain, else output, moves most."""
    spread = next(iter(signals.values())).std(axis=0)
    if not spread.any():
        spread = signals["h"].std(axis=0)
    return np.argsort(spread)[::-1][: len(UNIT_COLOURS)]


def _draw_image(figure, grid, task, split, index, label):
    picture = figure.add_subplot(grid[:2, 0])
    picture.imshow(task.images(split)[index], cmap="gray")
    picture.set_title(f"{task.name}: a {label}", fontsize=10)
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
    for colour, unit in zip(UNIT_COLOURS, units, strict=False):
        axes.plot(values[:, unit], color=colour, lw=1.2, label=f"unit {unit}")
    axes.set_ylabel(label)


def _draw_prediction(axes, probabilities, label):
    shown = axes.imshow(
        probabilities.T, aspect="auto", origin="lower", cmap="Greys", vmin=0, vmax=1
    )
    axes.axhline(label, color="#D55E00", lw=0.8, ls=":")
    axes.set_yticks(range(0, probabilities.shape[1], 3))
    axes.set_ylabel("class")
    axes.set_xlabel("step t (pixels read)")
    return shown
