"""Run the experiments over networks and seeds, and write the report."""

import dataclasses
import functools
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from aru_keras._util.arguments import one_of, whole
from aru_keras._util.checked_files import number, read_json, writing
from aru_keras._util.deprecated import renamed_argument
from aru_keras._util.files import write_json
from aru_keras._util.numerics import NetworkOverflowError
from aru_keras.perturbations import PAPER_TIMESTEPS, StepDrive
from aru_keras.plots import style
from aru_keras.runners.cluster import Workers
from aru_keras.runners.experiments import report
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.experiment import Experiment
from aru_keras.runners.experiments.graph import measuring
from aru_keras.runners.experiments.presets import Preset
from aru_keras.runners.experiments.presets import preset as preset_named
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.workspace import Workspace
from aru_keras.runners.provenance import versions
from aru_keras.runners.run_folder import RunError
from aru_keras.runners.schedulers import as_workers
from aru_keras.runners.work_folder import alone_in
from aru_keras.tasks import TASKS


def reproduce(
    preset: str = "quick",
    folder: str | os.PathLike | None = None,
    *,
    seeds: int | None = None,
    only: Sequence[str] | None = None,
    formats: Sequence[str] = report.FORMATS,
    dpi: int = style.DPI,
    workers: Workers | int | None = None,
    say: Callable[[str], object] = print,
) -> list[Path]:
    """Train and measure what the folder does not contain yet, and write the report.

    Args:
        preset: Name of a preset in `presets.PRESETS`.
        folder: Folder of the reproduction; by default `reproductions/PRESET`. A first report is
            written after every experiment. A later report, with these seeds and experiments,
            replaces the earlier one when it is complete. Measurements are never removed.
        seeds: Number of seeds, 0, 1, …; None for that of the preset.
        only: Names of experiments; None for all.
        formats: Formats of the figures, as in `plots.save`; PNG is always written.
        dpi: Resolution of the PNG files, in dots per inch.
        workers: Workers of a Dask cluster that train and measure, or their number on this machine;
            None for this process. The numbers and the report are the same.
        say: Function that is called with a line of text before each piece of work, or after it if
            workers do it.

    Returns:
        The files of the report.

    Raises:
        ValueError: There is no such preset, experiment or format, or `folder` cannot be a folder.
        RunError: The folder belongs to another preset, something in it is damaged, or another
            process works in it.
        ImportError: Workers are wanted, and Dask distributed is not installed.
        ClusterError: The scheduler or the workers died. What is done is kept.
    """
    chosen, workers = preset_named(preset), as_workers(workers)
    all_seeds = range(chosen.seeds if seeds is None else whole("seeds", seeds, 1))
    names = [experiment.name for experiment in offered(chosen)]
    if only:
        names = [one_of("only", name, names) for name in only]
    formats, dpi = style.checked_output(formats, dpi)
    path = Path(folder or Path("reproductions") / preset)
    experiments = [EXPERIMENTS[name] for name in names]
    with (
        alone_in(path),
        measuring(Workspace(path, chosen, say), experiments, all_seeds, workers) as results,
    ):
        clock = _Clock(path / "seconds.json")
        sections, first = [], not report.is_there(path)
        for index, experiment in enumerate(experiments):
            say(f"[{index + 1}/{len(names)}] {experiment.heading}")
            with clock:
                measured = functools.partial(results, experiment, all_seeds[: experiment.seeds])
                made = concluded(experiment, measured, chosen)
                sections.append(drawn(made, path, formats, dpi) if first else made)
            if first:
                title, facts = _head(chosen, all_seeds, only, clock)
                report.write(path, title, facts, sections)
        if not first:
            with clock:
                sections = [drawn(made, path, formats, dpi) for made in sections]
            title, facts = _head(chosen, all_seeds, only, clock)
            report.write(path, title, facts, sections)
    return [path / name for name in report.FILES]


def offered(preset: Preset) -> list[Experiment]:
    """The experiments that a preset has, in the order of their numbers."""
    return [
        experiment
        for name, experiment in EXPERIMENTS.items()
        if (not preset.experiments or name in preset.experiments) and experiment.applies(preset)
    ]


