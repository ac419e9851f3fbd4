"""The networks that the experiments need, by name: what is trained, on what, and from where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aru_keras import models
from aru_keras.runners.config import TrainConfig
from aru_keras.runners.experiments.presets import Preset

MAIN = tuple(models.NETWORKS)
"""The paper's five networks on the main task; a training's name is the network's."""

DRIVEN = ("arun", "gamma", "relu")
"""Those to whose pre-activations a drive can be added."""

SHARED, ONE_POINT = "gamma-shared", "gamma-one-point"
DONOR, TRANSPLANTED = "arun-donor", "arun-transplanted"
SECOND_TASK = "arun-second-task"
ONE_POINT_GAIN = 6.0
"""The mean of the draw 5 + 2·U(0, 1) with which homogeneous networks start."""

DONOR_SHIFT = 1000
"""What is added to the seed of a network whose controller another one takes."""

PILOT_SUFFIXES = {"arun": ("", "-again")}
"""The pilot trains a network once at each learning rate, ARUN, which varies, with two seeds."""

PILOT_SEED = 0
"""The seed of the pilot, whatever seeds are reproduced."""

RETRAINED = {
    "gamma-rotated-activation": ("gamma", "activation"),
    "gamma-rotated-readout": ("gamma", "readout"),
    "arun-rotated-controller": ("arun", "activation"),
    "arun-rotated-readout": ("arun", "readout"),
    "gamma-one-point-rotated": (ONE_POINT, "activation"),
}
"""Trainings on the rotated task: what they start from, and the part that trains."""


@dataclass(frozen=True)
class Training:
    """A network to train.

    Attributes:
        name: Of the training; with a seed it names the folder of the run.
        options: Of `TrainConfig`.
        start: Name of the training, of the same seed, whose weights it takes, if any.
        seed_shift: Added to the seed.
        chooses_rate: Whether its learning rate is the pilot's choice, where there is a pilot.
    """

    name: str
    options: Mapping = field(default_factory=dict)
    start: str | None = None
    seed_shift: int = 0
    chooses_rate: bool = True


def on_task(preset: Preset, network: str, task: str) -> str:
    """Name of the training of one of the five networks on a task of the preset."""
    if task == preset.task:
        return network
    return SECOND_TASK if (network, task) == ("arun", preset.second_task) else f"{network}-{task}"


def pilot_names(preset: Preset, network: str) -> dict[float, list[str]]:
    """Names of the pilot's trainings of a network, one a seed, by learning rate."""
    return {
        rate: [f"pilot-{network}-{rate:g}{end}" for end in PILOT_SUFFIXES.get(network, ("",))]
        for rate in preset.pilot_rates
    }


def best_rate(accuracies: Mapping[float, Sequence[float]]) -> float:
    """The learning rate with the highest mean accuracy; of equal ones the lowest."""
    return max(sorted(accuracies), key=lambda rate: sum(accuracies[rate]) / len(accuracies[rate]))


def landscape_name(kind: str, n: float, s: float) -> str:
    """Name of a homogeneous RNN+γ with a "fixed" or "trained" (n, s) that starts here."""
    return f"gamma-{kind}-n{n:g}-s{s:g}"


def trainings(preset: Preset) -> dict[str, Training]:
    """All trainings of a preset by name, each after those that it starts from."""
    found = [Training(name, _main(preset, model=name)) for name in MAIN]
    found += [
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
    found += [
        Training(on_task(preset, name, task), _other(preset, name, task))
        for task in preset.table_tasks
        for name in MAIN
    ]
    found += [_retrained(preset, name, *what) for name, what in RETRAINED.items()]
    found += _landscape(preset)
    return {one.name: one for one in _pilot(preset) + found}


def config(
    training: Training,
    seed: int,
    start_folder: str | None = None,
    learning_rate: float | None = None,
) -> TrainConfig:
    """The configuration of a training.

    Args:
        training: Which one.
        seed: Of the experiment; the training's shift is added.
        start_folder: Of the finished run that it starts from, if it does.
        learning_rate: What the pilot chose for its network; None: that of its options.
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
        for network in MAIN
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
