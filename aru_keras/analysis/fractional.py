"""Fractional differentiation: D^α of a signal, and the order α of a response to a drive.

A response h ≈ D^(−α)[ξ] to a step ξ has order α: with α > 0 the unit integrates (it sensitises),
with α < 0 it differentiates (it adapts), with 0 it follows (Geadah et al. 2024, Fig 4b–d, 9–12; the
sign is that of its results and figures).

The paper's estimate is "periodic": D^α by Fourier transform, as if the recording went round. What
is carried from its end to its beginning biases α: causal responses with α from −1 to 0.7 read as up
to 0.07 more, with α = 0.9 as 0.83, and a plain cumulative sum, α = 1, as 0.85. "causal" has neither
fault.
"""

from dataclasses import dataclass

import numpy as np

from aru_keras.analysis.golden_section import golden_section
from aru_keras.arguments import array, flag, one_of, shown, whole, wholes

WINDOW = (80, 220)
"""Steps first ≤ t < last over which response and drive are compared, of the paper's 300."""

BASELINE = 25
"""The step whose value is taken as rest."""

RANGE = (-1.0, 1.0)
"""Orders that are searched."""

ORDERS = tuple(np.linspace(*RANGE, 101).tolist())
"""Orders at which the error is drawn."""

ADEQUATE = 0.5
"""R² from which on an order describes a response."""

LARGEST_ORDER = 10.0
"""Of `fractional_derivative`, either way: beyond it rounding is all that would be left."""

_GRID_STEP = 0.02
_REFINEMENTS = 30  # Of a bracket of two grid steps: to 2e-8.

CONSTANT = 1e-6
"""Range of a response, relative to its size, up to which it is constant as far as float32 says."""


@dataclass(frozen=True, eq=False)
class FractionalOrder:
    """The order of each of N responses.

    Attributes:
        alpha: (N,); NaN where the fit failed.
        gain: (N,), c of c·D^α[h] ≈ ξ; 1 unless it was free, NaN where the fit failed.
        error: (N,), the mean square of c·D^α[h] − ξ in the window; NaN where the fit failed.
        fitted: (N,), False where a response is constant and has no order.
        variance: Of ξ in the window.
    """

    alpha: np.ndarray
    gain: np.ndarray
    error: np.ndarray
    fitted: np.ndarray
    variance: float

    @property
    def r_squared(self) -> np.ndarray:
        """1 − error/variance, (N,): 1 where c·D^α[h] is the drive, 0 where a constant is as near.

        With c = 1 a response much larger or smaller than the drive has no order that describes it.
        """
        return 1 - self.error / self.variance

    @property
    def adequate(self) -> np.ndarray:
        """Where an order describes the response, (N,): R² above `ADEQUATE`, 0.5, and c > 0."""
        return self.fitted & (self.r_squared > ADEQUATE) & (self.gain > 0)

    @property
    def at_bound(self) -> np.ndarray:
        """Whether the best order lies at an end of `RANGE`, and perhaps beyond, (N,)."""
        low, high = RANGE
        return (self.alpha < low + 1e-6) | (self.alpha > high - 1e-6)

    @property
    def integrating(self) -> float:
        """The share of fitted responses with α > 0."""
        return self._share(self.alpha > 0)

    @property
    def differentiating(self) -> float:
        """The share of fitted responses with α < 0."""
        return self._share(self.alpha < 0)

    def _share(self, which):
        if not self.fitted.any():
            raise ValueError("There is no share of responses: none has an order, all are constant.")
        return float(which.sum() / self.fitted.sum())


def fractional_derivative(signal, alpha, method: str = "periodic", baseline: int = 0) -> np.ndarray:
    """D^α of signals, the integral of order −α where α < 0; per step^α.

    Args:
        signal: (T,) or (T, N).
        alpha: α, a number or (N,), from −10 to 10.
        method: "periodic": by Fourier transform with (2πif)^α, 0 at f = 0. "causal": by Grünwald
            and Letnikov's sum over the past, (1 − z⁻¹)^α, of the departure from the value at
            `baseline`, with nothing before it.
        baseline: A step; the result is 0 there.

    Raises:
        ValueError: a shape does not fit, or a value is not finite.
    """
    signal = _checked("signal", signal)
    columns = signal.reshape(len(signal), -1)
    take = METHODS[one_of("method", method, METHODS)]
    derivative = take(columns, _checked_step(baseline, len(signal)))
    low, high = -LARGEST_ORDER, LARGEST_ORDER
    what = f"a number from {low:g} to {high:g}, or one for each of the {columns.shape[1]} signals"
    alpha = array("alpha", alpha, (), (1,), (columns.shape[1],), least=low, most=high, what=what)
    return derivative(alpha).reshape(signal.shape)


def fractional_order(
    response,
    drive,
    *,
    free_gain: bool = False,
    method: str = "periodic",
    window: tuple[int, int] = WINDOW,
    baseline: int = BASELINE,
) -> FractionalOrder:
    """The order α in [−1, 1] for which D^α of a response comes nearest to the drive.

    Args:
        response: h, or any response, (T, N) or (T,), best a mean over repeats.
        drive: ξ, (T,).
        free_gain: Fit c·D^α[h], with c by least squares. With c = 1, the paper's choice, a plain
            gain looks like an order: h = 0.2·ξ reads as −0.37 and h = 5·ξ as +0.39.
        method: "periodic", the paper's, or "causal": see `fractional_derivative`.
        window: First step compared, and the one after the last.
        baseline: Step at rest, before the drive.

    Returns:
        Orders of shape (N,), N = 1 for a response (T,).

    Raises:
        ValueError: a shape or the window does not fit, a value is not finite, or the drive does not
            vary in the window.
    """
    response, target, misfit = _problem(response, drive, free_gain, method, window, baseline)
    alpha = _minimum(lambda alpha: misfit(alpha)[0])
    error, gain = misfit(alpha)
    fitted = np.ptp(response, axis=0) > CONSTANT * np.abs(response).max(axis=0)
    alpha, gain, error = (np.where(fitted, value, np.nan) for value in (alpha, gain, error))
    return FractionalOrder(alpha, gain, error, fitted, float(target.var()))


