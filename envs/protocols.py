"""Stimulation protocols for the unit rig, with plain data as their results.

Time is that of `UnitRigEnv`: t = 0 is its reset, a step without current, and a protocol of `steps`
steps injects ξ_1 … ξ_steps. All arrays are indexed by t, so they have T = steps + 1 entries:
signals["h"][:, t] is what the rig shows at time t, while current[:, t] is in force. Times are in
steps.

The argument `rig` of every protocol is a rig, scalar or vector, wrapped or not, whose
sub-environments are not changed. A value that `UnitRigEnv` takes as `network` stands for
`UnitRigEnv(network)`. For isolated units give `UnitRigEnv(network, isolated=True)`. All protocols
start from h_0 = g_0 = 0.

A current (`amplitude`, `mean`, `std`) is a number for all units, or, for a rig with `per_unit`, an
array (N,) with a number for each unit.
"""

from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import ArrayLike

from aru_keras._util.arguments import finite, whole
from aru_keras.envs.rig import UnitRigVectorEnv

START, DURATION, STEPS = 200, 200, 600
"""The default times: 200 steps without, 200 with, and 200 without the stimulus."""


@dataclass(frozen=True, eq=False)
class Response:
    """The response of units to a current.

    Attributes:
        current: The current ξ of R repeats, (R, T, 1), or (R, T, N) for a rig with `per_unit`.
        signals: The signals "a", "n", "s" and "h" by name, (R, T, N) each; "a" and "h" alone for
            units without n and s.
    """

    current: np.ndarray
    signals: dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class FICurve:
    """The responses of each unit to K constant currents.

    Attributes:
        currents: The currents, (K,).
        onset: The output h at t = 1, the first step under the current, (K, N).
        h: The mean output over the last `settle` steps, (K, N). It need not be a steady state,
            because isolated units can cycle, and connected units seldom settle.
        swing: The standard deviation of h over those steps, (K, N); it is 0 if h has settled.
        n: The mean gain over those steps, (K, N); None for units without n and s.
        s: The mean saturation over those steps, (K, N); None for units without n and s.
    """

    currents: np.ndarray
    onset: np.ndarray
    h: np.ndarray
    swing: np.ndarray
    n: np.ndarray | None
    s: np.ndarray | None


def f_i_curve(rig: Any, currents: ArrayLike, steps: int = 300, settle: int = 100) -> FICurve:
    """The f–I curve of every unit: the response to constant currents from the initial state.

    Args:
        rig: A unit rig, or a network for one.
        currents: K currents, (K,), each of which is injected into all units.
        steps: The number of steps under the current.
        settle: The number of last steps over which the mean is taken.

    Raises:
        ValueError: If `currents` is not a list of finite numbers, or `settle` is above `steps`.
    """
    rig = _vector_rig(rig)
    currents = _checked_currents(currents)
    steps, settle = whole("steps", steps, 1), whole("settle", settle, 1)
    if settle > steps:
        raise ValueError(
            f"`settle` must be at most `steps` = {steps}, as it counts the last of them. "
            f"Received: {settle}."
        )
    signals = _response(rig, np.repeat(currents[:, None, None], steps, axis=1)).signals
    means = {name: values[:, -settle:].mean(axis=1) for name, values in signals.items()}
    return FICurve(
        currents=currents,
        onset=signals["h"][:, 1],
        h=means["h"],
        swing=signals["h"][:, -settle:].std(axis=1),
        n=means.get("n"),
        s=means.get("s"),
    )


def step_response(
    rig: Any,
    amplitude: ArrayLike,
    start: int = START,
    duration: int = DURATION,
    steps: int = STEPS,
) -> Response:
    """The response to a constant current within a window of time, in one repeat.

    Args:
        rig: A unit rig, or a network for one.
        amplitude: The current ξ_t for start ≤ t < start + duration; elsewhere it is 0.
        start: The first step of the window, at least 1.
        duration: The number of steps in the window, which ends with the protocol at the latest.
        steps: The number of steps of the protocol.

    Raises:
        ValueError: If a value is out of its range or the current would never be on.
    """
    rig = _vector_rig(rig)
    amplitude = _checked_current("amplitude", amplitude, rig)
    inside = _window(start, duration, whole("steps", steps, 1))
    return _response(rig, (inside[:, None] * amplitude)[None])


def noise_response(
    rig: Any,
    std: ArrayLike,
    mean: ArrayLike = 0.0,
    start: int = START,
    duration: int = DURATION,
    steps: int = STEPS,
    repeats: int = 1,
    seed: int = 0,
    background: float = 0.0,
) -> Response:
    """The response to Gaussian noise within a window of time.

    The noise is drawn for each repeat and step, and for a rig with `per_unit` for each unit too;
    otherwise all units receive the same noise. The gain scaling of Geadah et al. 2024, Fig 3b, has
    `background=0.01`. The first repeats do not depend on the number of repeats.

    Args:
        rig: A unit rig, or a network for one.
        std: The standard deviation for start ≤ t < start + duration.
        mean: The mean for start ≤ t < start + duration.
        start: The first step of the window, at least 1.
        duration: The number of steps in the window, which ends with the protocol at the latest.
        steps: The number of steps of the protocol.
        repeats: The number of repeats R.
        seed: The seed of the noise.
        background: The standard deviation outside of the window, where the mean is 0.

    Raises:
        ValueError: If a value is out of its range or the noise would never be on.
    """
    rig = _vector_rig(rig)
    std, mean = _checked_current("std", std, rig, 0), _checked_current("mean", mean, rig)
    background = finite("background", background, 0)
    inside = _window(start, duration, whole("steps", steps, 1))[:, None]
    shape = (whole("repeats", repeats, 1), steps, *rig.single_action_space.shape)
    draws = np.random.default_rng(whole("seed", seed, 0)).standard_normal(shape)
    return _response(rig, inside * mean + draws * np.where(inside, std, background))


