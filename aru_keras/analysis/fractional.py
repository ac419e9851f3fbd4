"""Fractional differentiation: D^α of a signal, and the order α of a response to a drive.

A response h ≈ D^(−α)[ξ] to a step ξ has order α. With α > 0 the unit integrates (it sensitizes),
with α < 0 it differentiates (it adapts), and with α = 0 it follows the drive (Geadah et al. 2024,
Fig 4b–d, 9–12; the sign of α is that of the paper's results and figures).

The paper's estimate, "periodic", takes the recording for a period of a periodic signal, which
biases α: for causal responses with α from −1 to 0.7 it is up to 0.07 too large, for α = 0.9 it is
0.83, and for a plain cumulative sum (α = 1) it is 0.85. The estimate "causal" has no such bias.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from aru_keras._util.arguments import array, flag, one_of, whole
from aru_keras._util.deprecated import renamed
from aru_keras.analysis._checks import checked_window
from aru_keras.analysis._golden_section import golden_section
from aru_keras.analysis.comparison import compared_steps

FIT_WINDOW, BASELINE = (80, 220), 25
"""Window and step of rest that `compared_steps` gives for the paper's drive."""

ORDER_RANGE = (-1.0, 1.0)
"""Smallest and largest order of the search."""

ORDERS = tuple(np.linspace(*ORDER_RANGE, 101).tolist())
"""Orders at which figures show the error."""

ADEQUATE = 0.5
"""R² above which an order counts as describing a response."""

LARGEST_ORDER = 10.0
"""Largest |α| of `fractional_derivative`; beyond it only rounding errors would be left."""

_GRID_STEP = 0.02
_REFINEMENTS = 30  # They shorten a bracket of two grid steps to 2e-8.
_CONSTANT = 1e-6  # Largest range, relative to its size, of a response constant in float32.


@dataclass(frozen=True, eq=False)
class FractionalOrder:
    """The order of each of N responses.

    Attributes:
        alpha: Orders α, (N,); NaN where the fit failed.
        gain: Gains c of c·D^α[h] ≈ ξ, (N,); 1 unless the gain was free, NaN where the fit failed.
        error: Mean square of c·D^α[h] − ξ in the window, (N,); NaN where the fit failed.
        fitted: Whether the response has an order, (N,); a constant response has none.
        variance: Variance of ξ in the window.
    """

    alpha: np.ndarray
    gain: np.ndarray
    error: np.ndarray
    fitted: np.ndarray
    variance: float

    @property
    def r_squared(self) -> np.ndarray:
        """R² = 1 − error/variance, (N,).

        It is 1 if c·D^α[h] equals the drive, and 0 if c·D^α[h] is no nearer to it than a constant.
        With c = 1, no order describes a response that is much larger or smaller than the drive.
        """
        return 1 - self.error / self.variance

    @property
    def adequate(self) -> np.ndarray:
        """Whether the order describes the response, (N,): R² above `ADEQUATE` (0.5), and c > 0."""
        return self.fitted & (self.r_squared > ADEQUATE) & (self.gain > 0)

    @property
    def at_bound(self) -> np.ndarray:
        """Whether the order is at an end of `ORDER_RANGE`; the best may lie beyond it, (N,)."""
        low, high = ORDER_RANGE
        return (self.alpha < low + 1e-6) | (self.alpha > high - 1e-6)

    @property
    def integrating(self) -> float:
        """The share of the fitted responses with α > 0."""
        return self._share(self.alpha > 0)

    @property
    def differentiating(self) -> float:
        """The share of the fitted responses with α < 0."""
        return self._share(self.alpha < 0)

    def _share(self, which):
        if not self.fitted.any():
            raise ValueError("All responses are constant, so there is no share with an order.")
        return float(which.sum() / self.fitted.sum())