def section(
    experiment: Experiment,
    measured: Callable[[], Results],
    preset: Preset,
    folder: Path,
    formats: Sequence[str] = report.FORMATS,
    dpi: int = style.DPI,
) -> report.Section:
    """Measure, conclude and draw one experiment.

    Args:
        experiment: Experiment to make.
        measured: Function that returns its `Results`.
        preset: Preset with the grids.
        folder: Folder of the report; the figures are written to `figures/` in it.
        formats: Formats of the figures, as in `report.save_figures`.
        dpi: Resolution of the PNG files, in dots per inch.
    """
    return drawn(concluded(experiment, measured, preset), folder, formats, dpi)


def concluded(
    experiment: Experiment, measured: Callable[[], Results], preset: Preset
) -> report.Section:
    """Measure and conclude one experiment, without writing its figures.

    The arguments are those of `section`. If a network overflows, or the numbers allow no
    conclusion, the section says so. Anything else, such as a damaged file, is an error.
    """
    try:
        results = measured()
    except NetworkOverflowError as error:
        return failed(experiment, error)
    try:
        conclusion = experiment.conclude(results, preset)
    except ValueError as error:
        return failed(experiment, error)
    if results.left_out:
        note = f"{results.left_out} {conclusion.note}".rstrip()
        conclusion = dataclasses.replace(conclusion, note=note)
    return report.Section(experiment, conclusion, {})


@renamed_argument("found", "section")
def drawn(
    section: report.Section,
    folder: Path,
    formats: Sequence[str] = report.FORMATS,
    dpi: int = style.DPI,
) -> report.Section:
    """Write the figures of a section to `figures/` in a folder, and return it with their paths.

    The other arguments are those of `section`.

    Raises:
        RunError: The figures cannot be written.
    """
    if section.conclusion is None:
        return section
    with writing(folder / "figures", RunError):
        files = report.save_figures(
            folder / "figures", section.experiment, section.conclusion, formats, dpi
        )
    return dataclasses.replace(section, figures=files)


def failed(experiment: Experiment, error: Exception) -> report.Section:
    """The section of an experiment that gave no conclusion, with the reason."""
    return report.Section(experiment, None, {}, " ".join(str(error).split()))


def _head(preset, seeds, only, clock):
    chosen = f" --only {' '.join(only)}" if only else ""
    facts = {
        "command": f"aru-keras reproduce --preset {preset.name} --seeds {len(seeds)}{chosen}",
        "task": f"{preset.task}; rotated: {preset.rotated_task}; second: {preset.second_task}",
        "timing": _timing(preset),
        "seeds": f"{len(seeds)}; intervals are 95 % over seeds, and one seed has none; ± after a "
        "parameter of a fitted curve is its standard error; a band in a figure is one standard "
        "error over seeds, and a thin line or a small point is one seed",
        "time": f"{clock.total / 60:.1f} minutes of work, without what was interrupted",
        "with": ", ".join(f"{name} {version}" for name, version in versions().items()),
    }
    return f"Reproduction, preset {preset.name}", facts


def _timing(preset):
    timesteps = TASKS[preset.task].timesteps // preset.options.get("downsample", 1) ** 2
    window = StepDrive().window(timesteps)
    return (
        f"T = {timesteps}; the paper's times, for T = {PAPER_TIMESTEPS}, are scaled to it: its "
        f"step drive of 200 steps acts from step {window.start} to {window.stop - 1}"
    )


class _Clock:
    """The seconds of work on a folder over all calls, saved after every experiment."""

    def __init__(self, path):
        self.path = path
        self.total = _seconds(path) if path.exists() else 0.0

    def __enter__(self):
        self.started = time.perf_counter()

    def __exit__(self, *_):
        self.total += time.perf_counter() - self.started
        with writing(self.path, RunError):
            write_json(self.path, round(self.total, 1))


def _seconds(path):
    return read_json(
        path,
        number(0),
        holds="a number of seconds",
        way_out="Remove it: the work is counted from now on.",
        error=RunError,
    )
