"""Responses of the units to a step drive, connected and isolated, and their fractional orders.

Geadah et al. 2024, Fig 4b–d and 9–12: every unit gets an input of its own, constant but for noise,
and a drive ξ comes and goes. Isolated units hear only themselves, as in a slice experiment with the
synapses blocked.

Example::

    responses = step_responses(model, isolated=True)
    orders = fractional_orders(responses)  # {ξ: FractionalOrder}
    print(orders[5.0].differentiating)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from aru_keras.analysis.fitting import Fit, line
from aru_keras.analysis.fractional import (
    BASELINE,
    FractionalOrder,
    fractional_derivative,
    fractional_order,
)
from aru_keras.analysis.task_comparison import HIGH, LOW, TaskComparison, compare_tasks
from aru_keras.arguments import LARGEST_SIZE, array, finite, flag, instance, one_of, shown, whole
from aru_keras.perturbations import StepDrive
from aru_keras.probing import Record, Recorder, load_network, recurrent_layer

__all__ = [
    "DRIVES",
    "HIGH",
    "LOW",
    "SignalIntegral",
    "StepProtocol",
    "StepResponses",
    "TaskComparison",
    "compare_tasks",
    "fractional_orders",
    "population_alphas",
    "population_fits",
    "population_orders",
    "signal_integral",
    "step_responses",
]

DRIVES = (0.0, 1.0, 2.5, 5.0, 10.0, 15.0, 20.0)
"""The paper's ξ."""

_MADE = "step_responses makes them."


@dataclass(frozen=True)
class StepProtocol:
    """Inputs and drive of the experiment.

    Attributes:
        timesteps: T.
        start: t0; the drive acts where t0 < t < t0 + τ.
        duration: τ.
        repeats: With fresh inputs and noise each; responses are means over them.
        mean: Of the units' inputs.
        deviation: Standard deviation of the units' inputs, drawn once a repeat.
        noise: Standard deviation of what is added to an input, afresh at every step.
        seed: Of all draws. They are the same for every ξ.

    Raises:
        ValueError: a value is out of its range.
    """

    timesteps: int = 300
    start: int = 101
    duration: int = 101
    repeats: int = 10
    mean: float = 0.8
    deviation: float = 0.1
    noise: float = 0.1
    seed: int = 0

    def __post_init__(self):
        for name, least in (("timesteps", 2), ("repeats", 1)):
            whole(name, getattr(self, name), least, most=LARGEST_SIZE)
        whole("seed", self.seed, 0)
        for name in ("deviation", "noise"):
            finite(name, getattr(self, name), least=0)
        finite("mean", self.mean)
        self.drive(0.0)

    def drive(self, amplitude: float) -> np.ndarray:
        """ξ at every step, (T,)."""
        drive = np.zeros(self.timesteps)
        window = StepDrive(amplitude, self.start, self.duration).window(self.timesteps)
        drive[window.start : window.stop] = amplitude
        return drive

    def inputs(self, units: int) -> np.ndarray:
        """x of every unit, (repeats, T, N)."""
        draws = np.random.default_rng(self.seed)
        levels = draws.normal(self.mean, self.deviation, (self.repeats, 1, units))
        return levels + draws.normal(0, self.noise, (self.repeats, self.timesteps, units))


@dataclass(frozen=True, eq=False)
class StepResponses:
    """Responses over repeats, on average.

    Attributes:
        drives: ξ, (D,).
        drive: ξ at every step, (D, T).
        signals: (D, T, N) by name.
        isolated: Whether the units heard only themselves.
    """

    drives: np.ndarray
    drive: np.ndarray
    signals: dict[str, np.ndarray]
    isolated: bool

    def of(self, signal: str) -> np.ndarray:
        """The responses of a signal, (D, T, N).

        Raises:
            ValueError: it was not recorded.
        """
        return self.signals[one_of("signal", signal, self.signals)]


def step_responses(
    network,
    drives: Sequence[float] = DRIVES,
    *,
    isolated: bool = False,
    protocol: StepProtocol = StepProtocol(),
    input_weights: bool = True,
    signals=None,
) -> StepResponses:
    """Run a network under step drives, each unit with an input of its own, from zero states.

    W_xh becomes its diagonal: unit i hears x^i alone, through W_xh[i, i]. With fewer features I
    than units (one, for pixels) it is W_xh[i mod I, i]: our choice, the paper does not say.

    Args:
        network: As in `probing.record`.
        drives: ξ.
        isolated: Reduce W_hh to its diagonal as well.
        protocol: Inputs, noise and the step.
        input_weights: Whether a unit hears its input through its own W_xh and b; if not, as it is,
            with W_xh = 1 and b = 0, as the authors do with their network for CIFAR-10.
        signals: Names of what to keep; None: h, n and s, as far as there are such.

    Raises:
        ValueError: the network has no recurrent layer with signals, or it is not built.
    """
    drives = array("drives", drives, ("D",), what="a list of finite numbers")
    isolated = flag("isolated", isolated)
    instance("protocol", protocol, StepProtocol)
    layer = recurrent_layer(load_network(network))
    drive = np.stack([protocol.drive(one) for one in drives])
    input_weights = flag("input_weights", input_weights)
    heard = _heard(layer, protocol.inputs(layer.cell.units), input_weights)
    recorder = Recorder(layer, Record(signals, isolated=isolated))
    silence = np.zeros((*heard.shape[:2], layer.cell.kernel.shape[0]))
    found = [recorder(silence, heard + one[:, None]) for one in drive]
    means = {
        name: np.stack([one[name].mean(axis=0, dtype="float64") for one in found])
        for name in found[0]
    }
    return StepResponses(drives, drive, means, isolated)


