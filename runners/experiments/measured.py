"""Shared by the experiments: recordings under step drives, and the adaptation of n and s."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from aru_keras._util.numerics import NetworkOverflowError
from aru_keras.perturbations import StepDrive
from aru_keras.probing import Record, Recorder
from aru_keras.runners.experiments.experiment import Array, Claim, Table, undecided
from aru_keras.runners.experiments.presets import Preset
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.tables import over_seeds
from aru_keras.runners.experiments.workspace import TrainedRun


def recorded(network: TrainedRun, preset: Preset) -> np.ndarray:
    """The test images for which signals are recorded."""
    return network.task.examples("test", range(preset.recorded_images))[0]


def sequence_length(network: TrainedRun, preset: Preset) -> int:
    """The number of steps T of the recurrent layer, behind any encoder."""
    return Recorder(network.model, "h")(recorded(network, preset)[:1])["h"].shape[1]


def later_half(timesteps: int) -> range:
    """The later half of the drive's window, in which states count as stationary."""
    window = StepDrive().window(timesteps)
    return window[len(window) // 2 :]


def under_drives(
    network: TrainedRun,
    preset: Preset,
    drives: Sequence[float],
    signals: str | Sequence[str],
    steps: Callable[[int], Sequence[int]],
    images: int | None = None,
    model: Any = None,
) -> Iterator[dict[str, np.ndarray]]:
    """Record a network that reads test images under step drives; one recording for each ξ.

    Args:
        network: Network to record.
        preset: Preset with the number of images.
        drives: Amplitudes ξ of the drives.
        signals: Names of signals, as in `probing.Record`.
        steps: Function from the number of steps T to the steps to record.
        images: Number of images; None for all of `recorded`.
        model: Other model of the same network to record, such as the one before training.
    """
    x = recorded(network, preset)[:images]
    timesteps = sequence_length(network, preset)
    recorder = Recorder(model or network.model, Record(signals, steps(timesteps)))
    for drive in drives:
        yield finite_signals(recorder(x, StepDrive(drive).drive([0], timesteps)), drive)


def finite_signals(signals: dict[str, np.ndarray], drive: float) -> dict[str, np.ndarray]:
    """Return recorded signals, which must be finite.

    Raises:
        NetworkOverflowError: A value is not finite.
    """
    broken = [name for name, values in signals.items() if not np.isfinite(values).all()]
    if broken:
        raise NetworkOverflowError(
            f"The signals must be finite. Received: NaN or infinity in {broken} under a step drive "
            f"of ξ = {drive:g}. The network overflows."
        )
    return signals


ADAPTATION = "adaptation"
"""Name of the array of `adaptation` among the arrays of an experiment."""

SHIFTED = ("n", "s")

LEAST_SHIFTS = (0.1, 0.01)
"""Shifts Δn and Δs below which a controller does not count as adapting, about those of an untrained
controller at the paper's sizes."""

R_SQUARED = 0.9
"""R² above which a curve counts as describing the points."""

MOVED = Array("2 2", least=0)
"""Description of the array of `adaptation`, for `Experiment.keeps`."""


def adaptation(network: TrainedRun, preset: Preset) -> np.ndarray:
    """The shifts of n and s under the strongest step drive, after and before training.

    A shift is the mean over units of the absolute difference between the values with and without
    the drive, in the later half of the drive's window.

    Returns:
        The shifts, (2, 2), with rows for the trained and the untrained network, and columns for n
        and s.
    """
    return np.array([_shifts(network, preset, model) for model in (network.model, network.start)])


def _shifts(network, preset, model):
    drives = (0.0, max(preset.step_amplitudes))
    still, driven = (
        {name: recording[name].mean(axis=(0, 1), dtype="float64") for name in SHIFTED}
        for recording in under_drives(network, preset, drives, SHIFTED, later_half, model=model)
    )
    return [np.abs(driven[name] - still[name]).mean() for name in SHIFTED]


def where_adapted(claims: Sequence[Claim], results: Results) -> tuple[Claim, ...]:
    """Claims about adaptation; they are undecided unless the ARUN adapts with every seed.

    A controller adapts if both shifts exceed those before training, and `LEAST_SHIFTS`.

    Args:
        claims: Claims about the ARUN.
        results: Results with the array of `adaptation`.
    """
    trained, start = np.moveaxis(results.stacked("arun", ADAPTATION), 1, 0)
    adapting = (trained > np.maximum(start, LEAST_SHIFTS)).all(axis=1)
    if adapting.all():
        return tuple(claims)
    still = [str(seed) for seed, adapts in zip(results.seeds, adapting, strict=True) if not adapts]
    return undecided(
        claims,
        f"controllers adapt no more than before training, or hardly (seed {', '.join(still)})",
    )


def where_described(
    claims: Sequence[Claim], r_squared: Mapping[str, Sequence[float]]
) -> tuple[Claim, ...]:
    """Claims about fractional orders; they are undecided unless the orders describe the responses.

    With R² ≤ 0 the best order is farther from the drive than a constant, and only reflects how
    large the response is.

    Args:
        claims: The claims.
        r_squared: R² of the fits that decide them, by what they are fits of.
    """
    poor = [
        f"{name}: R² down to {min(values):.3g}"
        for name, values in r_squared.items()
        if min(values) <= 0
    ]
    reason = f"the orders do not describe the responses ({', '.join(poor)})"
    return undecided(claims, reason) if poor else tuple(claims)


def adaptation_table(results: Results) -> Table:
    """The table of the shifts Δn and Δs of the ARUN, trained and before training."""
    shifts = np.moveaxis(results.stacked("arun", ADAPTATION), 0, -1)
    rows = zip(("trained", "before training"), *np.swapaxes(shifts, 0, 1), strict=True)
    least = ("needed for a decision, besides more than before training", *map(str, LEAST_SHIFTS))
    return over_seeds(("under the strongest drive", "Δn", "Δs"), (*rows, least))


def required(results: Results, names: Sequence[str]) -> list[str]:
    """Those of the names that were measured, which must be at least one.

    Raises:
        ValueError: None of them was measured.
    """
    present = results.present(*names)
    if not present:
        raise ValueError(
            f"This experiment needs one of {', '.join(names)}. Received: "
            f"{', '.join(results) or 'no network'}."
        )
    return present
