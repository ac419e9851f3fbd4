"""Stimulation protocols for the unit rig, one call each, with plain data as the result.

Time is that of `UnitRigEnv`: t = 0 is its reset, one step without current; a protocol of `steps`
steps injects ξ_1 … ξ_steps. All arrays are indexed by t, so they have T = steps + 1 entries, and
signals["h"][:, t] is what the rig shows at t, while current[:, t] is in force. Times are in steps.

Every protocol takes a rig, scalar or vector, wrapped or not, whose lanes it leaves as they are; or
anything that `UnitRigEnv` takes as `network`, which then stands for `UnitRigEnv(network)`. For
isolated units give `UnitRigEnv(network, isolated=True)`. All start from h_0 = g_0 = 0.

A current (`amplitude`, `mean`, `std`) is one number for all units or, on a rig with `per_unit`,
one per unit, (N,).
"""

from dataclasses import dataclass

import gymnasium as gym
import numpy as np

from aru_keras.arguments import finite, whole
from aru_keras.envs.rig import UnitRigVectorEnv

START, DURATION, STEPS = 200, 200, 600
"""Quiet, stimulated, quiet: 200 steps each."""


@dataclass(frozen=True, eq=False)
class Response:
    """What units did under a current.

    Attributes:
        current: ξ, (R, T, 1), or (R, T, N) on a rig with `per_unit`, for R repeats.
        signals: By name, "a", "n", "s", "h", (R, T, N) each; "a" and "h" of units without n and s.
    """

    current: np.ndarray
    signals: dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class FICurve:
    """What K constant currents make of each unit.

    Attributes:
        currents: (K,).
        onset: h at t = 1, the first step under the current, (K, N).
        h: Mean over the last `settle` steps, (K, N); so are n and s. A mean need not be a rest:
            isolated units can cycle, and connected ones seldom settle.
        swing: Standard deviation of h over those steps, (K, N); 0 where h has settled.
        n: None for units without n and s.
        s: Likewise.
    """

    currents: np.ndarray
    onset: np.ndarray
    h: np.ndarray
    swing: np.ndarray
    n: np.ndarray | None
    s: np.ndarray | None


def f_i_curve(rig, currents, steps: int = 300, settle: int = 100) -> FICurve:
    """The f–I curve of every unit: constant currents, each from the initial state.

    Args:
        rig: As above.
        currents: K currents, (K,), each into all units.
        steps: Number of steps under the current.
        settle: Number of steps at the end to take the mean over.

    Raises:
        ValueError: If `currents` is no list of finite numbers, or `settle` is above `steps`.
    """
    rig = _lanes(rig)
    currents = _checked_currents(currents)
    steps, settle = whole("steps", steps, 1), whole("settle", settle, 1)
    if settle > steps:
        raise ValueError(
            f"`settle` must be at most `steps` = {steps}: it is the end of them. "
            f"Received: {settle}."
        )
    found = _response(rig, np.repeat(currents[:, None, None], steps, axis=1)).signals
    means = {name: values[:, -settle:].mean(axis=1) for name, values in found.items()}
    return FICurve(
        currents=currents,
        onset=found["h"][:, 1],
        h=means["h"],
        swing=found["h"][:, -settle:].std(axis=1),
        n=means.get("n"),
        s=means.get("s"),
    )


def step_response(
    rig, amplitude, start: int = START, duration: int = DURATION, steps: int = STEPS
) -> Response:
    """A current switched on for a while; one repeat.

    Args:
        rig: As above.
        amplitude: ξ_t for start ≤ t < start + duration, elsewhere 0.
        start: First step with the current, at least 1.
        duration: Number of steps with it; cut at the end.
        steps: Number of steps.

    Raises:
        ValueError: If a value is out of its range or the current would never be on.
    """
    rig = _lanes(rig)
    amplitude = _checked_current("amplitude", amplitude, rig)
    inside = _window(start, duration, whole("steps", steps, 1))
    return _response(rig, (inside[:, None] * amplitude)[None])


