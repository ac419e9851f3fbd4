"""Fixed and slow points among the states that a network visits, and their eigenvalues."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from aru_keras._util.arguments import array
from aru_keras.analysis.fixed_points import FixedPoints
from aru_keras.plots.noise_boundary import _CURVE_POINTS
from aru_keras.plots.style import PAGE_WIDTH, UNIT_COLOURS, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_KINDS = {
    "stable": {"color": UNIT_COLOURS[0], "marker": "o"},
    "unstable": {"color": UNIT_COLOURS[1], "marker": "o", "mfc": "white"},
    "slow": {"color": UNIT_COLOURS[2], "marker": "^", "mfc": "white"},
}
"""The looks of fixed points that are stable or not, and of slow points."""


def fixed_point_map(points: FixedPoints, visited: ArrayLike | None = None) -> "Figure":
    """Points in the plane in which the states vary most, and eigenvalues beside the unit circle.

    Filled circles are stable fixed points, open ones unstable, triangles slow points. The plane is
    that of the first two principal components of the visited states, or of the points themselves.

    Args:
        points: What `analysis.find_fixed_points` gives.
        visited: States of the network, (M, S), such as `analysis.visited_states` gives; they are
            drawn in grey.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: If `visited` has another number of components than the points.
    """
    size = points.states.shape[1]
    visited = np.empty((0, size)) if visited is None else array("visited", visited, ("M", size))
    figure, (plane, circle) = panels(2, width=PAGE_WIDTH, row_height=2.8)
    in_plane = _plane(visited if len(visited) else points.states)
    plane.plot(*in_plane(visited), ".", color="0.75", ms=3, label="visited states")
    for kind, chosen in _kinds(points).items():
        values = points.eigenvalues[chosen].ravel()
        look = {**_KINDS[kind], "ls": "none"}
        plane.plot(*in_plane(points.states[chosen]), **look, ms=6, label=kind)
        circle.plot(values.real, values.imag, **look, ms=3, label=f"_eigenvalues, {kind}")
    _label(plane, circle)
    return figure


def _kinds(points):
    """The points of each kind, as masks; kinds without a point are left out."""
    kinds = {
        "stable": points.fixed & points.stable,
        "unstable": points.fixed & ~points.stable,
        "slow": ~points.fixed,
    }
    return {kind: chosen for kind, chosen in kinds.items() if chosen.any()}


def _plane(states):
    """A function from states (K, S) to the first two principal components of `states`, (2, K)."""
    if not len(states):
        return lambda some: np.zeros((2, len(some)))
    centre = states.mean(axis=0)
    axes = np.zeros((2, states.shape[1]))
    directions = np.linalg.svd(states - centre, full_matrices=False)[2][:2]
    axes[: len(directions)] = directions
    return lambda some: axes @ (some - centre).T


def _label(plane, circle):
    unit = np.exp(2j * np.pi * np.linspace(0, 1, _CURVE_POINTS))
    circle.plot(unit.real, unit.imag, color="0.6", lw=0.8, label="_unit circle", zorder=0)
    circle.set(aspect="equal", xlabel="Re λ", ylabel="Im λ")
    plane.set(xlabel="first principal component", ylabel="second principal component")
    plane.legend(fontsize=8)
