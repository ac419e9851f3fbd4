"""Run the experiments of one network on a finished run, and write a report beside it."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

from aru_keras import tasks
from aru_keras.arguments import one_of
from aru_keras.files import make_folder
from aru_keras.plots import style
from aru_keras.runners.experiments import report
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.presets import preset as preset_named
from aru_keras.runners.experiments.reproduce import concluded, drawn
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.workspace import Network, checked
from aru_keras.runners.run_folder import RunFolder
from aru_keras.runners.train import versions


def analyze(
    run: str | os.PathLike,
    folder: str | os.PathLike | None = None,
    *,
    preset: str | None = None,
    only: Sequence[str] | None = None,
    formats: Sequence[str] = report.FORMATS,
    dpi: int = style.DPI,
    say=print,
) -> list[Path]:
    """Measure a trained network in all the ways that the paper measures one of its kind.

    Args:
        run: Folder of a finished run.
        folder: Of the report; None: `analysis` in the run's.
        preset: Name in `presets.PRESETS`, for the grids; None: "quick" for the digits, "small"
            for larger images.
        only: Names of experiments; None: all, of which those that measure other networks, or
            compare several, say so.
        formats: Of the figures, as `plots.save` takes them; PNG is written in any case.
        dpi: Dots an inch of their PNGs.
        say: Called with a line before each experiment.

    Returns:
        The report's files.

    Raises:
        ValueError: There is no such experiment, preset or format, it measures other networks, or
            `folder` cannot be one.
        RunError: The run is not finished, something in it is damaged or of another run, or the
            report cannot be written. An earlier report stays as it is.
    """
    run = RunFolder(run)
    config, results = run.load_config(), run.load_results()
    run.check_order()
    digits = tasks.TASKS[config.task].collection == "digits"
    chosen = preset_named(preset or ("quick" if digits else "small"))
    chosen = dataclasses.replace(chosen, task=config.task)
    network = Network(config.model, config.seed, run)
    network.check()
    fitting = [name for name, one in EXPERIMENTS.items() if _fits(one, config.model, chosen)]
    names = [_chosen(name, fitting, chosen) for name in only] if only else list(EXPERIMENTS)
    formats, dpi = style.checked_output(formats, dpi)
    path = make_folder("folder", folder or run.path / "analysis")
    sections = []
    for place, name in enumerate(names):
        experiment = EXPERIMENTS[name]
        if name not in fitting:
            sections.append(report.Section(experiment, None, {}, _why_not(experiment, chosen)))
            continue
        say(f"[{place + 1}/{len(names)}] {experiment.heading}")
        sections.append(concluded(experiment, _measurement(experiment, network, chosen), chosen))
    facts = {
        "command": f"aru-keras analyze {run.path}",
        "network": f"{config.model}, {results['parameters']:,} parameters, on {config.task}",
        "test accuracy": f"{results['test_accuracy']:.4f}",
        "with": ", ".join(f"{name} {version}" for name, version in versions().items()),
    }
    sections = [drawn(one, path) for one in sections]
    return report.write(path, f"Analysis of {run.path.name}", facts, sections)


def _measurement(experiment, network, preset):
    return lambda: Results(
        {network.name: {network.seed: checked(experiment.measure(network, preset))}}
    )


def _chosen(name, fitting, preset):
    if name not in fitting and name in EXPERIMENTS:
        raise ValueError(
            f"`only` must be experiments of one such network: {', '.join(fitting)}. Received: "
            f"{name!r}; {_why_not(EXPERIMENTS[name], preset)}"
        )
    return one_of("only", name, fitting)


def _fits(experiment, model, preset):
    """Whether a network of this kind shows something by itself, or none is needed."""
    kinds = [name.partition("-")[0] for name in experiment.trainings(preset)]
    return experiment.alone and (model in kinds or not kinds)


def _why_not(experiment, preset):
    if experiment.alone:
        return f"it is about other networks: {', '.join(experiment.trainings(preset))}."
    return f"it compares networks: aru-keras reproduce --only {experiment.name}."
