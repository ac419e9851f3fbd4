"""Responses to slow periodic drives: what leads them, and whether time constants follow the period.

A unit of fractional order α responds to a sinusoid of any period with the same phase, −απ/2: one
that differentiates (α < 0) leads it. After each step of a square wave it relaxes with a time
constant that grows with the period, as neurons of the neocortex do (Lundstrom, Higgs, Spain and
Fairhall, Nature Neuroscience 2008). The authors of Geadah et al. 2024 drive their networks so in
their scripts; the paper has no figure of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aru_keras.analysis import fitting
from aru_keras.arguments import LARGEST_SIZE, array, finite, flag, one_of, whole, wholes
from aru_keras.probing import Record, Recorder, load_network, recurrent_layer

PERIODS = (25, 50, 100, 200, 400)
"""Steps; our choice."""

CYCLES = 4
"""Of which the first, in which the network still starts, is not measured."""


@dataclass(frozen=True)
class Phase:
    """The response to a sinusoid.

    Attributes:
        gain: Amplitude of the response over that of the drive.
        lead: Phase by which the response leads, radians in (−π, π].
        r_squared: Share of the response's variance that the sinusoid explains; None where it is
            constant.
    """

    gain: float
    lead: float
    r_squared: float | None

    @property
    def order(self) -> float:
        """α of a fractional integrator with this phase at every period, −2·lead/π."""
        return -2 * self.lead / np.pi


def sinusoid(period: int, amplitude: float, cycles: int = CYCLES) -> np.ndarray:
    """ξ_t = A·(1 + sin(2πt/P))/2, (T,), T = P·cycles: never below 0, as the other drives.

    Raises:
        ValueError: An argument is out of its range.
    """
    t = _steps(period, cycles)
    return finite("amplitude", amplitude) * (1 + np.sin(2 * np.pi * t / period)) / 2


def square_wave(period: int, amplitude: float, cycles: int = CYCLES) -> np.ndarray:
    """ξ_t of 0 in the first half of every period, and of A in the second, (T,); T = P·cycles.

    Raises:
        ValueError: An argument is out of its range.
    """
    t = _steps(period, cycles)
    return np.where(t % period < period // 2, 0.0, finite("amplitude", amplitude))


WAVES = {"sinusoid": sinusoid, "square": square_wave}


def phase(response: Sequence[float], drive: Sequence[float], period: int) -> Phase:
    """Phase and gain of a response against a drive of this period, by least squares.

    Args:
        response: (T,), of whole periods.
        drive: ξ, (T,), a sinusoid.
        period: P, in steps.

    Raises:
        ValueError: The lengths differ or are no whole number of periods, a value is not finite, or
            the drive does not have this period.
    """
    period = whole("period", period, 3)
    response, drive = (_checked(name, one, period) for name, one in _named(response, drive))
    angle = 2 * np.pi * np.arange(len(drive)) / period
    # Over whole periods sine, cosine and constant are orthogonal.
    wave = np.exp(-1j * angle)
    ours, theirs = (2 * (one * wave).mean() for one in (response, drive))
    if not abs(theirs) > 1e-12 * np.abs(drive).max():
        raise ValueError(f"`drive` must have the period {period}. Received: none of it.")
    ratio, variance = ours / theirs, response.var()
    share = None if variance == 0 else float(abs(ours) ** 2 / 2 / variance)
    return Phase(float(abs(ratio)), float(np.angle(ratio)), share)


def relaxation(response: Sequence[float], period: int) -> fitting.Fit:
    """The decay after the steps up of a square wave, on average over the cycles after the first.

    Args:
        response: (T,), of whole periods.
        period: P, in steps.

    Returns:
        a·exp(−t/τ) + c in the second half of the period; a fit that failed says why.

    Raises:
        ValueError: As `phase`.
    """
    period = whole("period", period, 3)
    response = _checked("response", response, period)
    cycles = response.reshape(-1, period)
    up = cycles[min(1, len(cycles) - 1) :, period // 2 :].mean(axis=0)
    return fitting.decay(np.arange(len(up)), up)


def slow_responses(
    network,
    wave: str,
    amplitude: float,
    periods: Sequence[int] = PERIODS,
    *,
    signal: str = "h",
    isolated: bool = False,
    cycles: int = CYCLES,
) -> dict[int, np.ndarray]:
    """The mean response of a network's units to a slow drive without input, by period.

    Args:
        network: As in `probing.record`.
        wave: Name in `WAVES`.
        amplitude: A, the largest ξ.
        periods: P, in steps.
        signal: "h", "n" or another one of the network's.
        isolated: Whether each unit hears only itself.
        cycles: Periods in a drive, two at the least.

    Returns:
        Means over units, (P·cycles,) each.

    Raises:
        ValueError: An argument is out of its range, or the network lacks the signal.
    """
    make = WAVES[one_of("wave", wave, WAVES)]
    periods, cycles = wholes("periods", periods, 3), whole("cycles", cycles, 2)
    isolated = flag("isolated", isolated)
    layer = recurrent_layer(load_network(network))
    signal = one_of("signal", signal, layer.cell.signal_sizes)
    record = Recorder(layer, Record(signal, isolated=isolated))
    found = {}
    for period in periods:
        drive = make(period, amplitude, cycles)
        silence = np.zeros((1, len(drive), layer.cell.kernel.shape[0]), "float32")
        recorded = record(silence, drive[None, :, None].astype("float32"))[signal]
        found[int(period)] = recorded[0].mean(axis=-1, dtype="float64")
    return found


def phases(
    responses: dict[int, np.ndarray], amplitude: float, cycles: int = CYCLES
) -> dict[int, Phase]:
    """Phase and gain of `slow_responses` to the sinusoid, by period, without the first cycle."""
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
