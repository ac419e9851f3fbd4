"""Which experiments make sense for a network on sequences of one's own, and why others do not."""

import dataclasses
from collections.abc import Callable, Mapping

from aru_keras.analysis.gain_scaling import NoiseBurst
from aru_keras.analysis.transients import steady_state
from aru_keras.perturbations import StepDrive
from aru_keras.runners.experiments.onset import offsets_after_onset
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


def _steady_state(timesteps):
    return steady_state(StepDrive(), timesteps)


_STEP_DRIVE = ("the paper's step drive", StepDrive().window)
_SETTLED = ("the steady state under the paper's step drive", _steady_state)

PROTOCOLS: Mapping[str, tuple[str, Callable[[int], object]]] = {
    "robustness": _STEP_DRIVE,
    "sensitivity": _STEP_DRIVE,
    "gain-scaling": ("the paper's burst of noise", NoiseBurst.scaled),
    "transients": _SETTLED,
    "noise-boundary": _SETTLED,
    "stationary-distribution": _STEP_DRIVE,
    "lyapunov": ("the time after the onset of the paper's step drive", offsets_after_onset),
    "fractional-signals": _STEP_DRIVE,
}
"""Experiments whose protocol is scaled to the sequences: its words, and what fails where T is too
small for it."""


def reason_against(name: str, spec: TaskSpec) -> str | None:
    """Why an experiment makes no sense for the networks of a task; None if it does.

    Args:
        name: The name of the experiment.
        spec: The specification of the task.
    """
    need = NEEDS.get(name)
    if need is None or spec.collection != ARRAYS:
        return None
    if name in PROTOCOLS and not spec.ragged and not _fits_into(spec.timesteps, name):
        return f"{PROTOCOLS[name][0]} does not fit into {spec.timesteps} steps."
    if spec.ragged and need != _OTHER_TASK:
        need = _ONE_LENGTH
    met = {
        _CLASS_AT_END: spec.target == "class" and not spec.every_step,
        _OTHER_TASK: False,
        _ONE_LENGTH: not spec.ragged,
    }
    return None if met[need] else f"{need}."


def _fits_into(timesteps, name):
    try:
        return bool(PROTOCOLS[name][1](timesteps))
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
