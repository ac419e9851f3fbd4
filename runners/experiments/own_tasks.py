"""Which experiments make sense for a network on sequences of one's own, and why others do not."""

import dataclasses
from collections.abc import Mapping

from aru_keras.perturbations import StepDrive
from aru_keras.runners.experiments.presets import Preset
from aru_keras.tasks import Task, TaskSpec
from aru_keras.tasks.specs import ARRAYS

_OTHER_TASK = "it needs another task of the paper beside the network's own"
_CLASS_AT_END = "it counts right classes at the end of a sequence"
_ONE_LENGTH = "it needs sequences of one length"

NEEDS: Mapping[str, str] = {
    "accuracy": _CLASS_AT_END,
    "robustness": _CLASS_AT_END,
    "sensitivity": _CLASS_AT_END,
    "gradients": _CLASS_AT_END,
    "heterogeneity": _OTHER_TASK,
    "transfer": _OTHER_TASK,
    "fractional-tasks": _OTHER_TASK,
    "gain-scaling": _ONE_LENGTH,
    "transients": _ONE_LENGTH,
    "fractional-signals": _ONE_LENGTH,
    "noise-boundary": _ONE_LENGTH,
    "stationary-distribution": _ONE_LENGTH,
    "lyapunov": _ONE_LENGTH,
}
"""What an experiment needs of a task, as a reason; the others look at weights alone."""

DRIVEN = (
    "robustness",
    "sensitivity",
    "gain-scaling",
    "transients",
    "noise-boundary",
    "stationary-distribution",
    "lyapunov",
)
"""Experiments with the paper's step drive, whose time must fall on a step of the sequence."""


def reason_against(name: str, spec: TaskSpec) -> str | None:
    """Why an experiment makes no sense for the networks of a task; None if it does.

    Args:
        name: The name of the experiment.
        spec: The specification of the task.
    """
    need = NEEDS.get(name)
    if need is None or spec.collection != ARRAYS:
        return None
    if name in DRIVEN and not spec.ragged and not _has_drive(spec.timesteps):
        return f"the paper's step drive does not fit into {spec.timesteps} steps."
    if spec.ragged and need != _OTHER_TASK:
        need = _ONE_LENGTH
    met = {
        _CLASS_AT_END: spec.target == "class" and not spec.every_step,
        _OTHER_TASK: False,
        _ONE_LENGTH: not spec.ragged,
    }
    return None if met[need] else f"{need}."


def _has_drive(timesteps):
    try:
        return bool(StepDrive().window(timesteps))
    except ValueError:
        return False


def fitted(preset: Preset, task: Task) -> Preset:
    """A preset that asks for no more sequences than the splits of a task of one's own have.

    Args:
        preset: The preset.
        task: The task. For one of the paper the preset stays as it is.
    """
    if task.spec.collection != ARRAYS:
        return preset
    fewest = min(task.sizes["train"], task.sizes["test"])
    return dataclasses.replace(
        preset,
        recorded_images=min(preset.recorded_images, fewest),
        noise_seeds=preset.noise_seeds[:fewest],
    )
