"""What the experiments share: recordings under step drives, and reading what was measured."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from aru_keras.analysis.statistics import estimate
from aru_keras.numerics import NetworkOverflowError
from aru_keras.perturbations import StepDrive
from aru_keras.probing import Record, Recorder
from aru_keras.runners.experiments.experiment import Array, Claim, Table, undecided
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
    model=None,
) -> Iterator[dict[str, np.ndarray]]:
    """Signals of a network that reads real sequences under step drives, one recording a ξ.

    Args:
        network: The network.
        preset: With the number of images.
        drives: ξ.
        signals: As in `probing.Record`.
        steps: From T, the steps to keep.
        images: How many of the images; None: all of `recorded`.
        model: Another model of the same network, such as the one before training.
    """
    x = recorded(network, preset)[:images]
    timesteps = sequence_length(network, preset)
    recorder = Recorder(model or network.model, Record(signals, steps(timesteps)))
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


ADAPTATION = "adaptation"
"""Name of what `adaptation` gives among the arrays of an experiment."""

SHIFTED = ("n", "s")

MOVED = Array("2 2", least=0)
"""What `adaptation` gives, as an experiment keeps it."""


def adaptation(network: Network, preset: Preset) -> np.ndarray:
    """How far n and s move under the strongest step drive, trained and untrained.

    Returns:
        Δ, (2, 2): trained and before training by n and s; the mean over units of the absolute
        difference between ξ and no drive in the later half of the drive's window.
    """
    return np.array([_shifts(network, preset, model) for model in (network.model, network.start)])


def _shifts(network, preset, model):
    drives = (0.0, max(preset.step_amplitudes))
    still, driven = (
        {name: kept[name].mean(axis=(0, 1), dtype="float64") for name in SHIFTED}
        for kept in under_drives(network, preset, drives, SHIFTED, later_half, model=model)
    )
    return [np.abs(driven[name] - still[name]).mean() for name in SHIFTED]


def where_adapted(claims: Sequence[Claim], results: Results) -> tuple[Claim, ...]:
    """Claims about adaptation, undecided where a trained ARUN adapts no more than before training.

    Args:
        claims: About the ARUN.
        results: With what `adaptation` gives.
    """
    trained, start = results.stacked("arun", ADAPTATION).mean(axis=0)
    if (trained > start).all():
        return tuple(claims)
    return undecided(claims, "controllers adapt no more than before training")


def adaptation_table(results: Results) -> Table:
    """Δn and Δs of the ARUN, trained and before training."""
    moved = results.stacked("arun", ADAPTATION)
    rows = [
        (stage, *(cell(moved[:, place, signal]) for signal in range(len(SHIFTED))))
        for place, stage in enumerate(("trained", "before training"))
    ]
    return Table(("under the strongest drive", "Δn", "Δs"), tuple(rows))


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


def cell(values: Sequence[float], digits: int = 3) -> str:
    """A mean over seeds for a table; of two or more half its 95 % interval, and every seed."""
    found = estimate(values)
    mean = f"{found.mean:.{digits}g}"
    if found.interval is None:
        return mean
    seeds = ", ".join(f"{one:.{digits}g}" for one in values)
    return f"{mean} ± {found.half_width:.2g} ({seeds})"
