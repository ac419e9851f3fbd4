"""The norm of the Jacobian over gain and saturation (Geadah et al. 2024, Fig 6)."""

from typing import TYPE_CHECKING

from aru_keras.analysis.jacobian import JacobianNorms
from aru_keras.plots.style import COLUMN_WIDTH, NORM_LABEL, norm_bar, norm_colours, panels, unlisted

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def jacobian_map(norms: JacobianNorms) -> "Figure":
    """The mean norm of the Jacobian over the grid of (n, s), and the line where it is 1 (Fig 6).

    Args:
        norms: What `analysis.jacobian_norms` gives, on two gains and two saturations or more.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    figure, (axes,) = panels(1, width=COLUMN_WIDTH, row_height=2.8)
    label = unlisted(NORM_LABEL)
    mesh = axes.pcolormesh(norms.n, norms.s, norms.mean.T, label=label, **norm_colours())
    axes.set(xlabel="gain n", ylabel="saturation s")
    bar = norm_bar(axes, mesh)
    if norms.mean.min() < 1 < norms.mean.max():
        line = axes.contour(norms.n, norms.s, norms.mean.T, levels=[1], colors="k", linewidths=1)
        line.set_label("_norm 1")
        bar.add_lines(line)
    return figure
