"""Presets: sizes of the experiments, which all follow the same protocols."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from aru_keras import models
from aru_keras._util.arguments import one_of
from aru_keras.analysis import gain_scaling, jacobian, robustness, sensitivity, step_response
from aru_keras.runners.config import PAPER

PHASES = tuple(2 * math.pi * k / 4 for k in range(4))


@dataclass(frozen=True)
class Preset:
    """Tasks, sizes and grids of the experiments.

    Attributes:
        name: Name of the preset.
        task: Main task.
        rotated_task: Task of the transfer experiment.
        second_task: Second task in the comparison of fractional orders.
        table_tasks: Further tasks in the table of accuracies.
        networks: Networks of `models.NETWORKS` that are compared.
        experiments: Names of the experiments that the preset has; empty for all.
        options: Options of `TrainConfig` for every training on the main task.
        second_options: Options of `TrainConfig` for trainings on the other tasks.
        task_options: Further options of `TrainConfig`, by task, that override `second_options`.
        pilot_rates: Learning rates that a pilot tries on the main task. Each network then trains
            everywhere with the rate that gave its highest validation accuracy. If empty, there is
            no pilot, and the options give the learning rates.
        pilot_epochs: Number of epochs of a training of the pilot.
        seeds: Default number of seeds.
        transfer_epochs: Number of epochs of retraining on the rotated task.
        gains, saturations: Grid (n, s) of the landscape.
        trained_gains, trained_saturations: Initial values of the trained (n, s) on the landscape.
        landscape_epochs: Number of epochs of a training of the landscape.
        test_images: Number of test images for the robustness curves; None for all.
        map_images: Number of test images for the sensitivity maps; None for all.
        recorded_images: Number of test images for which signals are recorded.
        step_amplitudes: Amplitudes ξ of the step drive.
        contrast_amplitudes: Amplitudes A of the contrast.
        phases: Phases φ of the contrast in its map.
        durations: Durations τ of the step drive in its map, for 784 steps.
        noise_seeds: Seeds of the noise in the gain-scaling protocol.
        repeats: Number of repeats in the fractional-order protocol.
        exponent_steps: Number of steps of the trajectories for Lyapunov exponents.
        exponent_starts: Number of initial conditions for Lyapunov exponents.
    """

    name: str
    task: str
    rotated_task: str
    second_task: str
    table_tasks: tuple = ()
    networks: tuple = tuple(models.NETWORKS)
    experiments: tuple = ()
    options: Mapping = field(default_factory=dict)
    second_options: Mapping = field(default_factory=dict)
    task_options: Mapping = field(default_factory=dict)
    pilot_rates: tuple = ()
    pilot_epochs: int = 10
    seeds: int = 1
    transfer_epochs: int = 20
    gains: tuple = jacobian.GRID_GAINS
    saturations: tuple = jacobian.GRID_SATURATIONS
    trained_gains: tuple = jacobian.GRID_GAINS
    trained_saturations: tuple = jacobian.GRID_SATURATIONS
    landscape_epochs: int = 10
    test_images: int | None = None
    map_images: int | None = None
    recorded_images: int = 100
    step_amplitudes: tuple = robustness.STEP_AMPLITUDES
    contrast_amplitudes: tuple = robustness.CONTRAST_AMPLITUDES
    phases: tuple = sensitivity.CONTRAST_PHASES
    durations: tuple = sensitivity.STEP_DURATIONS
    noise_seeds: tuple = gain_scaling.NOISE_SEEDS
    repeats: int = step_response.StepProtocol.repeats
    exponent_steps: int = 1000
    exponent_starts: int = 32

    @property
    def unsearched(self) -> tuple[str, ...]:
        """Networks that train with options chosen for other networks; no claim about them decides.

        With a pilot, every network has a learning rate of its own. Without options of the preset,
        the protocol is the paper's.
        """
        return () if self.pilot_rates or not self.options else models.GATED

    def sizes(self) -> dict[str, int]:
        """The lengths of the axes of measurements that depend on the preset, by axis."""
        return {
            "ξ": len(self.step_amplitudes),
            "A": len(self.contrast_amplitudes),
            "φ": len(self.phases),
            "τ": len(self.durations),
            "draws": len(self.noise_seeds),
        }


NO_DECAY = {"weight_decay": 0.0}
"""Like the paper, reproductions train without the weight decay of `aru-keras train digits`, which
shrinks all weights and so changes the gains and the spectrum."""

PRESETS = {
    preset.name: preset
    for preset in (
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
            "medium-long",
            task="psmnist",
            rotated_task="rotated-psmnist",
            second_task="scifar10-conv",
            networks=("arun", "gamma", "relu"),
            experiments=("pilot", "accuracy", "robustness", "gradients"),
            options={"units": 128, "controller_units": 16, "epochs": 20},
            second_options={"units": 128, "controller_units": 16, "epochs": 20},
            pilot_rates=(1e-4, 3e-4, 1e-3),
            pilot_epochs=4,
            seeds=3,
            test_images=2000,
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
    """The preset of a name.

    Raises:
        ValueError: There is no preset of this name.
    """
    return PRESETS[one_of("preset", name, PRESETS)]
