"""Responses of the units to a step drive, connected and isolated, and their fractional orders.

The protocol of Geadah et al. 2024, Fig 4b–d and 9–12: every unit has its own input, which is
constant except for noise, and a drive ξ acts for some time. Isolated units receive recurrent input
only from themselves, as in a slice experiment with blocked synapses.

Example::

    responses = step_responses(model, isolated=True)
    orders = fractional_orders(responses)  # {ξ: FractionalOrder}
    print(orders[5.0].differentiating)
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from aru_keras._util.arguments import (
    LARGEST_SIZE,
    array,
    check_built,
    finite,
    flag,
    instance,
    one_of,
    whole,
)
from aru_keras._util.deprecated import renamed
from aru_keras.analysis.fractional import FractionalOrder, fractional_order
from aru_keras.perturbations import StepDrive
from aru_keras.probing import Record, Recorder, load_network, recurrent_layer

RESPONSE_DRIVES = (0.0, 1.0, 2.5, 5.0, 10.0, 15.0, 20.0)
"""Amplitudes ξ of the paper's step drives."""

_MADE = "step_responses makes them."


@dataclass(frozen=True)
class StepProtocol:
    """Inputs and drive of the experiment.

    Attributes:
        timesteps: Number of steps T.
        start: Step t0; the drive acts where t0 < t < t0 + τ.
        duration: Duration τ of the drive.
        repeats: Number of repeats, each with new inputs and noise; responses are means over them.
        mean: Mean of the units' inputs.
        deviation: Standard deviation of the units' inputs, which are drawn once for each repeat.
        noise: Standard deviation of the noise on the inputs, which is drawn at every step.
        seed: Seed of all draws, which are the same for every ξ.

    Raises:
        ValueError: A value is out of its range.
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
        """The drive at every step, (T,)."""
        drive = np.zeros(self.timesteps)
        window = StepDrive(amplitude, self.start, self.duration).window(self.timesteps)
        drive[window.start : window.stop] = amplitude
        return drive

    def inputs(self, units: int) -> np.ndarray:
        """The inputs x of all units, (repeats, T, N)."""
        draws = np.random.default_rng(self.seed)
        levels = draws.normal(self.mean, self.deviation, (self.repeats, 1, units))
        return levels + draws.normal(0, self.noise, (self.repeats, self.timesteps, units))


@dataclass(frozen=True, eq=False)
class StepResponses:
    """Mean responses over repeats.

    Attributes:
        drives: Amplitudes ξ, (D,).
        drive: Drive at every step, (D, T).
        signals: Signals by name, (D, T, N) each.
        isolated: Whether the units received recurrent input only from themselves.
    """

    drives: np.ndarray
    drive: np.ndarray
    signals: dict[str, np.ndarray]
    isolated: bool

    def of(self, signal: str) -> np.ndarray:
        """The responses of a signal, (D, T, N).

        Raises:
            ValueError: The signal was not recorded.
        """
        return self.signals[one_of("signal", signal, self.signals)]


def step_responses(
    network: keras.layers.Layer | str | os.PathLike,
    drives: Sequence[float] = RESPONSE_DRIVES,
    *,
    isolated: bool = False,
    protocol: StepProtocol = StepProtocol(),
    input_weights: bool = True,
    signals: str | Sequence[str] | None = None,
) -> StepResponses:
    """Run a network under step drives from zero states, with a separate input for each unit.

    W_xh is reduced to its diagonal: unit i receives its input x^i through W_xh[i, i]. If there are
    fewer features I than units (for pixels there is one), unit i uses W_xh[i mod I, i]. This is our
    choice, as the paper does not say.

    Args:
        network: Layer, model or folder of a run, as in `probing.record`.
        drives: Amplitudes ξ of the drive.
        isolated: Whether to reduce W_hh to its diagonal as well.
        protocol: Protocol of inputs, noise and drive.
        input_weights: Whether the units receive their inputs through the network's W_xh and b. If
            not, W_xh = 1 and b = 0, as the authors do with their network for CIFAR-10.
        signals: Names of the signals to record; None for those of h, n and s that exist.

    Raises:
        ValueError: The network has no recurrent layer with signals, or is not built.
    """
    drives = array("drives", drives, ("D",), what="a list of finite numbers")
    isolated = flag("isolated", isolated)
    instance("protocol", protocol, StepProtocol)
    layer = recurrent_layer(load_network(network))
    drive = np.stack([protocol.drive(amplitude) for amplitude in drives])
    input_weights = flag("input_weights", input_weights)
    currents = _input_currents(layer, protocol.inputs(layer.cell.units), input_weights)
    recorder = Recorder(layer, Record(signals, isolated=isolated))
    silence = np.zeros((*currents.shape[:2], layer.cell.kernel.shape[0]))
    recordings = [recorder(silence, currents + step[:, None]) for step in drive]
    means = {
        name: np.stack([recording[name].mean(axis=0, dtype="float64") for recording in recordings])
        for name in recordings[0]
    }
    return StepResponses(drives, drive, means, isolated)


def fractional_orders(
    responses: StepResponses, signal: str = "h", **options: Any
) -> dict[float, FractionalOrder]:
    """The fractional orders of all units, by ξ ≠ 0 (Fig 4c, 10–12).

    Args:
        responses: Result of `step_responses`.
        signal: Name of one of its signals.
        **options: Options of `fractional_order`.
    """
    instance("responses", responses, StepResponses, _MADE)
    return {
        float(amplitude): fractional_order(response, drive, **options)
        for amplitude, drive, response in zip(
            responses.drives, responses.drive, responses.of(signal), strict=True
        )
        if amplitude
    }


def _input_currents(layer, x, input_weights):
    """The part of the pre-activations that comes from x, (repeats, T, N), without the bias b."""
    check_built(layer)
    if not input_weights:
        bias = layer.cell.bias
        return x if bias is None else x - keras.ops.convert_to_numpy(bias)
    kernel = keras.ops.convert_to_numpy(layer.cell.kernel)
    units = np.arange(kernel.shape[1])
    return kernel[units % len(kernel), units] * x


__getattr__ = renamed(
    __name__,
    {
        "DRIVES": "RESPONSE_DRIVES",
        "LOW": "aru_keras.analysis.fractional_tasks:LOW_DRIVE",
        "HIGH": "aru_keras.analysis.fractional_tasks:HIGH_DRIVE",
        "TaskComparison": "aru_keras.analysis.fractional_tasks:TaskComparison",
        "compare_tasks": "aru_keras.analysis.fractional_tasks:compare_tasks",
        "population_fits": "aru_keras.analysis.fractional_tasks:population_fits",
        "population_orders": "aru_keras.analysis.fractional_tasks:population_orders",
        "population_alphas": "aru_keras.analysis.fractional_tasks:population_alphas",
        "SignalIntegral": "aru_keras.analysis.fractional_signals:SignalIntegral",
        "signal_integral": "aru_keras.analysis.fractional_signals:signal_integral",
    },
)
