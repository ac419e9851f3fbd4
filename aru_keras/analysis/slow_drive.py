"""Responses to slow periodic drives: phase, gain and time constants over the period.

The response of a unit of fractional order α to a sinusoid has the phase lead −απ/2 at every period,
so the response of a unit that differentiates (α < 0) leads the drive. After each step of a square
wave the unit relaxes with a time constant that grows with the period, like neurons of the neocortex
(Lundstrom, Higgs, Spain and Fairhall, Nature Neuroscience 2008). The authors of Geadah et al. 2024
apply such drives in their scripts; the paper has no figure of them.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import ArrayLike

from aru_keras._util.arguments import (
    LARGEST_SIZE,
    array,
    check_built,
    finite,
    flag,
    one_of,
    whole,
    wholes,
)
from aru_keras._util.deprecated import renamed
from aru_keras.analysis import fitting
from aru_keras.analysis._checks import is_constant
from aru_keras.probing import Record, Recorder, load_network, recurrent_layer

SLOW_PERIODS = (25, 50, 100, 200, 400)
"""Periods in steps (our choice)."""

SLOW_CYCLES = 4
"""Number of cycles. The first is left out of the measurement, because it is a transient."""


@dataclass(frozen=True)
class Phase:
    """The response to a sinusoid.

    Attributes:
        gain: Ratio of the amplitudes of response and drive; 0 if the response is constant.
        lead: Phase lead of the response in radians, in (−π, π]; 0 if the response is constant.
        r_squared: Share of the response's variance that the sinusoid explains; None if the response
            is constant.
    """

    gain: float
    lead: float
    r_squared: float | None

    @property
    def order(self) -> float:
        """The order α = −2·lead/π of a fractional integrator with this phase lead."""
        return -2 * self.lead / np.pi


def sinusoid(period: int, amplitude: float, cycles: int = SLOW_CYCLES) -> np.ndarray:
    """The sinusoidal drive ξ_t = A·(1 + sin(2πt/P))/2 ≥ 0, (T,), with T = P·cycles.

    Raises:
        ValueError: An argument is out of its range.
    """
    t = _steps(period, cycles)
    return finite("amplitude", amplitude) * (1 + np.sin(2 * np.pi * t / period)) / 2


def square_wave(period: int, amplitude: float, cycles: int = SLOW_CYCLES) -> np.ndarray:
    """The square wave ξ_t, (T,), T = P·cycles: 0 in the first half of a period, A in the second.

    Raises:
        ValueError: An argument is out of its range.
    """
    t = _steps(period, cycles)
    return np.where(t % period < period // 2, 0.0, finite("amplitude", amplitude))


WAVES = {"sinusoid": sinusoid, "square": square_wave}


def phase(response: ArrayLike, drive: ArrayLike, period: int) -> Phase:
    """The phase lead and gain of a response to a sinusoidal drive, by least squares.

    Args:
        response: Response over whole periods, (T,).
        drive: Sinusoidal drive ξ, (T,).
        period: Period P in steps.

    Raises:
        ValueError: The lengths differ or are not a whole number of periods, a value is not finite,
            or the drive does not have this period.
    """
    period = whole("period", period, 3)
    response, drive = (_checked(name, signal, period) for name, signal in _named(response, drive))
    if len(response) != len(drive):
        raise ValueError(
            "`response` must have as many steps as `drive`. Received: "
            f"{len(response)} and {len(drive)} steps. Leave the same periods out of both."
        )
    angle = 2 * np.pi * np.arange(len(drive)) / period
    # Sine, cosine and constant are orthogonal over whole periods.
    wave = np.exp(-1j * angle)
    ours, theirs = (2 * (signal * wave).mean() for signal in (response, drive))
    if not abs(theirs) > 1e-12 * np.abs(drive).max():
        raise ValueError(f"`drive` must have the period {period}. Received: a drive without it.")
    if is_constant(response):
        return Phase(0.0, 0.0, None)
    ratio, share = ours / theirs, float(abs(ours) ** 2 / 2 / response.var())
    return Phase(float(abs(ratio)), float(np.angle(ratio)), share)


def relaxation(response: ArrayLike, period: int) -> fitting.Fit:
    """The decay after the upward step of a square wave, averaged over all cycles but the first.

    Args:
        response: Response over whole periods, (T,).
        period: Period P in steps.

    Returns:
        The fit of a·exp(−t/τ) + c to the second half of the period, or the reason why it failed.

    Raises:
        ValueError: The length is not a whole number of periods, or a value is not finite.
    """
    period = whole("period", period, 3)
    response = _checked("response", response, period)
    cycles = response.reshape(-1, period)
    up = cycles[min(1, len(cycles) - 1) :, period // 2 :].mean(axis=0)
    return fitting.fit_decay(np.arange(len(up)), up)


def slow_responses(
    network: keras.layers.Layer | str | os.PathLike,
    wave: str,
    amplitude: float,
    periods: Sequence[int] = SLOW_PERIODS,
    *,
    signal: str = "h",
    isolated: bool = False,
    cycles: int = SLOW_CYCLES,
) -> dict[int, np.ndarray]:
    """The mean response of a network's units to a slow drive without input, by period.

    Args:
        network: Layer, model or folder of a run, as in `probing.record`.
        wave: Name of a waveform in `WAVES`.
        amplitude: Amplitude A, the largest ξ.
        periods: Periods P in steps.
        signal: Name of a signal of the network, such as "h" or "n".
        isolated: Whether each unit receives recurrent input only from itself.
        cycles: Number of periods in a drive, at least two.

    Returns:
        Means over units, (P·cycles,) each, by period.

    Raises:
        ValueError: An argument is out of its range, or the network lacks the signal or is not
            built.
    """
    make = WAVES[one_of("wave", wave, WAVES)]
    periods, cycles = wholes("periods", periods, 3), whole("cycles", cycles, 2)
    isolated = flag("isolated", isolated)
    layer = recurrent_layer(load_network(network))
    check_built(layer)
    signal = one_of("signal", signal, layer.cell.signal_sizes)
    record = Recorder(layer, Record(signal, isolated=isolated))
    responses = {}
    for period in periods:
        drive = make(period, amplitude, cycles)
        silence = np.zeros((1, len(drive), layer.cell.kernel.shape[0]), "float32")
        recorded = record(silence, drive[None, :, None].astype("float32"))[signal]
        responses[int(period)] = recorded[0].mean(axis=-1, dtype="float64")
    return responses


def phases(
    responses: dict[int, np.ndarray], amplitude: float, cycles: int = SLOW_CYCLES
) -> dict[int, Phase]:
    """The `Phase` of `slow_responses` to the sinusoid, by period, without the first cycle."""
    return {
        period: phase(response[period:], sinusoid(period, amplitude, cycles)[period:], period)
        for period, response in responses.items()
    }


def _steps(period, cycles):
    period, cycles = whole("period", period, 3), whole("cycles", cycles, 1)
    if period * cycles > LARGEST_SIZE:
        raise ValueError(
            f"`period` must give at most {LARGEST_SIZE} steps. Received: {period} steps in "
            f"{cycles} `cycles`."
        )
    return np.arange(period * cycles)


def _named(response, drive):
    return (("response", response), ("drive", drive))


def _checked(name, values, period):
    values = array(name, values, ("T",))
    if len(values) % period:
        raise ValueError(
            f"`{name}` must be (T,), of whole periods of {period} steps. Received: shape "
            f"{values.shape}. Choose another `period`."
        )
    return values


__getattr__ = renamed(__name__, {"PERIODS": "SLOW_PERIODS", "CYCLES": "SLOW_CYCLES"})