def sinusoid_response(
    rig: Any,
    amplitude: ArrayLike,
    period: float,
    mean: ArrayLike = 0.0,
    phase: float = 0.0,
    steps: int = STEPS,
) -> Response:
    """The response to ξ_t = mean + amplitude·sin(2πt/period + phase), in one repeat.

    Args:
        rig: A unit rig, or a network for one.
        amplitude: The amplitude of the oscillation.
        period: The period in steps, above 0.
        mean: The mean of the current.
        phase: The phase in radians.
        steps: The number of steps of the protocol.

    Raises:
        ValueError: If a value is out of its range.
    """
    rig = _vector_rig(rig)
    amplitude, mean = (
        _checked_current(name, value, rig)
        for name, value in (("amplitude", amplitude), ("mean", mean))
    )
    if finite("period", period, 0) == 0:
        raise ValueError(f"`period` must be above 0 steps. Received: {period!r}.")
    t = np.arange(1, whole("steps", steps, 1) + 1)[:, None]
    angle = 2 * np.pi * t / period + finite("phase", phase)
    return _response(rig, (mean + amplitude * np.sin(angle))[None])


def waveform_response(rig: Any, waveform: ArrayLike) -> Response:
    """The response to currents that you give, from t = 1 on, with a repeat for each waveform.

    Args:
        rig: A unit rig, or a network for one.
        waveform: The current ξ_1 … ξ_steps, (steps,) into all units; (R, steps) for R repeats; or
            (R, steps, N) with a current for each unit of a rig with `per_unit`. Unlike here, the
            two axes of a `perturbations.Waveform` are (steps, N), which is `waveform[None]`. So a
            rig with `per_unit` refuses (R, N), which might be meant as either.

    Raises:
        ValueError: If `waveform` is not such an array of finite numbers.
    """
    rig = _vector_rig(rig)
    return _response(rig, _checked_waveform(waveform, rig))


def _vector_rig(rig):
    """The vector form of a rig, which may be given by its network alone."""
    if not isinstance(rig, gym.Env | gym.vector.VectorEnv):
        return UnitRigVectorEnv(1, rig)
    vector_rig = getattr(rig.unwrapped, "vector_env", rig.unwrapped)
    if not isinstance(vector_rig, UnitRigVectorEnv):
        raise ValueError(
            "`rig` must be a unit rig, or a network. "
            f"Received: {rig}. Make one with gym.make('aru/UnitRig-v0', network=…)."
        )
    return vector_rig


def _response(rig, current):
    """The response to ξ_1 … ξ_steps, (R, steps, 1 or N), after a step without current."""
    width = rig.single_action_space.shape[0]
    current = np.broadcast_to(current, (*current.shape[:2], width))
    current = np.pad(current, ((0, 0), (1, 0), (0, 0))).astype(np.float32)
    return Response(current, rig.respond(current))


def _window(start, duration, steps):
    """A mask of the steps t = 1 … steps that are in the window, (steps,) bool."""
    start = whole("start", start, 1, hint="At t = 0 the rig is reset without current.")
    duration = whole("duration", duration, 1)
    if start > steps:
        raise ValueError(
            f"`start` must be at most `steps` = {steps}, the last step. Received: {start}."
        )
    t = np.arange(1, steps + 1)
    return (t >= start) & (t < start + duration)


def _finite(values):
    return (np.abs(values) <= np.finfo(np.float32).max).all()


def _checked_current(name, value, rig, least=-np.inf):
    values = np.asarray(value)
    shapes = [(), rig.single_action_space.shape] if rig.per_unit else [()]
    fits = values.shape in shapes and values.dtype.kind in "iuf"
    if not fits or not _finite(values) or (values < least).any():
        bound = "" if least == -np.inf else f" of at least {least}"
        per_unit = f", or {shapes[-1][0]}, one per unit" if rig.per_unit else ""
        raise ValueError(f"`{name}` must be a finite number{bound}{per_unit}. Received: {value!r}.")
    return values


def _checked_waveform(waveform, rig):
    """(R, steps, 1 or N)."""
    try:
        values = np.asarray(waveform)
    except ValueError:  # Rows of different lengths.
        values = np.empty(0)
    width = rig.single_action_space.shape[0]
    _check_axes(values, rig)
    shared = values[..., None] if values.ndim < 3 else values
    shaped = shared[None] if shared.ndim == 2 else shared
    fits = shaped.ndim == 3 and shaped.shape[2] in (1, width) and shaped.size
    if not fits or values.dtype.kind not in "iuf" or not _finite(values):
        per_unit = f" or (R, steps, {width}) with one per unit" if rig.per_unit else ""
        raise ValueError(
            "`waveform` must be finite numbers, (steps,) or (R, steps) for all units alike"
            f"{per_unit}. Received: {waveform!r} of shape {values.shape}."
        )
    return shaped


def _check_axes(values, rig):
    """Refuse what might be (R, steps) or (steps, N)."""
    width = rig.single_action_space.shape[0]
    if rig.per_unit and values.ndim == 2 and values.shape[1] == width:
        raise ValueError(
            f"`waveform` must have three axes where the last of two is N = {width}. Received: "
            f"shape {values.shape}. Give waveform[None] for {len(values)} steps with a current for "
            "each unit, or waveform[..., None] for repeats of one current for all units."
        )


def _checked_currents(currents):
    values = np.asarray(currents)
    valid = values.ndim == 1 and len(values) and values.dtype.kind in "iuf"
    if not valid or not _finite(values):
        raise ValueError(
            f"`currents` must be one or more finite numbers, (K,). Received: {currents!r}."
        )
    return values.astype(np.float32)
