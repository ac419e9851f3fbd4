"""Gain scaling: where n and s settle under noise of amplitude ξ (Geadah et al. 2024, Fig 3b).

Protocol, measurement and fit are apart: `NoiseBurst` makes the noise, `settled` takes recordings,
`GainScaling` fits. `gain_scaling` runs all of it on a network.

The paper does not say where the noise enters. It is fed as the recurrent layer's input by default,
as a drive on the pre-activations by choice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from aru_keras.analysis import fitting
from aru_keras.arguments import finite, whole
from aru_keras.numerics import NetworkOverflowError
from aru_keras.probing import Record, Recorder, load_network, recurrent_layer

AMPLITUDES = (1, 2.5, 5, 10, 15, 20, 30)
"""ξ, the standard deviations of the bursts."""

SEEDS = tuple(range(10))
"""Of the noise; our choice."""


@dataclass(frozen=True)
class NoiseBurst:
    """White noise that becomes loud for a while: N(0, σ₀²), N(0, ξ²), N(0, σ₀²).

    Attributes:
        before: Steps of quiet noise before the burst.
        duration: Steps of the burst.
        after: Steps of quiet noise after it.
        background: σ₀.
        steady: How many of the last steps of the burst are the steady state.

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
            whole(name, getattr(self, name), least)
        finite("background", self.background, least=0)
        if self.steady > self.duration:
            raise ValueError(
                f"`steady` must not exceed the burst of {self.duration} steps. "
                f"Received: {self.steady}."
            )

    @property
    def timesteps(self) -> int:
        """T."""
        return self.before + self.duration + self.after

    @property
    def window(self) -> slice:
        """The steps of the steady state."""
        end = self.before + self.duration
        return slice(end - self.steady, end)

    def noise(self, amplitude: float, seeds: Sequence[int], features: int = 1) -> np.ndarray:
        """The noise of each seed, (seeds, T, features) float32.

        A function of seed and ξ alone; different amplitudes have independent draws.

        Raises:
            ValueError: `amplitude` is negative, or a seed is no whole number.
        """
        amplitude = finite("amplitude", amplitude, least=0)
        scale = np.full(self.timesteps, self.background)
        scale[self.before : self.before + self.duration] = amplitude
        key = int(np.float64(amplitude).view(np.uint64))
        draws = [
            np.random.default_rng([whole("seeds", seed, 0), key]).normal(
                size=(self.timesteps, whole("features", features, 1))
            )
            for seed in seeds
        ]
        return (np.stack(draws) * scale[:, None]).astype("float32")


@dataclass(frozen=True)
class Settled:
    """What a network settles to under one burst, for every seed of noise.

    Attributes:
        n, s: Mean over units at every step, (seeds, T).
        steady_n, steady_s: Mean over units and the steady state, n∞ and s∞, (seeds,).
        input_spread: Standard deviation of the noise over the steady state, (seeds,).
        output_spread: Standard deviation of h over the steady state, mean over units, (seeds,).
    """

    n: np.ndarray
    s: np.ndarray
    steady_n: np.ndarray
    steady_s: np.ndarray
    input_spread: np.ndarray
    output_spread: np.ndarray


@dataclass(frozen=True)
class GainScaling:
    """Steady states over amplitudes ξ, and their fits.

    Attributes:
        amplitudes: ξ, (K,).
        runs: `Settled`, one for each ξ.
    """

    amplitudes: np.ndarray
    runs: tuple[Settled, ...]

    def over_amplitudes(self, name: str) -> np.ndarray:
        """A field of the runs with one number a seed, such as "steady_n", as (seeds, K)."""
        return np.stack([getattr(run, name) for run in self.runs], axis=1)

    def gain_fit(self) -> fitting.Fit:
        """n∞(ξ) = a·ξ^(−b) + c, of the means over seeds."""
        return fitting.power_law(self.amplitudes, self.over_amplitudes("steady_n").mean(axis=0))

    def saturation_fit(self) -> fitting.Fit:
        """s∞(ξ) = a·exp(−b·ξ) + c, of the means over seeds."""
        return fitting.exponential(self.amplitudes, self.over_amplitudes("steady_s").mean(axis=0))


def settled(
    recording: Mapping[str, np.ndarray], noise: np.ndarray, protocol: NoiseBurst
) -> Settled:
    """The steady state of a recording.

    Args:
        recording: "n", "s" and "h", (seeds, T, N).
        noise: What was fed, (seeds, T, features).
        protocol: That made the noise.

    Raises:
        ValueError: A signal is missing, has another number of steps, or is not finite.
    """
    n, s, h = (_checked(recording, name, noise.shape[:2]) for name in ("n", "s", "h"))
    window = protocol.window
    return Settled(
        n=n.mean(axis=2),
        s=s.mean(axis=2),
        steady_n=n[:, window].mean(axis=(1, 2)),
        steady_s=s[:, window].mean(axis=(1, 2)),
        input_spread=noise[:, window].astype("float64").std(axis=1).mean(axis=1),
        output_spread=h[:, window].std(axis=1).mean(axis=1),
    )


def gain_scaling(
    network,
    amplitudes: Sequence[float] = AMPLITUDES,
    seeds: Sequence[int] = SEEDS,
    protocol: NoiseBurst | None = None,
    *,
    as_drive: bool = False,
    progress: bool = False,
) -> GainScaling:
    """Steady states of a network under bursts of noise (Fig 3b).

    Args:
        network: `ARU` or `GammaRNN`, a model with one, or the folder of a run. The noise is what
            its recurrent layer reads, behind any encoder, each feature for itself.
        amplitudes: ξ, positive.
        seeds: Of the noise.
        protocol: None: the paper's `NoiseBurst()`.
        as_drive: Add the noise to all pre-activations alike, with an input of 0.
        progress: Show a progress bar.

    Raises:
        ValueError: The network has no n and s, or an argument is out of its range.
    """
    protocol = protocol or NoiseBurst()
    layer = recurrent_layer(load_network(network))
    if not layer.built:
        raise ValueError(
            "`network` must be built, to know how many features it reads. Received: "
            f"{layer.name!r}, which is not. Call its build((None, None, features)) first."
        )
    record = Recorder(layer, Record(("n", "s", "h")))
    features = layer.cell.kernel.shape[0]
    bar = keras.utils.Progbar(len(amplitudes), unit_name="amplitude") if progress else None
    runs = []
    for place, amplitude in enumerate(amplitudes):
        noise = protocol.noise(amplitude, seeds, 1 if as_drive else features)
        silence = np.zeros((*noise.shape[:2], features), "float32")
        recording = record(silence, noise) if as_drive else record(noise)
        runs.append(settled(recording, noise, protocol))
        if bar:
            bar.update(place + 1)
    return GainScaling(np.asarray(amplitudes, "float64"), tuple(runs))


def _checked(recording, name, shape):
    values = recording.get(name)
    if values is None or np.ndim(values) != 3 or values.shape[:2] != shape:
        came = None if values is None else values.shape
        raise ValueError(
            f"`recording` must hold {name!r} of shape (seeds, T, N) = {(*shape, 'N')}. "
            f"Received: {came}."
        )
    if not np.isfinite(values).all():
        raise NetworkOverflowError(
            f"The recording of {name!r} must be finite. Received: NaN or Inf in it."
        )
    return np.asarray(values, "float64")
