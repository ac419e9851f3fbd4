"""Measure a finished run with the experiments for a single network, and write a report."""

import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from aru_keras._util.arguments import one_of
from aru_keras._util.files import make_folder
from aru_keras.plots import style
from aru_keras.runners import scores
from aru_keras.runners.experiments import report
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.measurement_files import checked
from aru_keras.runners.experiments.own_tasks import fitted, reason_against
from aru_keras.runners.experiments.presets import Preset
from aru_keras.runners.experiments.presets import preset as preset_named
from aru_keras.runners.experiments.reproduce import concluded, drawn, failed
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.trained_run import StartError, TrainedRun
from aru_keras.runners.provenance import versions
from aru_keras.runners.run_folder import RunFolder
from aru_keras.tasks import TASKS, DatasetError, Task
from aru_keras.tasks.specs import ARRAYS


def analyze(
    run: str | os.PathLike,
    folder: str | os.PathLike | None = None,
    *,
    preset: str | None = None,
    only: Sequence[str] | None = None,
    formats: Sequence[str] = report.FORMATS,
    dpi: int = style.DPI,
    say: Callable[[str], object] = print,
) -> list[Path]:
    """Measure a trained network with all the paper's experiments for a network of its kind.

    Args:
        run: Folder of a finished run, or `pretrained:NAME`.
        folder: Folder of the report; None for `analysis` in the folder of the run, and in
            `runs/NAME` for a pretrained network.
        preset: Name in `presets.PRESETS` of the preset with the grids; None for "quick" with the
            digits, and "small" with larger images.
        only: Names of experiments; None for all. The report then says which experiments need
            other networks, or several.
        formats: Formats of the figures, as in `plots.save`; PNG is always written.
        dpi: Resolution of the PNG files, in dots per inch.
        say: Function that is called with a line of text before each experiment.

    Returns:
        The files of the report.

    Raises:
        ValueError: There is no such experiment, preset or format, an experiment measures other
            networks, or `folder` cannot be a folder. What an experiment alone refuses stands in its
            section of the report.
        RunError: The run is not finished, something in it is damaged or of another run, or the
            report cannot be written. An earlier report stays as it is.
    """
    measured_run = RunFolder(run)
    config, results = measured_run.load_config(), measured_run.load_results()
    measured_run.check_order()
    network = TrainedRun(config.model, config.seed, measured_run)
    network.check()
    spec = network.task.spec
    small = spec.collection in ("digits", ARRAYS)
    chosen = fitted_preset(preset or ("quick" if small else "small"), network.task)
    reasons = {
        name: _reason_against(experiment, config.model, chosen, spec)
        for name, experiment in EXPERIMENTS.items()
    }
    names = [_chosen(name, reasons) for name in only] if only else list(EXPERIMENTS)
    formats, dpi = style.checked_output(formats, dpi)
    path = make_folder("folder", folder or measured_run.products / "analysis")
    sections = []
    for index, name in enumerate(names):
        experiment = EXPERIMENTS[name]
        if reasons[name]:
            sections.append(report.Section(experiment, None, {}, reasons[name]))
            continue
        say(f"[{index + 1}/{len(names)}] {experiment.heading}")
        sections.append(_section(experiment, network, chosen))
    facts = {
        "command": f"aru-keras analyze {run}",
        "network": f"{config.model}, {results['parameters']:,} parameters, on {network.task.name}",
        f"test {scores.WORDS[scores.score_of(results)]}": scores.number(results),
        "with": ", ".join(f"{name} {version}" for name, version in versions().items()),
    }
    sections = [drawn(section, path, formats, dpi) for section in sections]
    return report.write(path, f"Analysis of {measured_run.path.name}", facts, sections)


def fitted_preset(name: str, task: Task) -> Preset:
    """A preset of `presets.PRESETS` with a run's own task in place of the main task."""
    rotated = f"rotated-{task.spec.name}"
    chosen = dataclasses.replace(
        preset_named(name), task=task.spec.name, rotated_task=rotated if rotated in TASKS else ""
    )
    return fitted(chosen, task)


def _section(experiment, network, preset):
    """The section of an experiment; if it cannot be made with this network, with the reason."""

    def measured():
        arrays = checked(experiment.measure(network, preset))
        return Results({network.name: {network.seed: arrays}})

    try:
        return concluded(experiment, measured, preset)
    except (DatasetError, StartError, ValueError) as error:
        return failed(experiment, error)


def _chosen(name, reasons):
    fitting = [name for name, reason in reasons.items() if reason is None]
    if reasons.get(name):
        raise ValueError(
            f"`only` must be experiments on a single network of this kind: {', '.join(fitting)}. "
            f"Received: {name!r}; {reasons[name]}"
        )
    return one_of("only", name, fitting)


def _reason_against(experiment, model, preset, spec):
    """Why an experiment cannot be made with this network on its task; None if it can."""
    if not _fits(experiment, model, preset):
        return _why_not(experiment, preset)
    reason = reason_against(experiment.name, spec)
    if experiment.name == "transfer" and not (reason or preset.rotated_task):
        return f"the rotated images are not those of {preset.task}."
    return reason


def _fits(experiment, model, preset):
    """Whether the experiment measures a single network of this kind, or needs none."""
    kinds = [name.partition("-")[0] for name in experiment.trainings(preset)]
    return experiment.alone and (model in kinds or not kinds)


def _why_not(experiment, preset):
    if experiment.alone:
        return f"it is about other networks: {', '.join(experiment.trainings(preset))}."
    return f"it compares networks. Use aru-keras reproduce --only {experiment.name}."