def noise_response(
    rig,
    std,
    mean=0.0,
    start: int = START,
    duration: int = DURATION,
    steps: int = STEPS,
    repeats: int = 1,
    seed: int = 0,
    background: float = 0.0,
) -> Response:
    """Gaussian noise switched on for a while, drawn for each repeat and step.

    On a rig with `per_unit` it is drawn for each unit too, else all units get the same. The gain
    scaling of the paper (Fig 3b) takes `background=0.01`. The first repeats do not change when
    there are more of them.

    Args:
        rig: As above.
        std: Standard deviation for start ≤ t < start + duration.
        mean: Mean there.
        start: First step with it, at least 1.
        duration: Number of steps with it; cut at the end.
        steps: Number of steps.
        repeats: Number of repeats R.
        seed: Of the noise.
        background: Standard deviation elsewhere, around 0.

    Raises:
        ValueError: If a value is out of its range or the noise would never be on.
    """
    rig = _lanes(rig)
    std, mean = _checked_current("std", std, rig, 0), _checked_current("mean", mean, rig)
    background = finite("background", background, 0)
    inside = _window(start, duration, whole("steps", steps, 1))[:, None]
    shape = (whole("repeats", repeats, 1), steps, *rig.single_action_space.shape)
    draws = np.random.default_rng(whole("seed", seed, 0)).standard_normal(shape)
    return _response(rig, inside * mean + draws * np.where(inside, std, background))


def sinusoid_response(
    rig, amplitude, period: float, mean=0.0, phase: float = 0.0, steps: int = STEPS
) -> Response:
    """A current that oscillates: ξ_t = mean + amplitude·sin(2πt/period + phase); one repeat.

    Args:
        rig: As above.
        amplitude: Of the oscillation.
        period: In steps, above 0.
        mean: Of the current.
        phase: In radians.
        steps: Number of steps.

    Raises:
        ValueError: If a value is out of its range.
    """
    rig = _lanes(rig)
    amplitude, mean = (
        _checked_current(name, value, rig)
        for name, value in (("amplitude", amplitude), ("mean", mean))
    )
    if finite("period", period, 0) == 0:
        raise ValueError(f"`period` must be above 0 steps. Received: {period!r}.")
    t = np.arange(1, whole("steps", steps, 1) + 1)[:, None]
    angle = 2 * np.pi * t / period + finite("phase", phase)
    return _response(rig, (mean + amplitude * np.sin(angle))[None])


def waveform_response(rig, waveform) -> Response:
    """A current of one's own, from t = 1 on; a repeat for each waveform.

    Args:
        rig: As above.
        waveform: ξ_1 … ξ_steps, (steps,) into all units; (R, steps) for R repeats; or (R, steps, N)
            with a current per unit on a rig with `per_unit`.

    Raises:
        ValueError: If it is no such array of finite numbers.
    """
    rig = _lanes(rig)
    return _response(rig, _checked_waveform(waveform, rig))


def _lanes(rig):
    """The vector form of a rig, or of one around a network."""
    if not isinstance(rig, gym.Env | gym.vector.VectorEnv):
        return UnitRigVectorEnv(1, rig)
    lanes = getattr(rig.unwrapped, "lanes", rig.unwrapped)
    if not isinstance(lanes, UnitRigVectorEnv):
        raise ValueError(
            "`rig` must be a unit rig, or a network. "
            f"Received: {rig}. Make one with gym.make('aru/UnitRig-v0', network=…)."
        )
    return lanes


def _response(rig, current):
    """The response to ξ_1 … ξ_steps, (R, steps, 1 or N), after a step without current."""
    width = rig.single_action_space.shape[0]
    current = np.broadcast_to(current, (*current.shape[:2], width))
    current = np.pad(current, ((0, 0), (1, 0), (0, 0))).astype(np.float32)
    return Response(current, rig.respond(current))


def _window(start, duration, steps):
    """Whether each of t = 1 … steps lies inside, (steps,) bool."""
    start = whole("start", start, 1, hint="At t = 0 the rig is reset, without current.")
    duration = whole("duration", duration, 1)
    if start > steps:
        raise ValueError(
            f"`start` must be at most `steps` = {steps}, or nothing happens. Received: {start}."
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


def _checked_currents(currents):
    values = np.asarray(currents)
    valid = values.ndim == 1 and len(values) and values.dtype.kind in "iuf"
    if not valid or not _finite(values):
        raise ValueError(
            f"`currents` must be one or more finite numbers, (K,). Received: {currents!r}."
        )
    return values.astype(np.float32)
