"""How large the experiments are: three presets, all on the same protocols."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from aru_keras.analysis import gain_scaling, jacobian, robustness, step_response
from aru_keras.arguments import one_of
from aru_keras.runners.config import PAPER

PHASES = tuple(2 * math.pi * k / 4 for k in range(4))


@dataclass(frozen=True)
class Preset:
    """Tasks, sizes and grids.

    Attributes:
        name: Of the preset.
        task: The main task.
        rotated_task: For the transfer.
        second_task: For the comparison of fractional orders.
        table_tasks: Further tasks of the table of accuracies.
        options: Of `TrainConfig`, for every training on the main task.
        second_options: Of `TrainConfig`, for trainings on the other tasks.
        task_options: Of `TrainConfig` by task, beside `second_options`.
        pilot_rates: Learning rates that a pilot tries on the main task. Each network then trains
            everywhere with the one that gave it the highest validation accuracy. None: no pilot,
            and the learning rates of the options.
        pilot_epochs: Epochs of a training of the pilot.
        seeds: Number of seeds by default.
        transfer_epochs: Epochs of retraining on the rotated task.
        gains, saturations: Grid of the landscape, (n, s).
        trained_gains, trained_saturations: Where trained (n, s) start on the landscape.
        landscape_epochs: Epochs of a training of the landscape.
        test_images: Test images of the robustness curves; None: all.
        map_images: Test images of the sensitivity maps.
        recorded_images: Test images of which signals are recorded.
        step_amplitudes: ξ of the step drive.
        contrast_amplitudes: A of the contrast.
        phases: φ of the contrast's map.
        durations: τ of the step drive's map, of 784 steps.
        noise_seeds: Of the gain-scaling protocol.
        repeats: Of the fractional-order protocol.
        exponent_steps: Length of the trajectories for Lyapunov exponents.
        exponent_starts: Initial conditions.
    """

    name: str
    task: str
    rotated_task: str
    second_task: str
    table_tasks: tuple = ()
    options: Mapping = field(default_factory=dict)
    second_options: Mapping = field(default_factory=dict)
    task_options: Mapping = field(default_factory=dict)
    pilot_rates: tuple = ()
    pilot_epochs: int = 10
    seeds: int = 1
    transfer_epochs: int = 20
    gains: tuple = jacobian.GAINS
    saturations: tuple = jacobian.SATURATIONS
    trained_gains: tuple = jacobian.GAINS
    trained_saturations: tuple = jacobian.SATURATIONS
    landscape_epochs: int = 10
    test_images: int | None = None
    map_images: int | None = None
    recorded_images: int = 100
    step_amplitudes: tuple = robustness.STEP_AMPLITUDES
    contrast_amplitudes: tuple = robustness.CONTRAST_AMPLITUDES
    phases: tuple = robustness.CONTRAST_PHASES
    durations: tuple = robustness.STEP_DURATIONS
    noise_seeds: tuple = gain_scaling.SEEDS
    repeats: int = step_response.StepProtocol.repeats
    exponent_steps: int = 1000
    exponent_starts: int = 32

    def sizes(self) -> dict[str, int]:
        """Lengths of the axes of measurements that the preset decides, by their names."""
        return {
            "ξ": len(self.step_amplitudes),
            "A": len(self.contrast_amplitudes),
            "φ": len(self.phases),
            "τ": len(self.durations),
            "draws": len(self.noise_seeds),
        }


NO_DECAY = {"weight_decay": 0.0}
"""Reproductions train without the weight decay of `aru-keras train digits`, as the paper does: it
shrinks every weight, and with them moves the gains and the spectrum."""

PRESETS = {
    one.name: one
    for one in (
        Preset(
            "quick",
            task="digits",
            rotated_task="rotated-digits",
            second_task="sdigits",
            options=NO_DECAY,
            second_options=NO_DECAY,
            gains=(1.0, 2.5, 5.0, 10.0, 20.0),
            saturations=(0.0, 0.5, 1.0),
            trained_gains=(2.5, 10.0),
            trained_saturations=(0.0, 0.5),
            map_images=200,
            contrast_amplitudes=(0, 0.25, 0.5, 0.75, 1),
            phases=PHASES,
            durations=(100, 200, 400),
            noise_seeds=(0, 1, 2),
            repeats=5,
            exponent_steps=500,
            exponent_starts=8,
        ),
        Preset(
            "small",
            task="psmnist",
            rotated_task="rotated-psmnist",
            second_task="scifar10-conv",
            options={
                "downsample": 2,
                "units": 128,
                "controller_units": 8,
                "epochs": 10,
                "learning_rate": 1e-3,
                "schedule": "cosine",
                "clip_norm": 1.0,
            },
            second_options={
                "units": 128,
                "controller_units": 8,
                "epochs": 5,
                "limit": 10_000,
                "learning_rate": 1e-3,
                "schedule": "cosine",
                "clip_norm": 1.0,
            },
            transfer_epochs=10,
            gains=(1.0, 2.5, 5.0, 10.0, 20.0),
            saturations=(0.0, 0.5, 1.0),
            trained_gains=(2.5, 10.0),
            trained_saturations=(0.0, 0.5),
            landscape_epochs=2,
            test_images=2000,
            map_images=500,
            phases=PHASES,
            durations=(50, 100, 200, 400),
            noise_seeds=(0, 1, 2, 3, 4),
        ),
        Preset(
            "medium",
            task="psmnist",
            rotated_task="rotated-psmnist",
            second_task="scifar10-conv",
            table_tasks=("scifar10", "scifar10-conv"),
            options={"downsample": 2, "units": 128, "controller_units": 32, "epochs": 30},
            second_options={"units": 128, "controller_units": 32, "epochs": 15},
            task_options={"scifar10": {"downsample": 2}},
            pilot_rates=(1e-4, 3e-4, 1e-3),
            seeds=3,
            transfer_epochs=PAPER["epochs"],
            gains=(1.0, 1.25, 2.5, 3.75, 5.0, 7.5, 10.0, 15.0, 20.0),
            trained_gains=(2.5, 10.0),
            trained_saturations=(0.0, 0.5),
            landscape_epochs=5,
            test_images=2000,
            map_images=500,
            phases=PHASES,
            durations=(50, 100, 200, 400),
            noise_seeds=(0, 1, 2, 3, 4),
        ),
        Preset(
            "paper",
            task="psmnist",
            rotated_task="rotated-psmnist",
            second_task="scifar10-conv",
            table_tasks=("scifar10", "scifar10-conv"),
            seeds=5,
            transfer_epochs=PAPER["epochs"],
            landscape_epochs=PAPER["epochs"],
            map_images=1000,
        ),
    )
}


def preset(name: str) -> Preset:
    """A preset by name.

    Raises:
        ValueError: There is none of this name.
    """
    return PRESETS[one_of("preset", name, PRESETS)]
