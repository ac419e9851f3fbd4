"""The cloud of activation parameters (n, s) of a network's units (Geadah et al. 2024, Fig 3a).

Training spreads one common point into a cloud, and a change of task spreads it further.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import keras
import numpy as np

from aru_keras._util.arguments import array, instance, shown
from aru_keras._util.deprecated import renamed
from aru_keras.layers import GammaRNNCell
from aru_keras.probing import load_network, recurrent_layer


@dataclass(frozen=True, eq=False)
class Cloud:
    """(n, s) of the units of one or several networks.

    Attributes:
        points: Pairs of n and s, one for each unit, (N, 2).

    Raises:
        ValueError: There is no point, or one is not finite.
    """

    points: np.ndarray

    def __post_init__(self):
        points = array("points", self.points, ("N", 2))
        object.__setattr__(self, "points", points)

    @property
    def mean(self) -> np.ndarray:
        """The mean n and s, (2,)."""
        return self.points.mean(axis=0)

    @property
    def covariance(self) -> np.ndarray:
        """The covariance of n and s over the units, (2, 2), divided by N; 0 for a common point."""
        # One point is subtracted first, so that equal points have a spread of 0 and not 1e-15.
        centred = self.points - self.points[0]
        centred = centred - centred.mean(axis=0)
        return centred.T @ centred / len(centred)

    @property
    def spread(self) -> float:
        """The root mean square distance of the units from their mean, √trace of the covariance."""
        return float(np.sqrt(np.trace(self.covariance)))


@dataclass(frozen=True)
class Shift:
    """The change of a cloud between two stages.

    Attributes:
        start, end: Names of the two stages.
        distance: Shift of the mean, in the plane of (n, s).
        displacement: RMS shift of a unit, the root mean square over units of their shifts in the
            plane of (n, s); None if the stages have different numbers of units.
        growth: Ratio of spreads, end over start; None if the start is one point.
    """

    start: str
    end: str
    distance: float
    displacement: float | None
    growth: float | None


def parameter_cloud(*networks: Any) -> Cloud:
    """The cloud of the units of one or several networks, such as networks of different seeds.

    Args:
        *networks: `GammaRNN` layers, models with such a layer, or folders of runs. All units of a
            homogeneous network lie at their common point.

    Raises:
        ValueError: A network has no static n and s.
    """
    if not networks:
        raise ValueError("`networks` must be one network or more. Received: none.")
    return Cloud(np.concatenate([_points(network) for network in networks]))


def cloud_shifts(stages: Mapping[str, Cloud]) -> list[Shift]:
    """The changes of a cloud from each stage to the next, such as from start to trained.

    Args:
        stages: Clouds by the names of the stages, in order.

    Raises:
        ValueError: There are fewer than two stages.
    """
    if not isinstance(stages, Mapping) or len(stages) < 2:
        received = shown(list(stages) if isinstance(stages, Mapping) else stages)
        raise ValueError(f"`stages` must be two clouds or more, by name. Received: {received}.")
    for cloud in stages.values():
        instance("stages", cloud, Cloud, "They are clouds by name.")
    return [_shift(*start, *end) for start, end in pairwise(stages.items())]


def _points(network):
    layer = recurrent_layer(load_network(network))
    if not isinstance(layer.cell, GammaRNNCell):
        raise ValueError(
            "`networks` must have a static n and s, as GammaRNN. Received: a network with "
            f"{type(layer.cell).__name__}. Record n and s, and make a Cloud of them at one step."
        )
    pair = [keras.ops.convert_to_numpy(value) for value in (layer.cell.n, layer.cell.s)]
    return np.stack([np.broadcast_to(value, layer.cell.units) for value in pair], axis=1)


def _shift(start, before, end, after):
    same = len(before.points) == len(after.points)
    moved = after.points - before.points if same else None
    return Shift(
        start=start,
        end=end,
        distance=float(np.linalg.norm(after.mean - before.mean)),
        displacement=float(np.sqrt(np.mean(np.sum(moved**2, axis=1)))) if same else None,
        growth=after.spread / before.spread if before.spread else None,
    )


__getattr__ = renamed(__name__, {"cloud": "parameter_cloud", "shifts": "cloud_shifts"})
