"""Fixed and slow points of a network's dynamics (Sussillo and Barak 2013, Neural Computation 25).

A fixed point is a state h with F(h) = h; where |F(h) − h| is small, the network lingers. Both are
found as local minima of q(h) = ½|F(h) − h|², from many states that the network has visited. Points
that are reached from several states are merged. The eigenvalues of the Jacobian of F at a point say
whether the network stays near it: a point is stable if all of them lie inside the unit circle.

`network_dynamics` gives the autonomous or constantly driven map of a network, of its units alone or
of the whole adaptive system, and `visited_states` the states to start from.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from scipy.optimize import least_squares

from aru_keras._util.arguments import LARGEST_SIZE, array, finite, whole
from aru_keras.analysis.dynamics import ARUDynamics, as_dynamics, dynamics_of
from aru_keras.analysis.maps import Dynamics
from aru_keras.probing import load_network, record, recurrent_layer

STARTS = 64
"""The default number of visited states to start from."""

FIXED_SPEED = 1e-6
"""The default of |F(h) − h| below which a point is fixed, and not slow."""

SLOW_SPEED = 0.1
"""The default of |F(h) − h| above which a minimum of q is no slow point."""

MERGED_WITHIN = 1e-3
"""The default distance between points that are one, per root of the number of components."""

_PRECISION = 1e-14


@dataclass(frozen=True, eq=False)
class FixedPoints:
    """Fixed and slow points, ordered by their speed.

    Attributes:
        states: The points h, (K, S).
        speeds: The speeds |F(h) − h|, (K,).
        fixed: Whether each point is fixed, and not slow, (K,) bool.
        eigenvalues: The eigenvalues of the Jacobian, (K, S) complex, by falling magnitude.
        counts: The number of starts that led to each point, (K,).
        lost: The number of starts that led to no fixed or slow point.
    """

    states: np.ndarray
    speeds: np.ndarray
    fixed: np.ndarray
    eigenvalues: np.ndarray
    counts: np.ndarray
    lost: int

    @property
    def stable(self) -> np.ndarray:
        """Whether all eigenvalues lie inside the unit circle, (K,) bool."""
        return np.abs(self.eigenvalues).max(axis=1, initial=0) < 1

    @property
    def unstable_directions(self) -> np.ndarray:
        """The number of eigenvalues outside of the unit circle, (K,)."""
        return np.count_nonzero(np.abs(self.eigenvalues) > 1, axis=1)


def find_fixed_points(
    dynamics: Any,
    starts: Any,
    *,
    fixed_speed: float = FIXED_SPEED,
    slow_speed: float = SLOW_SPEED,
    merged_within: float = MERGED_WITHIN,
    evaluations: int = 500,
) -> FixedPoints:
    """The fixed and slow points that are found from given states.

    q is minimized with `scipy.optimize.least_squares`, by the method of Levenberg and Marquardt. It
    needs the Jacobian, of S² numbers, at every step.

    Args:
        dynamics: `Dynamics`, a layer, or any function h ↦ F(h), as in `as_dynamics`. A layer is
            taken without its bias, as in the paper; `network_dynamics` gives its own map.
        starts: The states to start from, (M, S).
        fixed_speed: The speed |F(h) − h| up to which a point is fixed.
        slow_speed: The speed up to which a minimum of q is kept as a slow point.
        merged_within: The distance up to which two points are one, per √S.
        evaluations: The largest number of evaluations of F from each start.

    Raises:
        ValueError: If an argument is out of its range, or the states have another size.

    Example:
        >>> found = find_fixed_points(ActivationDynamics([[2.0]], "tanh"), [[-1.0], [0.1], [1.0]])
        >>> found.states.ravel().round(3), found.stable  # in the order of their speed
    """
    dynamics = as_dynamics(dynamics)
    starts = array("starts", starts, ("M", dynamics.size or "S"))
    fixed_speed = finite("fixed_speed", fixed_speed, positive=True)
    slow_speed = finite("slow_speed", slow_speed, least=0)
    radius = finite("merged_within", merged_within, least=0) * np.sqrt(starts.shape[1])
    evaluations = whole("evaluations", evaluations, 1, most=LARGEST_SIZE)
    reached = np.stack([_minimum(dynamics, start, evaluations) for start in starts])
    speeds = np.linalg.norm(dynamics(reached) - reached, axis=1)
    slow = np.flatnonzero(speeds <= max(slow_speed, fixed_speed))
    slow = slow[np.argsort(speeds[slow], kind="stable")]
    chosen, counts = _merged(reached[slow], radius)
    states, speeds = reached[slow][chosen], speeds[slow][chosen]
    return FixedPoints(
        states,
        speeds,
        speeds <= fixed_speed,
        _eigenvalues(dynamics, states),
        counts,
        len(starts) - len(slow),
    )


def network_dynamics(
    network: Any,
    *,
    n: Any = None,
    s: Any = None,
    drive: Any = 0.0,
    x: Any = None,
) -> Dynamics:
    """The map of a network on its own, or under a constant drive and input, with its bias.

    Args:
        network: A built `GammaRNN`, `ARU`, `DrivenRNN` or `SimpleRNN`, a model that holds one of
            the first three, or the folder of a run.
        n: Gain of the units, a number or (N,). None means that of the layer or, for an `ARU`, the
            whole adaptive system with its controllers.
        s: Saturation, given together with `n`.
        drive: The constant drive ξ, a number or (N,).
        x: The constant input, (I,); None for no input.

    Raises:
        ValueError: If the layer is of another kind or not built, or a shape does not fit.
    """
    network = load_network(network)
    dynamics: Any = dynamics_of(network, n, s, bias=True)
    units = len(dynamics.recurrent_kernel)
    constant = array("drive", drive, (), (units,))
    if x is not None:
        layer = network if hasattr(network, "cell") else recurrent_layer(network)
        kernel = keras.ops.convert_to_numpy(layer.cell.kernel).astype("float64")
        constant = constant + array("x", x, (len(kernel),)) @ kernel
    dynamics.bias = dynamics.bias + constant
    return dynamics


def visited_states(
    network: Any,
    x: Any,
    dynamics: Dynamics | None = None,
    *,
    drive: Any = None,
    count: int = STARTS,
    seed: int = 0,
) -> np.ndarray:
    """States that a network visits while it reads sequences, (count, S), drawn from a seed.

    Args:
        network: The network, as in `probing.record`.
        x: The sequences, (B, T, I), of which padding is left out.
        dynamics: The dynamics for which the states are; for the whole adaptive system they are
            those of units and controllers, otherwise (None) those of the units.
        drive: The drive ξ, as in `probing.record`.
        count: The number of states.
        seed: The seed of the draw.

    Raises:
        ValueError: If an argument is out of its range.
    """
    names = ("h", "g") if isinstance(dynamics, ARUDynamics) else ("h",)
    count = whole("count", count, 1, most=LARGEST_SIZE)
    draws = np.random.default_rng(whole("seed", seed, 0))
    signals = record(network, x, names, drive)
    mask = signals.get("mask", np.ones(signals["h"].shape[:2], bool))
    states = np.concatenate([signals[name][mask] for name in names], axis=-1)
    chosen = draws.choice(len(states), count, replace=count > len(states))
    return states[chosen].astype("float64")


def _minimum(dynamics, start, evaluations):
    """The state at which q has a local minimum, from a start."""
    identity = np.eye(len(start))
    minimum = least_squares(
        lambda h: dynamics(h) - h,
        start,
        lambda h: dynamics.jacobian(h) - identity,
        method="lm",
        **dict.fromkeys(("xtol", "ftol", "gtol"), _PRECISION),
        max_nfev=evaluations,
    )
    return minimum.x


def _merged(points, radius):
    """The indices of points that are further than `radius` from all before, and their counts."""
    chosen: list[int] = []
    counts: list[int] = []
    for index, point in enumerate(points):
        distances = np.linalg.norm(points[chosen] - point, axis=1) if chosen else np.empty(0)
        near = int(distances.argmin()) if len(distances) else 0
        if len(distances) and distances[near] <= radius:
            counts[near] += 1
        else:
            chosen.append(index)
            counts.append(1)
    return np.array(chosen, int), np.array(counts, int)


def _eigenvalues(dynamics, states):
    """The eigenvalues of the Jacobian at each state, by falling magnitude."""
    if not len(states):
        return np.empty((0, states.shape[1]), complex)
    values = np.stack([np.linalg.eigvals(dynamics.jacobian(h)) for h in states]).astype(complex)
    order = np.argsort(-np.abs(values), axis=1, kind="stable")
    return np.take_along_axis(values, order, axis=1)
