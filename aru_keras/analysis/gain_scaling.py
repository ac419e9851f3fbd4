"""Gain scaling: steady states of n and s under noise of amplitude ξ (Geadah et al. 2024, Fig 3b).

`NoiseBurst` makes the noise, `settled` measures the steady states in a recording, and `GainScaling`
fits them. `measure_gain_scaling` does all of this for a network. The paper does not say where the
noise enters. By default it is a drive on the pre-activations, drawn independently for each unit,
while the network reads images. It can also be one drive common to all units, or the input of the
recurrent layer (`NOISE_ENTRIES`).
"""

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from aru_keras._util.arguments import (
    LARGEST_SIZE,
    array,
    check_built,
    finite,
    flag,
    held,
    instance,
    one_of,
    whole,
    wholes,
)
from aru_keras._util.deprecated import renamed
from aru_keras._util.numerics import refuse_overflow
from aru_keras.analysis import fitting
from aru_keras.analysis._checks import unmasked
from aru_keras.perturbations import PAPER_TIMESTEPS
from aru_keras.probing import Record, Recorder, load_network, recurrent_layer

NOISE_AMPLITUDES = (1, 2.5, 5, 10, 15, 20, 30)
"""Amplitudes ξ: standard deviations of the noise in the bursts."""

NOISE_SEEDS = tuple(range(10))
"""Seeds of the noise (our choice)."""

NOISE_ENTRIES = {
    "units": "independent drives on the units",
    "drive": "one drive common to all units",
    "input": "the input of the recurrent layer",
}
"""Where the noise can enter, by name, in words."""


@dataclass(frozen=True)
class NoiseBurst:
    """A burst of white noise on weak background noise: N(0, σ₀²), then N(0, ξ²), then N(0, σ₀²).

    Attributes:
        before: Steps of background noise before the burst.
        duration: Steps of the burst.
        after: Steps of background noise after the burst.
        background: Standard deviation σ₀ of the background noise.
        steady: Number of steps at the end of the burst that count as the steady state.

    Raises:
        ValueError: A value is out of its range.
    """

    before: int = 200
    duration: int = 200
    after: int = 200
    background: float = 0.01
    steady: int = 90

    def __post_init__(self):
        for name, least in (("before", 0), ("duration", 1), ("after", 0), ("steady", 2)):
            whole(name, getattr(self, name), least, most=LARGEST_SIZE)
        finite("background", self.background, least=0)
        if self.steady > self.duration:
            raise ValueError(
                f"`steady` must not exceed the burst of {self.duration} steps. "
                f"Received: {self.steady}."
            )

    @classmethod
    def scaled(cls, timesteps: int) -> "NoiseBurst":
        """The paper's burst for 784 steps, scaled to sequences of T steps.

        Raises:
            ValueError: T is too small for a steady state of two steps.
        """
        timesteps = whole("timesteps", timesteps, 2)
        before, duration, steady = (
            round(steps * timesteps / PAPER_TIMESTEPS)
            for steps in (cls.before, cls.duration, cls.steady)
        )
        return cls(before, duration, timesteps - before - duration, steady=steady)

    @property
    def timesteps(self) -> int:
        """The number of steps T."""
        return self.before + self.duration + self.after

    @property
    def window(self) -> slice:
        """The steps of the steady state."""
        end = self.before + self.duration
        return slice(end - self.steady, end)

    def noise(self, amplitude: float, seeds: Sequence[int], features: int = 1) -> np.ndarray:
        """The noise of each seed, (seeds, T, features) float32.

        It depends on the seed and ξ alone. The draws for different ξ are independent.

        Raises:
            ValueError: `amplitude` is negative, or a seed is not a whole number.
        """
        amplitude = finite("amplitude", amplitude, least=0)
        scale = np.full(self.timesteps, self.background)
        scale[self.before : self.before + self.duration] = amplitude
        key = int(np.float64(amplitude).view(np.uint64))
        size = (self.timesteps, whole("features", features, 1, most=LARGEST_SIZE))
        draws = [
            np.random.default_rng([seed, key]).normal(size=size)
            for seed in wholes("seeds", seeds, 0)
        ]
        return (np.stack(draws) * scale[:, None]).astype("float32")


@dataclass(frozen=True, eq=False)
class Settled:
    """The response of a network to one burst, for every seed of the noise.

    Attributes:
        n, s: Means over units at every step, (seeds, T).
        steady_n, steady_s: Steady states n∞ and s∞: means over units and steady steps, (seeds,).
        input_spread: Standard deviation of the noise in the steady state, (seeds,).
        output_spread: Standard deviation of h in the steady state, mean over units, (seeds,).
    """

    n: np.ndarray
    s: np.ndarray
    steady_n: np.ndarray
    steady_s: np.ndarray
    input_spread: np.ndarray
    output_spread: np.ndarray


@dataclass(frozen=True, eq=False)
class GainScaling:
    """Steady states over amplitudes ξ, and their fits.

    Attributes:
        amplitudes: Amplitudes ξ of the noise, (K,).
        runs: A `Settled` for each ξ.
    """

    amplitudes: np.ndarray
    runs: tuple[Settled, ...]

    def over_amplitudes(self, name: str) -> np.ndarray:
        """A field of the runs with one number per seed, such as "steady_n", as (seeds, K)."""
        return np.stack([getattr(run, name) for run in self.runs], axis=1)

    def gain_fit(self) -> fitting.Fit:
        """The fit n∞(ξ) = a·ξ^(−b) + c to the means over seeds."""
        return fitting.fit_power_law(self.amplitudes, self.over_amplitudes("steady_n").mean(axis=0))

    def saturation_fit(self) -> fitting.Fit:
        """The fit s∞(ξ) = a·exp(−b·ξ) + c to the means over seeds."""
        return fitting.fit_exponential(
            self.amplitudes, self.over_amplitudes("steady_s").mean(axis=0)
        )


