"""The look that all figures share: colours, sizes, error bands, files.

Colours are safe for the colour-blind. A drive amplitude ξ has the same colour in every figure of
one set of amplitudes, and a network the same in every figure.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from aru_keras.files import replacing

UNIT_COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#E69F00",
    "#000000",
    "#882255",
)
"""Eight colours that the colour-blind can tell apart, seven of them Okabe and Ito's."""

UNIT_DASHES = ("-", "--", ":", "-.")

NETWORK_STYLES = {
    "arun": {"color": "#0072B2", "marker": "o"},
    "gamma": {"color": "#D55E00", "marker": "s"},
    "relu": {"color": "#000000", "marker": "^"},
    "lstm": {"color": "#CC79A7", "marker": "v"},
    "gru": {"color": "#009E73", "marker": "D"},
}
NETWORK_LABELS = {
    "arun": "ARUN",
    "gamma": "RNN+γ",
    "relu": "ReLU",
    "lstm": "LSTM",
    "gru": "GRU",
}
"""Colour, marker and name of each network of `models.NETWORKS`."""

DRIVE_MAP = "viridis"
"""The colour map of drive amplitudes ξ, in every figure."""

NORM_MAP, NORM_REACH = "RdBu_r", 10
"""The colours of a Jacobian's norm, in every figure: red above 1, blue below, white at 1, on a
logarithmic scale from 1/10 to 10."""

COLUMN_WIDTH, PAGE_WIDTH = 3.4, 7.0
"""Widths of figures in inches: one column and the whole page."""


def unit_style(place: int) -> dict:
    """Colour, dashes and width of the line of the unit drawn in this place, counted from 0."""
    dashes = UNIT_DASHES[place // len(UNIT_COLOURS) % len(UNIT_DASHES)]
    return {"color": UNIT_COLOURS[place % len(UNIT_COLOURS)], "ls": dashes, "lw": 1.2}


def drive_colours(amplitudes: Sequence[float]) -> list:
    """A colour for each ξ, by its rank, dark to light; the lightest yellow is left out."""
    from matplotlib import colormaps

    places = np.argsort(np.argsort(amplitudes))
    return [colormaps[DRIVE_MAP](0.92 * place / max(len(places) - 1, 1)) for place in places]


def norm_colours() -> dict:
    """`cmap` and `norm` of a drawing whose colours are norms of Jacobians."""
    from matplotlib.colors import LogNorm

    return {"cmap": NORM_MAP, "norm": LogNorm(1 / NORM_REACH, NORM_REACH)}


def norm_bar(axes, drawn, **options):
    """The colour bar of norms of Jacobians; its ends are open to what lies beyond the scale."""
    bar = axes.figure.colorbar(drawn, ax=axes, label="mean Jacobian norm", extend="both", **options)
    plain_logarithmic(bar.long_axis)
    return bar


def figure(width: float = PAGE_WIDTH, height: float = 2.4):
    """An empty `matplotlib.figure.Figure` whose panels are laid out to fit."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def panels(columns: int, rows: int = 1, *, width: float = PAGE_WIDTH, row_height: float = 2.4):
    """A figure and its array of axes, (columns,) or (rows, columns), without top and right edges.

    Returns:
        `(figure, axes)`.
    """
    made = figure(width, rows * row_height)
    axes = made.subplots(rows, columns, squeeze=False)
    for one in axes.flat:
        one.spines[["top", "right"]].set_visible(False)
    return made, axes[0] if rows == 1 else axes


def band(axes, x, values, *, label: str | None = None, **style):
    """A line at the mean over seeds, with a band of one standard error about it.

    Args:
        axes: To draw on.
        x: (K,).
        values: (seeds, K); with one seed there is no band.
        label: For the legend.
        **style: Of the line.
    """
    values = np.atleast_2d(values)
    mean = values.mean(axis=0)
    (line,) = axes.plot(x, mean, label=label, **style)
    if len(values) > 1:
        error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
        axes.fill_between(x, mean - error, mean + error, color=line.get_color(), alpha=0.2, lw=0)
    return line


def letter(axes, text: str) -> None:
    """A panel's letter, bold, above its upper left corner."""
    axes.set_title(text, loc="left", fontweight="bold")


def plain_logarithmic(axis) -> None:
    """Numbers of a logarithmic axis as 0.2 and 50, not as powers of ten."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def save(drawn, path: str | os.PathLike) -> list[Path]:
    """Write a figure as PNG (200 dots an inch) and SVG, each whole or not at all.

    Args:
        drawn: A matplotlib `Figure`.
        path: Where to, without a suffix.

    Returns:
        The two files.
    """
    # With its own suffix, "0.5" in a name would not be taken for one.
    files = [Path(f"{path}{suffix}") for suffix in (".png", ".svg")]
    for file in files:
        with replacing(file) as temporary:
            drawn.savefig(temporary, dpi=200)
    return files