def fractional_derivative(
    signal: ArrayLike, alpha: ArrayLike, method: str = "periodic", baseline: int = 0
) -> np.ndarray:
    """The fractional derivative D^α of signals; for α < 0 the fractional integral of order −α.

    Args:
        signal: Signals (T,) or (T, N), with a time step of 1.
        alpha: Order α, a number or (N,), from −10 to 10.
        method: Name of the method. "periodic" multiplies the Fourier transform by (2πif)^α, and by
            0 at f = 0. "causal" is the Grünwald–Letnikov sum over the past, (1 − z⁻¹)^α, of the
            difference from the value at `baseline`; before that step the difference counts as 0.
        baseline: Step at which the result is 0.

    Raises:
        ValueError: A shape does not fit, or a value is not finite.
    """
    signal = _checked("signal", signal)
    columns = signal.reshape(len(signal), -1)
    take = DERIVATIVE_METHODS[one_of("method", method, DERIVATIVE_METHODS)]
    derivative = take(columns, _checked_step(baseline, len(signal)))
    count, low, high = columns.shape[1], -LARGEST_ORDER, LARGEST_ORDER
    expected = f"a number from {low:g} to {high:g}, or one for each of the {count} signals"
    alpha = array("alpha", alpha, (), (1,), (count,), least=low, most=high, what=expected)
    return derivative(alpha).reshape(signal.shape)


def fractional_order(
    response: ArrayLike,
    drive: ArrayLike,
    *,
    free_gain: bool = False,
    method: str = "periodic",
    window: tuple[int, int] | None = None,
    baseline: int | None = None,
) -> FractionalOrder:
    """The order α in [−1, 1] for which D^α of a response is nearest to the drive.

    Args:
        response: Response h, or any other signal, (T, N) or (T,); best a mean over repeats.
        drive: Drive ξ, (T,).
        free_gain: Whether to fit c·D^α[h], with c by least squares. With the paper's c = 1, a gain
            looks like an order: h = 0.2·ξ gives −0.37, and h = 5·ξ gives +0.39.
        method: Name of the method of `fractional_derivative`, "periodic" (the paper's) or "causal".
        window: First step of the comparison, and the step after it; None: by `compared_steps`.
        baseline: Step before the drive at which the response is at rest; None: likewise.

    Returns:
        The orders, (N,), with N = 1 for a response (T,).

    Raises:
        ValueError: A shape or the window does not fit, or the drive is constant in the window.
    """
    response, target, misfit = _problem(response, drive, free_gain, method, window, baseline)
    alpha = _minimum(lambda alpha: misfit(alpha)[0])
    error, gain = misfit(alpha)
    fitted = np.ptp(response, axis=0) > _CONSTANT * np.abs(response).max(axis=0)
    alpha, gain, error = (np.where(fitted, value, np.nan) for value in (alpha, gain, error))
    return FractionalOrder(alpha, gain, error, fitted, float(target.var()))


def errors_over_orders(
    response: ArrayLike,
    drive: ArrayLike,
    orders: ArrayLike = ORDERS,
    *,
    free_gain: bool = False,
    method: str = "periodic",
    window: tuple[int, int] | None = None,
    baseline: int | None = None,
) -> np.ndarray:
    """The mean square of c·D^α[h] − ξ for given α, which `fractional_order` minimizes (Figs 10–12).

    Args:
        response: Response h, (T, N) or (T,).
        drive: Drive ξ, (T,).
        orders: Orders α, (K,).
        free_gain: Whether to fit the gain c, as in `fractional_order`.
        method: Name of the method of `fractional_derivative`.
        window: Window of the comparison, as in `fractional_order`.
        baseline: Step of rest, as in `fractional_order`.

    Returns:
        The errors, (K, N), with N = 1 for a response (T,).

    Raises:
        ValueError: As in `fractional_order`.
    """
    *_, misfit = _problem(response, drive, free_gain, method, window, baseline)
    orders = array("orders", orders, ("K",), least=-LARGEST_ORDER, most=LARGEST_ORDER)
    return np.array([misfit(alpha)[0] for alpha in orders])


