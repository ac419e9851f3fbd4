"""The trainings that the experiments need, by name: network, task, options and initial weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aru_keras import models
from aru_keras.runners.config import TrainConfig
from aru_keras.runners.experiments.presets import Preset

MAIN = tuple(models.NETWORKS)
"""The paper's five networks. On the main task, the name of the training is that of the network."""

DRIVEN = ("arun", "gamma", "relu")
"""The networks to whose pre-activations a drive can be added."""

SHARED, ONE_POINT = "gamma-shared", "gamma-one-point"
ONE_POINT_ROTATED = "gamma-one-point-rotated"
DONOR, TRANSPLANTED = "arun-donor", "arun-transplanted"
SECOND_TASK = "arun-second-task"
ONE_POINT_GAIN = 6.0
"""Initial gain of the cloud: the mean of the draw 5 + 2·U(0, 1) of homogeneous networks."""

DONOR_SHIFT = 1000
"""Shift of the seed of a network whose controller is given to another network."""

PILOT_SUFFIXES = {"arun": ("", "-again")}
"""Endings of the names of the pilot's trainings, one per seed. All networks have one seed but ARUN,
whose accuracy varies more between seeds; it has two."""

PILOT_SEED = 0
"""Seed of the pilot, independent of the seeds that are reproduced."""

RETRAINED = {
    "gamma-rotated-activation": ("gamma", "activation"),
    "gamma-rotated-readout": ("gamma", "readout"),
    "arun-rotated-controller": ("arun", "activation"),
    "arun-rotated-readout": ("arun", "readout"),
    ONE_POINT_ROTATED: (ONE_POINT, "activation"),
}
"""Trainings on the rotated task: the training that each starts from, and the group that trains."""


@dataclass(frozen=True)
class Training:
    """A network to train.

    Attributes:
        name: Name of the training; name and seed give the folder of the run.
        options: Options of `TrainConfig`.
        start: Name of the training, with the same seed, whose weights it takes; None for new ones.
        seed_shift: Number that is added to the seed.
        chooses_rate: Whether the pilot chooses its learning rate, if there is a pilot.
    """

    name: str
    options: Mapping = field(default_factory=dict)
    start: str | None = None
    seed_shift: int = 0
    chooses_rate: bool = True


def on_task(preset: Preset, network: str, task: str) -> str:
    """The name of the training of one of the five networks on a task of the preset."""
    if task == preset.task:
        return network
    return SECOND_TASK if (network, task) == ("arun", preset.second_task) else f"{network}-{task}"


def pilot_names(preset: Preset, network: str) -> dict[float, list[str]]:
    """The names of the pilot's trainings of a network, one for each seed, by learning rate."""
    return {
        rate: [f"pilot-{network}-{rate:g}{end}" for end in PILOT_SUFFIXES.get(network, ("",))]
        for rate in preset.pilot_rates
    }


def best_rate(accuracies: Mapping[float, Sequence[float]]) -> float:
    """The learning rate with the highest mean accuracy; the lowest one if several are equal."""
    return max(sorted(accuracies), key=lambda rate: sum(accuracies[rate]) / len(accuracies[rate]))


def landscape_name(kind: str, n: float, s: float) -> str:
    """The name of a homogeneous RNN+γ with a "fixed" or "trained" (n, s) that starts at (n, s)."""
    return f"gamma-{kind}-n{n:g}-s{s:g}"


def trainings(preset: Preset) -> dict[str, Training]:
    """All trainings of a preset by name. Each comes after the training that it starts from."""
    planned = [Training(name, _main(preset, model=name)) for name in preset.networks]
    planned += [
        Training(SHARED, _main(preset, model="gamma", shared=True)),
        Training(ONE_POINT, _main(preset, model="gamma", n=ONE_POINT_GAIN, s=0.0)),
        Training(DONOR, _main(preset, model="arun"), seed_shift=DONOR_SHIFT),
        Training(
            TRANSPLANTED,
            _main(preset, model="arun", take="activation", trained="recurrent+readout"),
            start=DONOR,
        ),
        Training(SECOND_TASK, _other(preset, "arun", preset.second_task)),
    ]
    planned += [
        Training(on_task(preset, name, task), _other(preset, name, task))
        for task in preset.table_tasks
        for name in preset.networks
    ]
    planned += [_retrained(preset, name, *what) for name, what in RETRAINED.items()]
    planned += _landscape(preset)
    return {training.name: training for training in _pilot(preset) + planned}


def config(
    training: Training,
    seed: int,
    start_folder: str | None = None,
    learning_rate: float | None = None,
) -> TrainConfig:
    """The configuration of a training.

    Args:
        training: Training to configure.
        seed: Seed of the experiment; the training's shift is added.
        start_folder: Folder of the finished run that it starts from, if any.
        learning_rate: Learning rate that the pilot chose; None for that of the options.
    """
    options = dict(training.options)
    if training.start:
        options["start"] = start_folder
    if learning_rate is not None:
        options["learning_rate"] = learning_rate
    return TrainConfig(**options, seed=seed + training.seed_shift)


def _main(preset, **options):
    return {"task": preset.task, **preset.options, **options}


def _other(preset, network, task):
    own = preset.task_options.get(task, {})
    return {"task": task, "model": network, **preset.second_options, **own}


def _retrained(preset, name, start, part):
    options = _main(preset, model=start.partition("-")[0], trained=part)
    options |= {"task": preset.rotated_task, "epochs": preset.transfer_epochs}
    return Training(name, options, start=start)


def _pilot(preset):
    return [
        Training(
            name,
            _main(preset, model=network, epochs=preset.pilot_epochs, learning_rate=rate),
            seed_shift=seed,
            chooses_rate=False,
        )
        for network in preset.networks
        for rate, names in pilot_names(preset, network).items()
        for seed, name in enumerate(names)
    ]


def _landscape(preset):
    grids = {
        "fixed": (preset.gains, preset.saturations),
        "trained": (preset.trained_gains, preset.trained_saturations),
    }
    return [
        Training(
            landscape_name(kind, n, s),
            _main(preset, model="gamma", shared=True, fixed=kind == "fixed", n=n, s=s)
            | {"epochs": preset.landscape_epochs},
        )
        for kind, (gains, saturations) in grids.items()
        for n in gains
        for s in saturations
    ]
