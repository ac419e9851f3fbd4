"""States of the controller alone (Geadah et al. 2024, Fig 5a)."""

from typing import TYPE_CHECKING

from aru_keras._util.deprecated import renamed, renamed_argument
from aru_keras.analysis.controller import Portrait
from aru_keras.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@renamed_argument("found", "portrait")
def controller_states(portrait: Portrait) -> "Figure":
    """The controller's states on two principal components, and the n and s that it sets.

    Lines: the states after the pre-activation a is switched from 0 to a constant. Points: where
    they end.

    Args:
        portrait: From `analysis.portrait`.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    figure, axes = style.panels(3, row_height=2.4)
    colours = style.drive_colours(portrait.amplitudes)
    for index, (a, colour) in enumerate(zip(portrait.amplitudes, colours, strict=True)):
        path = portrait.projected[index, max(portrait.settle - 1, 0) :]
        label = style.number(a, ".2g")
        look = {"color": colour, "label": style.unlisted(label)}
        axes[0].plot(*path.T, lw=0.7, alpha=0.8, **look)
        axes[0].plot(*path[-1], "o", ms=4, zorder=3, **look)
        axes[1].plot(portrait.parameters[index, :, 0], color=colour, lw=0.9, label=label)
        axes[2].plot(*portrait.parameters[index, -1], "o", ms=4, zorder=3, **look)
    axes[0].plot(*portrait.end_points.T, color="0.3", lw=1, zorder=0, label="_ends")
    axes[2].plot(*portrait.parameters[:, -1].T, color="0.3", lw=1, zorder=0, label="_ends")
    first, second = portrait.explained
    axes[0].set(
        xlabel=f"component 1 ({first:.0%} of variance)",
        ylabel=f"component 2 ({second:.0%})",
    )
    axes[1].set(xlabel="step $t$", ylabel="gain $n_t$")
    axes[2].tick_params(axis="x", labelrotation=45)
    axes[2].set(xlabel=r"final gain $n$", ylabel=r"final saturation $s$")
    handles = axes[1].get_legend_handles_labels()
    options = {"loc": "outside right", "frameon": False, "fontsize": 8}
    figure.legend(*handles, title="constant $a$", **options)
    style.letters(axes)
    return figure


__getattr__ = renamed(__name__, {"controller": "controller_states"})
