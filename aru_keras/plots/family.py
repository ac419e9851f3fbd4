"""The activation family γ (Geadah et al. 2024, Fig 1)."""

from typing import TYPE_CHECKING

from aru_keras._util.deprecated import renamed, renamed_argument
from aru_keras.analysis.family import Family
from aru_keras.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SATURATION_MAP = "plasma"
"""The colour map of the saturation s."""

# The limit that a curve reaches, by (n, s).
_LIMIT_DASHES = {"softplus": (0, (4, 2)), "ReLU": (0, (1, 1)), "sigmoid": (0, (5, 1, 1, 1))}


@renamed_argument("found", "family")
def activation_curves(family: Family) -> "Figure":
    """γ and its slope over x: a column for each gain n, a colour for each saturation s.

    The limits of the family, softplus, ReLU and sigmoid, are drawn over it in black.

    Args:
        family: From `analysis.activation_family`.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    columns = len(family.gains)
    width = 1.2 + 1.45 * columns  # The legend, and the panels.
    figure, axes = style.panels(columns, 2, width=width, row_height=1.9)
    for column, gain in enumerate(family.gains):
        value, slope = axes[:, column]
        for row, saturation in enumerate(family.saturations):
            colour = _colour(saturation, family.saturations)
            label = style.number(saturation)
            value.plot(family.x, family.values[column, row], color=colour, label=label)
            look = {"color": colour, "label": style.unlisted(label)}
            slope.plot(family.x, family.slopes[column, row], **look)
        value.set_title(f"$n$ = {style.number(gain)}", fontsize=10)
        slope.set_xlabel("pre-activation $x$")
    _draw_limits(axes[0], family)
    for row, label in enumerate((r"$\gamma(x; n, s)$", r"slope $\partial\gamma/\partial x$")):
        axes[row, 0].set_ylabel(label)
        limits = [panel.get_ylim() for panel in axes[row]]
        for panel in axes[row]:
            panel.set_ylim(min(low for low, _ in limits), max(high for _, high in limits))
            panel.set_xticks([family.x.min(), 0, family.x.max()])
            panel.tick_params(labelleft=panel is axes[row, 0])
    style.letters(axes[:, 0])
    handles = axes[0, 0].get_legend_handles_labels()
    style_of = {"frameon": False, "fontsize": 8}
    figure.legend(*handles, title="saturation $s$, limits", loc="outside right upper", **style_of)
    return figure


def _draw_limits(axes, family):
    """Softplus and sigmoid where n = 1 is, ReLU beside the largest gain; all in one legend."""
    for name, dashes in _LIMIT_DASHES.items():
        column = len(axes) - 1 if name == "ReLU" else 0
        options = {"color": "black", "lw": 1.2, "ls": dashes, "label": name}
        axes[column].plot(family.x, family.limits[name], **options)
        if column:
            axes[0].plot([], [], **options)


def _colour(saturation, saturations):
    from matplotlib import colormaps

    low, high = min(saturations), max(saturations)
    return colormaps[_SATURATION_MAP](0.3 + 0.6 * (saturation - low) / ((high - low) or 1))


__getattr__ = renamed(
    __name__, {"family": "activation_curves", "SATURATION_MAP": "_SATURATION_MAP"}
)