def errors_over_orders(
    response,
    drive,
    orders=ORDERS,
    *,
    free_gain: bool = False,
    method: str = "periodic",
    window: tuple[int, int] = WINDOW,
    baseline: int = BASELINE,
) -> np.ndarray:
    """The mean square of c·D^α[h] − ξ for given α: what `fractional_order` minimises (Figs 10–12).

    Args:
        response: As in `fractional_order`.
        drive: As in `fractional_order`.
        orders: α, (K,).
        free_gain: As in `fractional_order`.
        method: As in `fractional_order`.
        window: As in `fractional_order`.
        baseline: As in `fractional_order`.

    Returns:
        Errors, (K, N), N = 1 for a response (T,).

    Raises:
        ValueError: as `fractional_order`.
    """
    *_, misfit = _problem(response, drive, free_gain, method, window, baseline)
    orders = array("orders", orders, ("K",), least=-LARGEST_ORDER, most=LARGEST_ORDER)
    return np.array([misfit(alpha)[0] for alpha in orders])


def _problem(response, drive, free_gain, method, window, baseline):
    """The responses (T, N), the drive in the window (W, 1), and the error and gain of an α."""
    response, free_gain = _checked("response", response), flag("free_gain", free_gain)
    response = response.reshape(len(response), -1)
    inside = _checked_window(window, len(response))
    target = _checked_drive(drive, len(response))[inside, None]
    if not np.ptp(target):
        raise ValueError(
            f"`drive` must vary for {window[0]} ≤ t < {window[1]}. Received: the constant "
            f"{target[0, 0]}. There is no order without a drive: leave ξ = 0 out."
        )
    baseline = _checked_step(baseline, len(response))
    derivative = METHODS[one_of("method", method, METHODS)](response, baseline)

    def misfit(alpha):
        return _misfit(derivative(alpha)[inside], target, free_gain)

    return response, target, misfit


def _periodic(signal, baseline):
    """D^α of (T, N) as a function of α, a number or (N,)."""
    steps = len(signal)
    spectrum = np.fft.rfft(signal, axis=0)[1:]
    logarithm = np.log(2j * np.pi * np.fft.rfftfreq(steps)[1:, None])

    def derivative(alpha):
        changed = np.exp(alpha * logarithm) * spectrum
        found = np.fft.irfft(np.concatenate([np.zeros_like(changed[:1]), changed]), steps, axis=0)
        return found - found[baseline]

    return derivative


def _causal(signal, baseline):
    """Like `_periodic`, by sums over the past."""
    steps = len(signal)
    departure = signal - signal[baseline]
    departure[:baseline] = 0
    spectrum = np.fft.rfft(departure, 2 * steps, axis=0)
    lags = np.arange(1, steps)[:, None]

    def derivative(alpha):
        factors = (lags - 1 - alpha) / lags
        weights = np.cumprod(np.concatenate([np.ones_like(factors[:1]), factors]), axis=0)
        # In twice the length nothing goes round.
        spread = np.fft.rfft(weights, 2 * steps, axis=0) * spectrum
        return np.fft.irfft(spread, 2 * steps, axis=0)[:steps]

    return derivative


METHODS = {"periodic": _periodic, "causal": _causal}
"""Ways to take D^α, by name."""


def _misfit(found, target, free_gain):
    """The mean square of c·found − target over time, and c, (N,) each."""
    gain = np.ones(found.shape[1])
    if free_gain:
        power = np.sum(found**2, axis=0)
        gain = np.sum(found * target, axis=0) / np.where(power > 0, power, 1.0)
    return np.mean((gain * found - target) ** 2, axis=0), gain


def _minimum(function):
    """argmin over `RANGE` of a function of α, (N,): the best on a grid, then by golden section."""
    low, high = RANGE
    grid = np.linspace(low, high, round((high - low) / _GRID_STEP) + 1)
    best = grid[np.argmin([function(alpha) for alpha in grid], axis=0)]
    low, high = np.clip(best - _GRID_STEP, low, high), np.clip(best + _GRID_STEP, low, high)
    return golden_section(function, low, high, _REFINEMENTS)


def _checked(argument, signal):
    what = "(T,) or (T, N), of 2 steps or more, and finite"
    signal = array(argument, signal, ("T",), ("T", "N"), what=what)
    if len(signal) < 2:
        raise ValueError(f"`{argument}` must be {what}. Received: shape {signal.shape}.")
    return signal


def _checked_drive(drive, steps):
    what = f"({steps},), like the time of `response`, and finite"
    return array("drive", drive, (steps,), what=what)


def _checked_step(baseline, steps):
    if whole("baseline", baseline, 0) >= steps:
        raise ValueError(f"`baseline` must be a step below T = {steps}. Received: {baseline}.")
    return baseline


def _checked_window(window, steps):
    try:
        first, last = wholes("window", window, 0)
        fits = first < last <= steps
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"`window` must be (first, last), 0 ≤ first < last ≤ T = {steps}. Received: "
            f"{shown(window)}."
        )
    return slice(first, last)