def fractional_orders(
    responses: StepResponses, signal: str = "h", **options
) -> dict[float, FractionalOrder]:
    """The order of every unit, by ξ; ξ = 0 has none (Fig 4c, 10–12).

    Args:
        responses: Of `step_responses`.
        signal: Which of its signals.
        **options: Of `fractional.fractional_order`.
    """
    instance("responses", responses, StepResponses, _MADE)
    return {
        float(amplitude): fractional_order(response, drive, **options)
        for amplitude, drive, response in zip(
            responses.drives, responses.drive, responses.of(signal), strict=True
        )
        if amplitude
    }


def population_fits(responses: StepResponses, **options) -> dict[float, FractionalOrder]:
    """The order of the mean over units of h, N = 1, by ξ; arguments as in `fractional_orders`.

    Raises:
        ValueError: the mean response is constant.
    """
    instance("responses", responses, StepResponses, _MADE)
    mean = {"h": responses.of("h").mean(axis=-1, keepdims=True)}
    population = StepResponses(responses.drives, responses.drive, mean, responses.isolated)
    orders = fractional_orders(population, **options)
    constant = [amplitude for amplitude, one in orders.items() if not one.fitted.all()]
    if constant:
        raise ValueError(f"The population must respond. Received: constant h at ξ = {constant}.")
    return orders


def population_orders(responses: StepResponses, **options) -> dict[float, float]:
    """α of `population_fits`, by ξ (Fig 4d); arguments and errors as there."""
    return population_alphas(population_fits(responses, **options))


def population_alphas(fits: Mapping[float, FractionalOrder]) -> dict[float, float]:
    """α of each of the `population_fits`, by ξ."""
    if not isinstance(fits, Mapping):
        raise ValueError(f"`fits` must be what population_fits gives. Received: {shown(fits)}.")
    for one in fits.values():
        instance("fits", one, FractionalOrder)
    return {amplitude: float(one.alpha[0]) for amplitude, one in fits.items()}


@dataclass(frozen=True, eq=False)
class SignalIntegral:
    """A fractional derivative or integral of a signal's mean over units (Fig 9).

    Attributes:
        alpha: Its order; negative for an integral.
        drives: ξ, (D,).
        traces: D^α, 0 at the baseline, (D, T).
        during: Steps of the drive.
        lines: A line fitted to each trace during the drive.
    """

    alpha: float
    drives: np.ndarray
    traces: np.ndarray
    during: range
    lines: tuple[Fit, ...]


def signal_integral(
    responses: StepResponses,
    signal: str,
    alpha: float,
    *,
    method: str = "periodic",
    baseline: int = BASELINE,
) -> SignalIntegral:
    """D^α of n_t or s_t under the step, and how straight it rises.

    Args:
        responses: Of `step_responses`, with at least one ξ ≠ 0.
        signal: "n", "s", or another one that was recorded.
        alpha: Order of D^α; negative to integrate.
        method: As in `fractional.fractional_derivative`.
        baseline: Step at rest.

    Raises:
        ValueError: there is no such signal, or no drive.
    """
    instance("responses", responses, StepResponses, _MADE)
    during = np.flatnonzero(responses.drive.any(axis=0))
    if not during.size:
        raise ValueError("`responses` must have a ξ other than 0. Received: none.")
    mean = responses.of(signal).mean(axis=-1).T
    traces = fractional_derivative(mean, alpha, method, baseline).T
    lines = tuple(line(during, trace[during]) for trace in traces)
    steps = range(during[0], during[-1] + 1)
    return SignalIntegral(float(alpha), responses.drives, traces, steps, lines)


def _heard(layer, x, input_weights):
    """What x adds to the pre-activations beside the cell's own b, of x (repeats, T, N)."""
    if not layer.cell.built:
        raise ValueError("`network` must be built. Received: a layer without weights; call it.")
    if not input_weights:
        return x - keras.ops.convert_to_numpy(layer.cell.bias)
    kernel = keras.ops.convert_to_numpy(layer.cell.kernel)
    units = np.arange(kernel.shape[1])
    return kernel[units % len(kernel), units] * x
