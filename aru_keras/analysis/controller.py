"""The states of the controller alone, under constant pre-activations.

The protocol of Geadah et al. 2024, Fig 5a: from random initial states, a = 0 for 200 steps and then
a constant for 200 steps. The figure shows the two principal components of all states, and the curve
on which the end points lie.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike

from aru_keras._util.arguments import LARGEST_SIZE, array, instance, shown, whole
from aru_keras._util.deprecated import renamed
from aru_keras.analysis._checks import is_constant

CONTROLLER_AMPLITUDES = tuple(np.exp(np.linspace(-2, 2, 10)))
"""The constant pre-activations a."""

SETTLE_STEPS, HOLD_STEPS, STATE_DRAWS = 200, 200, 10
"""Steps at a = 0, steps at the constant, and random initial states g_0 that are averaged over."""

TAIL_STEPS = 50
"""Number of last steps over which the state should have come to rest."""


@dataclass(frozen=True, eq=False)
class Controller:
    """The weights of a controller of G units, in float64.

    Attributes:
        kernel: W_ag, (1, G).
        recurrent_kernel: W_gg, (G, G).
        bias: b_g, (G,).
        readout_kernel: w_n and w_s, (G, 2).
        readout_bias: b_n and b_s, (2,).

    Raises:
        ValueError: A shape does not fit, or a weight is not finite.
    """

    kernel: np.ndarray
    recurrent_kernel: np.ndarray
    bias: np.ndarray
    readout_kernel: np.ndarray
    readout_bias: np.ndarray

    def __post_init__(self):
        size = len(array("bias", self.bias, ("G",)))
        shapes = {
            "kernel": (1, size),
            "recurrent_kernel": (size, size),
            "bias": (size,),
            "readout_kernel": (size, 2),
            "readout_bias": (2,),
        }
        for name, shape in shapes.items():
            expected = f"finite and of shape {shape}, for the G = {size} units of `bias`"
            object.__setattr__(self, name, array(name, getattr(self, name), shape, what=expected))

    @classmethod
    def of_cell(cls, cell: Any) -> "Controller":
        """The controller of a built `ARUCell`."""
        names = (
            "controller_kernel",
            "controller_recurrent_kernel",
            "controller_bias",
            "readout_kernel",
            "readout_bias",
        )
        return cls(*(keras.ops.convert_to_numpy(getattr(cell, name)) for name in names))

    def states(self, a: np.ndarray, g: np.ndarray) -> np.ndarray:
        """The states g_t = tanh(W_ag a_t + W_gg g_{t−1} + b_g) after every step.

        Args:
            a: Pre-activations, (T, …).
            g: Initial states, (…, G).

        Returns:
            States (T, …, G).
        """
        drive = np.asarray(a, "float64")[..., None] * self.kernel[0] + self.bias
        states = np.empty((*drive.shape[:-1], len(self.bias)))
        for t, fed in enumerate(drive):
            states[t] = g = np.tanh(fed + g @ self.recurrent_kernel)
        return states

    def read_out(self, states: np.ndarray) -> np.ndarray:
        """The gain n and the saturation s, (…, 2), for states (…, G)."""
        return states @ self.readout_kernel + self.readout_bias


@dataclass(frozen=True, eq=False)
class Portrait:
    """The states of a controller under constant pre-activations.

    Attributes:
        amplitudes: Constants a, (K,).
        states: States g_t, means over the draws of g_0, (K, T, G).
        projected: Projections of the states on their two principal components, (K, T, 2).
        explained: Share of the variance of all states along each of the two components, (2,).
        parameters: n_t and s_t at these states, (K, T, 2).
        curve_share: 1 − ⟨d²⟩ / ⟨r²⟩. Here d is the distance of an end point from the segment
            between its two neighbours in a, for all end points but the first and the last, and r is
            the distance of an end point from the mean of all. It is near 1 if the end points follow
            one another along a curve, straight or bent, and near 0 or below if they are scattered.
        line_share: Share of the variance of the K end points along one straight line. It is 1 if
            they lie on a straight line, and less if the curve bends.
        unsettled: Movement of the state during the last `TAIL_STEPS` steps, (K,): its root mean
            square deviation from its mean there, relative to the spread of the end points. It is 0
            at a fixed point. An oscillation has no end point: the simulation only stops somewhere.
        settle: Steps at a = 0.
    """

    amplitudes: np.ndarray
    states: np.ndarray
    projected: np.ndarray
    explained: np.ndarray
    parameters: np.ndarray
    curve_share: float
    line_share: float
    unsettled: np.ndarray
    settle: int

    @property
    def end_points(self) -> np.ndarray:
        """The last states on the two principal components, (K, 2)."""
        return self.projected[:, -1]


def portrait(
    controller: Controller,
    amplitudes: ArrayLike = CONTROLLER_AMPLITUDES,
    *,
    settle: int = SETTLE_STEPS,
    hold: int = HOLD_STEPS,
    draws: int = STATE_DRAWS,
    seed: int = 0,
) -> Portrait:
    """States of a controller under constant pre-activations (Fig 5a).

    Args:
        controller: The controller, of two units or more; for a layer, it is
            `Controller.of_cell(layer.cell)`.
        amplitudes: Constants a, at least three, in ascending order.
        settle: Number of steps at a = 0.
        hold: Number of steps at the constant.
        draws: Number of random initial states g_0 ~ N(0, 1), the same for all a.
        seed: Seed of g_0.

    Raises:
        ValueError: An argument is out of its range, or the states do not vary.
    """
    _check_size(instance("controller", controller, Controller, "Controller.of_cell makes one."))
    given, amplitudes = amplitudes, array("amplitudes", amplitudes, ("K",))
    if len(amplitudes) < 3 or not (np.diff(amplitudes) > 0).all():
        raise ValueError(
            "`amplitudes` must be three finite numbers or more, in ascending order. Received: "
            f"{shown(given)}."
        )
    settle = whole("settle", settle, 0, most=LARGEST_SIZE)
    hold = whole("hold", hold, 1, most=LARGEST_SIZE)
    size = (whole("draws", draws, 1, most=LARGEST_SIZE), len(controller.bias))
    first = np.random.default_rng(whole("seed", seed, 0)).normal(size=size)
    a = np.zeros((settle + hold, len(amplitudes), draws))
    a[settle:] = amplitudes[:, None]
    states = np.swapaxes(controller.states(a, first).mean(axis=2), 0, 1)
    _check_movement(states)
    projected, explained = principal_components(states)
    return Portrait(
        amplitudes=amplitudes,
        states=states,
        projected=projected,
        explained=explained,
        parameters=controller.read_out(states),
        curve_share=_curve_share(states[:, -1]),
        line_share=float(principal_components(states[:, -1], 1)[1][0]),
        unsettled=_unsettled(states),
        settle=settle,
    )


def _check_size(controller):
    if len(controller.bias) < 2:
        raise ValueError(
            "`controller` must have two units or more, because its states are shown on two "
            "principal components. Received: one unit."
        )


def _check_movement(states):
    """Refuse states (K, T, G) that are all the same, or end where they end for every a."""
    clouds = states.reshape(-1, states.shape[-1]), states[:, -1]
    if any(is_constant(points, axis=0) for points in clouds):
        raise ValueError(
            "`controller` must have states that depend on a. Received: one whose states are the "
            "same for all `amplitudes`. Is its kernel 0?"
        )


def _curve_share(points):
    """The `curve_share` of a `Portrait`, for end points (K, G)."""
    before, inner, after = points[:-2], points[1:-1], points[2:]
    along = after - before
    length = np.maximum((along**2).sum(axis=1), np.finfo("float64").tiny)
    position = np.clip(((inner - before) * along).sum(axis=1) / length, 0, 1)
    away = inner - before - position[:, None] * along
    return float(1 - (away**2).sum(axis=1).mean() / points.var(axis=0).sum())


def _unsettled(states):
    tail = states[:, -TAIL_STEPS:]
    moving = np.sqrt(tail.var(axis=1).sum(axis=-1))
    return moving / np.sqrt(states[:, -1].var(axis=0).sum())


def principal_components(points: np.ndarray, count: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """The projections of points on their first principal components.

    Args:
        points: Points (…, G), at least `count` of them, with G ≥ `count`.
        count: Number of components.

    Returns:
        `(projected, explained)`: the projections of the points, less their mean, (…, count), and
        the share of the variance along each component, (count,). The sign of a component is such
        that its largest coordinate is positive.

    Raises:
        ValueError: The points are all the same, or too few.
    """
    points, count = array("points", points, (..., "points", "G")), whole("count", count, 1)
    flat = points.reshape(-1, points.shape[-1])
    if count > min(flat.shape):
        raise ValueError(
            f"`count` must be at most the number of points and of their coordinates, {flat.shape} "
            f"for `points`. Received: {count}."
        )
    centred = flat - flat.mean(axis=0)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    if sizes[0] <= 1e-12 * max(np.abs(flat).max(), 1e-300):
        raise ValueError(
            f"`points` must be {count} or more and not all the same. Received: {len(flat)} points "
            f"of {flat.shape[1]} coordinates."
        )
    directions = directions[:count]
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, None], axis=1)
    projected = centred @ (directions * np.sign(largest)).T
    return projected.reshape(*points.shape[:-1], count), sizes[:count] ** 2 / np.sum(sizes**2)


__getattr__ = renamed(
    __name__,
    {
        "AMPLITUDES": "CONTROLLER_AMPLITUDES",
        "SETTLE": "SETTLE_STEPS",
        "HOLD": "HOLD_STEPS",
        "DRAWS": "STATE_DRAWS",
        "TAIL": "TAIL_STEPS",
    },
)