def _problem(response, drive, free_gain, method, window, baseline):
    """The responses (T, N), the drive in the window (W, 1), and a function of α: error and gain."""
    response, free_gain = _checked("response", response), flag("free_gain", free_gain)
    response = response.reshape(len(response), -1)
    drive = _checked_drive(drive, len(response))
    around, rest = compared_steps(drive)
    window, baseline = (
        (around if window is None else window),
        (rest if baseline is None else baseline),
    )
    inside = checked_window(window, len(response))
    target = drive[inside, None]
    if not np.ptp(target):
        raise ValueError(
            f"`drive` must vary for {window[0]} ≤ t < {window[1]}. Received: the constant "
            f"{target[0, 0]}. There is no order without a drive: leave ξ = 0 out."
        )
    baseline = _checked_step(baseline, len(response))
    derivative = DERIVATIVE_METHODS[one_of("method", method, DERIVATIVE_METHODS)](
        response, baseline
    )

    def misfit(alpha):
        return _misfit(derivative(alpha)[inside], target, free_gain)

    return response, target, misfit


def _periodic(signal, baseline):
    """D^α of signals (T, N) as a function of α, a number or (N,)."""
    steps = len(signal)
    spectrum = np.fft.rfft(signal, axis=0)[1:]
    logarithm = np.log(2j * np.pi * np.fft.rfftfreq(steps)[1:, None])

    def derivative(alpha):
        changed = np.exp(alpha * logarithm) * spectrum
        whole_spectrum = np.concatenate([np.zeros_like(changed[:1]), changed])
        values = np.fft.irfft(whole_spectrum, steps, axis=0)
        return values - values[baseline]

    return derivative


def _causal(signal, baseline):
    """D^α as in `_periodic`, by sums over the past."""
    steps = len(signal)
    departure = signal - signal[baseline]
    departure[:baseline] = 0
    spectrum = np.fft.rfft(departure, 2 * steps, axis=0)
    lags = np.arange(1, steps)[:, None]

    def derivative(alpha):
        factors = (lags - 1 - alpha) / lags
        weights = np.cumprod(np.concatenate([np.ones_like(factors[:1]), factors]), axis=0)
        # With twice the length the convolution does not wrap around.
        product = np.fft.rfft(weights, 2 * steps, axis=0) * spectrum
        return np.fft.irfft(product, 2 * steps, axis=0)[:steps]

    return derivative


DERIVATIVE_METHODS = {"periodic": _periodic, "causal": _causal}
"""Methods of computing D^α, by name."""


def _misfit(derivative, target, free_gain):
    """The mean square of c·derivative − target over time, and c, (N,) each."""
    gain = np.ones(derivative.shape[1])
    if free_gain:
        power = np.sum(derivative**2, axis=0)
        gain = np.sum(derivative * target, axis=0) / np.where(power > 0, power, 1.0)
    return np.mean((gain * derivative - target) ** 2, axis=0), gain


def _minimum(function):
    """The α in `ORDER_RANGE` that minimizes a function, (N,): by a grid, then golden section."""
    low, high = ORDER_RANGE
    grid = np.linspace(low, high, round((high - low) / _GRID_STEP) + 1)
    best = grid[np.argmin([function(alpha) for alpha in grid], axis=0)]
    low, high = np.clip(best - _GRID_STEP, low, high), np.clip(best + _GRID_STEP, low, high)
    return golden_section(function, low, high, _REFINEMENTS)


def _checked(argument, signal):
    expected = "(T,) or (T, N), of 2 steps or more, and finite"
    signal = array(argument, signal, ("T",), ("T", "N"), what=expected)
    if len(signal) < 2:
        raise ValueError(f"`{argument}` must be {expected}. Received: shape {signal.shape}.")
    return signal


def _checked_drive(drive, steps):
    expected = f"({steps},), like the time of `response`, and finite"
    return array("drive", drive, (steps,), what=expected)


def _checked_step(baseline, steps):
    if whole("baseline", baseline, 0) >= steps:
        raise ValueError(f"`baseline` must be a step below T = {steps}. Received: {baseline}.")
    return baseline


__getattr__ = renamed(
    __name__,
    {
        "WINDOW": "FIT_WINDOW",
        "RANGE": "ORDER_RANGE",
        "CONSTANT": "_CONSTANT",
        "METHODS": "DERIVATIVE_METHODS",
    },
)
