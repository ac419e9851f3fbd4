"""Run experiments over networks and seeds, and write the report."""

import contextlib
import dataclasses
import functools
import os
import time
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from aru_keras.arguments import one_of, whole
from aru_keras.checked_files import number, read_json, writing
from aru_keras.files import make_folder, write_json
from aru_keras.numerics import NetworkOverflowError
from aru_keras.plots import style
from aru_keras.runners.experiments import report
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.presets import preset as preset_named
from aru_keras.runners.experiments.workspace import Workspace
from aru_keras.runners.run_folder import RunError
from aru_keras.runners.train import versions


def reproduce(
    preset: str = "quick",
    folder: str | os.PathLike | None = None,
    *,
    seeds: int | None = None,
    only: Sequence[str] | None = None,
    formats: Sequence[str] = report.FORMATS,
    dpi: int = style.DPI,
    say=print,
) -> list[Path]:
    """Train, measure and report; what a folder holds already is not done again.

    Args:
        preset: Name in `presets.PRESETS`.
        folder: Where to; by default `reproductions/PRESET`. The report, of these seeds and
            experiments, takes the place of an earlier one when it is complete; a first one grows
            with the experiments. What was measured stays.
        seeds: Number of seeds, 0, 1, …; None: the preset's.
        only: Names of experiments; None: all.
        formats: Of the figures, as `plots.save` takes them; PNG is written in any case.
        dpi: Dots an inch of their PNGs.
        say: Called with a line before each piece of work.

    Returns:
        The report's files.

    Raises:
        ValueError: There is no such preset, experiment or format, or `folder` cannot be one.
        RunError: The folder belongs to another preset, something in it is damaged, or another
            process works in it.
    """
    chosen = preset_named(preset)
    seeds = range(chosen.seeds if seeds is None else whole("seeds", seeds, 1))
    offered = [name for name, one in EXPERIMENTS.items() if one.applies(chosen)]
    names = [one_of("only", name, offered) for name in only] if only else offered
    formats, dpi = style.checked_output(formats, dpi)
    path = Path(folder or Path("reproductions") / preset)
    with _alone_in(path):
        workspace = Workspace(path, chosen, say)
        clock = _Clock(path / "seconds.json")
        sections, first = [], not report.is_there(path)
        for place, name in enumerate(names):
            say(f"[{place + 1}/{len(names)}] {EXPERIMENTS[name].heading}")
            with clock:
                experiment = EXPERIMENTS[name]
                measured = functools.partial(
                    workspace.results, experiment, seeds[: experiment.seeds]
                )
                sections.append(section(experiment, measured, chosen, path, formats, dpi))
            if first or place + 1 == len(names):
                report.write(path, *_head(chosen, seeds, only, clock), sections)
    return [path / name for name in report.FILES]


def section(
    experiment, measured, preset, folder: Path, formats=report.FORMATS, dpi=style.DPI
) -> report.Section:
    """Measure, conclude and draw one experiment.

    Args:
        experiment: Which one.
        measured: Gives its `Results`.
        preset: A `presets.Preset`.
        folder: Of the report; figures go to `figures/` in it.
        formats: Of the figures, as `report.save_figures` takes them.
        dpi: Dots an inch of their PNGs.
    """
    return drawn(concluded(experiment, measured, preset), folder, formats, dpi)


def concluded(experiment, measured, preset) -> report.Section:
    """Measure and conclude one experiment; its figures are not written yet.

    Arguments as in `section`. A network that overflows, and numbers that allow no conclusion, are
    results. Anything else, such as a damaged file, is an error.
    """
    try:
        results = measured()
    except NetworkOverflowError as error:
        return _failed(experiment, error)
    try:
        conclusion = experiment.conclude(results, preset)
    except ValueError as error:
        return _failed(experiment, error)
    if results.left_out:
        note = f"{results.left_out} {conclusion.note}".rstrip()
        conclusion = dataclasses.replace(conclusion, note=note)
    return report.Section(experiment, conclusion, {})


def drawn(
    found: report.Section, folder: Path, formats=report.FORMATS, dpi: int = style.DPI
) -> report.Section:
    """A section with its figures written to `figures/` in a folder; arguments as in `section`.

    Raises:
        RunError: They cannot be written.
    """
    if found.conclusion is None:
        return found
    with writing(folder / "figures", RunError):
        files = report.save_figures(
            folder / "figures", found.experiment, found.conclusion, formats, dpi
        )
    return dataclasses.replace(found, figures=files)


def _failed(experiment, error):
    return report.Section(experiment, None, {}, " ".join(str(error).split()))


@contextlib.contextmanager
def _alone_in(path):
    """Keep others, who would train the same runs, out of the folder until this process is done."""
    lock = FileLock(make_folder("folder", path) / ".lock", timeout=0)
    with writing(path, RunError):
        try:
            lock.acquire()
        except Timeout as error:
            raise RunError(
                f"Another process works in {path}. Wait for it, or choose another folder with "
                "--dir."
            ) from error
    try:
        yield
    finally:
        lock.release()


def _head(preset, seeds, only, clock):
    chosen = f" --only {' '.join(only)}" if only else ""
    facts = {
        "command": f"aru-keras reproduce --preset {preset.name} --seeds {len(seeds)}{chosen}",
        "task": f"{preset.task}; rotated: {preset.rotated_task}; second: {preset.second_task}",
        "seeds": f"{len(seeds)}; intervals are 95 % over seeds, and one seed has none",
        "time": f"{clock.total / 60:.1f} minutes of work, without what was interrupted",
        "with": ", ".join(f"{name} {version}" for name, version in versions().items()),
    }
    return f"Reproduction, preset {preset.name}", facts


class _Clock:
    """Seconds of work on a folder, however often it was interrupted between experiments."""

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
