"""The look that all figures share: colours, sizes, error bands, files.

Colours are safe for the colour-blind. A drive amplitude ξ has the same colour in every figure of
one set of amplitudes, and a network the same in every figure.
"""

import itertools
import os
import string
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from aru_keras._util.arguments import one_of, whole
from aru_keras._util.deprecated import renamed_argument
from aru_keras._util.files import replacing

if TYPE_CHECKING:
    from matplotlib.colorbar import Colorbar
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

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
_OTHER_MARKERS = "XP*<>"
"""Of networks that are none of the five."""

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

NORM_LABEL = "mean Jacobian norm"
NORM_MAP, NORM_REACH = "RdBu_r", 10
"""The colours of a Jacobian's norm, in every figure: red above 1, blue below, white at 1, on a
logarithmic scale from 1/10 to 10."""

COLUMN_WIDTH, PAGE_WIDTH = 3.4, 7.0
"""Widths of figures in inches: one column and the whole page."""

WINDOW_SHADE = "0.93"
"""The grey behind the steps during which a drive is on."""

FORMATS = ("png", "svg", "pdf")
"""Formats of a figure's files."""

DPI = 200
"""Dots an inch of a PNG, unless another number is asked for."""


@renamed_argument("place", "index")
def unit_style(index: int) -> dict:
    """Colour, dashes and width of the line of a unit, by its index among those that are drawn."""
    dashes = UNIT_DASHES[index // len(UNIT_COLOURS) % len(UNIT_DASHES)]
    return {"color": UNIT_COLOURS[index % len(UNIT_COLOURS)], "ls": dashes, "lw": 1.2}


def network_looks(names: Iterable[str]) -> dict[str, dict]:
    """Colour and marker of each network, by name.

    The five of `models.NETWORKS` have their own. Others have the unit colours that none of the five
    has, and markers that tell apart more of them than there are such colours.
    """
    taken = [look["color"] for look in NETWORK_STYLES.values()]
    free = [colour for colour in UNIT_COLOURS if colour not in taken]
    others = ({"color": colour, "marker": marker} for marker in _OTHER_MARKERS for colour in free)
    cycle = itertools.cycle(others)
    return {name: dict(NETWORK_STYLES.get(name) or next(cycle)) for name in names}


def network_label(name: str) -> str:
    """The label of a network; of one that is none of `models.NETWORKS`, its name."""
    return NETWORK_LABELS.get(name, name)


def drive_colours(amplitudes: Sequence[float]) -> list:
    """A colour for each ξ, by its rank, dark to light; the lightest yellow is left out."""
    from matplotlib import colormaps

    ranks = np.argsort(np.argsort(amplitudes))
    return [colormaps[DRIVE_MAP](0.92 * rank / max(len(ranks) - 1, 1)) for rank in ranks]


def norm_colours() -> dict:
    """`cmap` and `norm` of a drawing whose colours are norms of Jacobians."""
    from matplotlib.colors import LogNorm

    return {"cmap": NORM_MAP, "norm": LogNorm(1 / NORM_REACH, NORM_REACH)}


def norm_bar(axes: Any, drawn: Any, **options: Any) -> "Colorbar":
    """The colour bar of norms of Jacobians; its ends are open to what lies beyond the scale."""
    bar = axes.figure.colorbar(drawn, ax=axes, label=NORM_LABEL, extend="both", **options)
    plain_logarithmic(bar.long_axis)
    return bar


def figure(width: float = PAGE_WIDTH, height: float = 2.4) -> "Figure":
    """An empty `matplotlib.figure.Figure` whose panels are laid out to fit."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def panels(
    columns: int, rows: int = 1, *, width: float = PAGE_WIDTH, row_height: float = 2.4
) -> tuple["Figure", np.ndarray]:
    """A figure and its array of axes, (columns,) or (rows, columns), without top and right edges.

    Returns:
        `(figure, axes)`.
    """
    made = figure(width, rows * row_height)
    axes = made.subplots(rows, columns, squeeze=False)
    for panel in axes.flat:
        panel.spines[["top", "right"]].set_visible(False)
    return made, axes[0] if rows == 1 else axes


def band(
    axes: Any,
    x: ArrayLike,
    values: ArrayLike,
    *,
    label: str | None = None,
    each: bool = True,
    **style: Any,
) -> "Line2D":
    """A line at the mean over seeds, a band of one standard error, and a thin line for each seed.

    Args:
        axes: To draw on.
        x: (K,).
        values: (seeds, K); with one seed there is no band.
        label: For the legend.
        each: Whether to draw the thin lines.
        **style: Properties of the line of the mean.
    """
    values = np.atleast_2d(values)
    mean = values.mean(axis=0)
    (line,) = axes.plot(x, mean, label=label, **style)
    if len(values) > 1:
        colour = line.get_color()
        error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
        look = {"color": colour, "alpha": 0.2, "lw": 0, "label": unlisted(label)}
        axes.fill_between(x, mean - error, mean + error, **look)
        for seed, course in enumerate(values if each else ()):
            name = unlisted(label and f"{label}, line {seed + 1}")
            axes.plot(x, course, color=colour, lw=0.5, alpha=0.5, label=name)
    return line


def unlisted(label: str | None) -> str | None:
    """The label of what the table of numbers is to name, and a legend is not to show."""
    return label and f"_{label}"


def letter(axes: Any, text: str) -> None:
    """A panel's letter, bold, above its upper left corner."""
    axes.set_title(text, loc="left", fontweight="bold")


def letters(panels: Iterable) -> None:
    """The letters A, B, …: of every panel, or of the first panel of every row."""
    for axes, text in zip(panels, string.ascii_uppercase, strict=False):
        letter(axes, text)


def number(value: float, spec: str = "g") -> str:
    """A number as text with a true minus, as matplotlib writes those of an axis."""
    return format(value, spec).replace("-", "\N{MINUS SIGN}")


def legend_entries(panels: Iterable) -> tuple[list, list]:
    """Handles and labels of several panels, each label once, for one legend of them all."""
    entries: dict = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    return list(entries.values()), list(entries)


def plain_logarithmic(axis: Any) -> None:
    """Numbers of a logarithmic axis as 0.2 and 50, not as powers of ten."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(lambda value, _: number(value))
    axis.set_minor_formatter(NullFormatter())


def checked_output(formats: Iterable[str], dpi: int) -> tuple[tuple[str, ...], int]:
    """Formats of files, each once, and dots an inch of a PNG.

    Raises:
        ValueError: A format is none of `FORMATS`, there is none, or `dpi` is below 1.
    """
    formats = (formats,) if isinstance(formats, str) else tuple(formats)
    formats = tuple(dict.fromkeys(one_of("formats", name, FORMATS) for name in formats))
    if not formats:
        raise ValueError(f"`formats` must name one or more of {', '.join(FORMATS)}. Received: ().")
    return formats, whole("dpi", dpi, 1)


def save(
    drawn: Any, path: str | os.PathLike, formats: Iterable[str] = ("png", "svg"), dpi: int = DPI
) -> list[Path]:
    """Write a figure, each file whole or not at all.

    Args:
        drawn: A matplotlib `Figure`.
        path: Where to, without a suffix.
        formats: Formats of the files: "png", "svg", "pdf".
        dpi: Dots an inch of a PNG.

    Returns:
        One file a format, in their order.

    Raises:
        ValueError: `formats` or `dpi` cannot be used.
    """
    formats, dpi = checked_output(formats, dpi)
    # With its own suffix, "0.5" in a name would not be taken for one.
    files = [Path(f"{path}.{suffix}") for suffix in formats]
    for file in files:
        with replacing(file) as temporary:
            drawn.savefig(temporary, dpi=dpi)
    return files
