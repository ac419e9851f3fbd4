"""What the experiments share: recordings under step drives, and reading what was measured."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from aru_keras.analysis.statistics import estimate
from aru_keras.numerics import NetworkOverflowError
from aru_keras.perturbations import StepDrive
from aru_keras.probing import Record, Recorder
from aru_keras.runners.experiments.presets import Preset
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.workspace import Network


def recorded(network: Network, preset: Preset) -> np.ndarray:
    """The test images of which signals are recorded."""
    return network.task.examples("test", range(preset.recorded_images))[0]


def sequence_length(network: Network, preset: Preset) -> int:
    """T of the recurrent layer, whatever encoder stands before it."""
    return Recorder(network.model, "h")(recorded(network, preset)[:1])["h"].shape[1]


def later_half(timesteps: int) -> range:
    """The later half of the drive's window, in which states count as stationary."""
    window = StepDrive().window(timesteps)
    return window[len(window) // 2 :]


def under_drives(
    network: Network,
    preset: Preset,
    drives: Sequence[float],
    signals: str | Sequence[str],
    steps: Callable[[int], Sequence[int]],
    images: int | None = None,
) -> Iterator[dict[str, np.ndarray]]:
    """Signals of a network that reads real sequences under step drives, one recording a ξ.

    Args:
        network: The network.
        preset: With the number of images.
        drives: ξ.
        signals: As in `probing.Record`.
        steps: From T, the steps to keep.
        images: How many of the images; None: all of `recorded`.
    """
    x = recorded(network, preset)[:images]
    timesteps = sequence_length(network, preset)
    recorder = Recorder(network.model, Record(signals, steps(timesteps)))
    for drive in drives:
        yield finite_signals(recorder(x, StepDrive(drive).drive([0], timesteps)), drive)


def finite_signals(signals: dict[str, np.ndarray], drive: float) -> dict[str, np.ndarray]:
    """Recorded signals, which must be numbers.

    Raises:
        NetworkOverflowError: One is not.
    """
    broken = [name for name, values in signals.items() if not np.isfinite(values).all()]
    if broken:
        raise NetworkOverflowError(
            f"The signals must be finite. Received: NaN or infinity in {broken} under a step drive "
            f"of ξ = {drive:g}. The network overflows."
        )
    return signals


def required(results: Results, names: Sequence[str]) -> list[str]:
    """Those of the names that were measured, one at the least.

    Raises:
        ValueError: None was.
    """
    present = results.present(*names)
    if not present:
        raise ValueError(
            f"This experiment needs one of {', '.join(names)}. Received: "
            f"{', '.join(results) or 'no network'}."
        )
    return present


def cell(values: Sequence[float]) -> str:
    """A mean over seeds for a table, with half its 95 % interval where there are two or more."""
    found = estimate(values)
    return f"{found.mean:.3g}" + (f" ± {found.half_width:.2g}" if found.interval else "")