def settled(
    recording: Mapping[str, np.ndarray], noise: np.ndarray, protocol: NoiseBurst
) -> Settled:
    """The steady state in a recording.

    Args:
        recording: Signals "n", "s" and "h" by name, (seeds, T, N) each.
        noise: Noise during the recording, (seeds, T, features).
        protocol: Protocol that made the noise.

    Raises:
        ValueError: A signal is missing, has another number of steps, or is not finite.
    """
    timesteps = instance("protocol", protocol, NoiseBurst).timesteps
    noise = array("noise", noise, ("seeds", timesteps, "features"), dtype=None)
    names = ("n", "s", "h")
    signals = held("recording", unmasked("recording", recording), names)
    recorded = zip(names, signals, strict=True)
    n, s, h = (_checked(name, values, noise.shape[:2]) for name, values in recorded)
    window = protocol.window
    return Settled(
        n=n.mean(axis=2),
        s=s.mean(axis=2),
        steady_n=n[:, window].mean(axis=(1, 2)),
        steady_s=s[:, window].mean(axis=(1, 2)),
        input_spread=noise[:, window].astype("float64").std(axis=1).mean(axis=1),
        output_spread=h[:, window].std(axis=1).mean(axis=1),
    )


def measure_gain_scaling(
    network: keras.layers.Layer | str | os.PathLike,
    amplitudes: Sequence[float] = NOISE_AMPLITUDES,
    seeds: Sequence[int] = NOISE_SEEDS,
    protocol: NoiseBurst | None = None,
    *,
    x: np.ndarray | None = None,
    enters: str = "units",
    as_drive: bool | None = None,
    progress: bool = False,
) -> GainScaling:
    """Steady states of a network under bursts of noise (Fig 3b).

    Args:
        network: An `ARU` or `GammaRNN`, a model with one of them, or the folder of a run.
        amplitudes: Amplitudes ξ of the noise, positive.
        seeds: Seeds of the noise.
        protocol: Protocol of the noise. None means the paper's `NoiseBurst()`; if `x` is given, it
            is scaled to the length of `x`.
        x: Sequences that the network reads, one for each seed: (seeds, T, I), or in the form of the
            model's pixel input. None means that the recurrent layer reads zeros.
        enters: Name in `NOISE_ENTRIES`. With "input" the recurrent layer reads the noise, behind
            any encoder, with independent noise for each feature, and `x` must be None.
        as_drive: Deprecated: True means `enters="drive"`, and False `enters="input"`.
        progress: Whether to show a progress bar.

    Raises:
        ValueError: The network has no n and s, masks steps, or an argument is out of its range.
    """
    if as_drive is not None:
        enters = "drive" if flag("as_drive", as_drive) else "input"
        warnings.warn(
            f"`as_drive` is deprecated: use enters={enters!r}.", DeprecationWarning, stacklevel=2
        )
    least, what = float(np.finfo("float32").tiny), "a list of positive numbers"
    amplitudes = array("amplitudes", amplitudes, ("K",), least=least, what=what)
    seeds, progress = wholes("seeds", seeds, 0), flag("progress", progress)
    read = _Reading(network, len(seeds), one_of("enters", enters, NOISE_ENTRIES), x)
    if protocol is None:
        protocol = NoiseBurst() if x is None else NoiseBurst.scaled(read.timesteps)
    instance("protocol", protocol, NoiseBurst)
    bar = keras.utils.Progbar(len(amplitudes), unit_name="amplitude") if progress else None
    runs = []
    for index, amplitude in enumerate(amplitudes):
        noise = protocol.noise(amplitude, seeds, read.features)
        runs.append(settled(read(noise), noise, protocol))
        if bar:
            bar.update(index + 1)
    return GainScaling(amplitudes, tuple(runs))


class _Reading:
    """A network that reads sequences, or zeros, while noise enters it."""

    def __init__(self, network, seeds, enters, x):
        network = load_network(network)
        layer = recurrent_layer(network)
        check_built(layer)
        if x is not None:
            x = array("x", x, (..., "T", "I"), dtype=None)
        if x is not None and (enters == "input" or len(x) != seeds):
            raise ValueError(
                f"`x` must hold one sequence for each of the {seeds} seeds, and none where the "
                f"noise is the input. Received: {len(x)} sequences with enters={enters!r}."
            )
        self.inputs = layer.cell.kernel.shape[0]
        self.features = {"units": layer.cell.units, "drive": 1, "input": self.inputs}[enters]
        self._x, self._as_input = x, enters == "input"
        self._record = Recorder(layer if x is None else network, Record(("n", "s", "h")))

    @property
    def timesteps(self):
        """The number of steps T of the recurrent layer, behind any encoder."""
        return self._record(self._x[:1])["n"].shape[1]

    def __call__(self, noise):
        if self._as_input:
            return self._record(noise)
        silence = np.zeros((*noise.shape[:2], self.inputs), "float32")
        return unmasked("x", self._record(silence if self._x is None else self._x, noise))


def _checked(name, values, shape):
    refuse_overflow(name, values)
    axes = f"(seeds, T, N) = ({shape[0]}, {shape[1]}, N)"
    expected = f"{name!r}, and {name!r} must be finite and of shape {axes}, like `noise`"
    return array("recording", values, (*shape, "N"), what=expected, verb="hold")


__getattr__ = renamed(
    __name__,
    {
        "AMPLITUDES": "NOISE_AMPLITUDES",
        "SEEDS": "NOISE_SEEDS",
        "ENTRIES": "NOISE_ENTRIES",
        "gain_scaling": "measure_gain_scaling",
    },
)
