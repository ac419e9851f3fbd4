"""Step a trained network through one sequence of its task, and record its units."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import keras
import numpy as np

from aru_keras import plots
from aru_keras._util.arguments import whole
from aru_keras._util.deprecated import warn
from aru_keras._util.files import make_folder
from aru_keras.envs.probe import Probe
from aru_keras.envs.sequence import SequenceEnv
from aru_keras.perturbations import as_perturbation
from aru_keras.plots import style
from aru_keras.probing import TRACES, Reading, recurrent_layer
from aru_keras.probing._datasets import network_attributes
from aru_keras.probing.reading import label_of, outputs_of
from aru_keras.runners.figure_options import PROBE_DPI, PROBE_FORMATS
from aru_keras.runners.recordings import FORMATS as RECORDING_FORMATS
from aru_keras.runners.recordings import Recording, checked_format
from aru_keras.runners.run_folder import RunFolder

SHOWN = ("drive", "contrast")
"""The entries of `info` that are recorded, beside the signals."""


@dataclass(frozen=True)
class Probed:
    """The results of `probe`.

    Attributes:
        reading: The inputs, signals and outputs of the network, a `probing.Reading`.
        pictures: Paths of the figure, one per format.
        recording: Path of the recording of all units: a netCDF file with the names of
            `probing.record_task`, whose variables are the signals a, n, s, h, the input x, and
            "probability", or "y" of a task of values; or a CSV, as `recordings.Recording.table`.
    """

    reading: Reading
    pictures: tuple[Path, ...]
    recording: Path

    @property
    def table(self) -> Path:
        """Deprecated name of `recording`."""
        warn("Probed.table", "Probed.recording")
        return self.recording

    @property
    def picture(self) -> Path:
        """The first of `pictures`."""
        return self.pictures[0]


def probe(
    run_dir: str | os.PathLike,
    *,
    split: str = "test",
    index: int = 0,
    perturbation: Any = None,
    units: Sequence[int] | None = None,
    isolated: bool = False,
    out: str | os.PathLike | None = None,
    device: str | None = None,
    formats: Iterable[str] = PROBE_FORMATS,
    dpi: int = PROBE_DPI,
    recording: str | None = None,
) -> Probed:
    """Step a trained network with its task's environment through one sequence.

    Args:
        run_dir: Folder of the run, or `pretrained:NAME`.
        split: "train", "validation" or "test".
        index: Index of the sequence in the split.
        perturbation: Perturbation, as `perturbations.as_perturbation` takes it, such as "step:5".
        units: Indices of the units to draw; by default those whose gain (else output) moves most.
        isolated: Whether each unit receives input from itself alone.
        out: Folder of the files; by default `probes/` in the folder of the run, or in `runs/NAME`
            for a pretrained network.
        device: Device of the network, as in `keras.device`.
        formats: Formats of the figure, as `plots.save` takes them.
        dpi: Resolution of its PNG in dots per inch.
        recording: Format of the recording, "netcdf" or "csv"; None for netCDF where xarray is
            installed, and CSV elsewhere.

    Returns:
        A `Probed`.

    Raises:
        ValueError: For a bad argument.
        RunError: If there is no run in the folder.
        tasks.DatasetError: If the data of its task is missing or damaged.
    """
    formats, dpi = style.checked_output(formats, dpi)
    suffix = RECORDING_FORMATS[checked_format(recording)]
    folder = RunFolder(run_dir)
    config = folder.load_config()
    folder.check_order()
    model = folder.load_model()
    perturbation = as_perturbation(perturbation)
    width = recurrent_layer(model).cell.units
    env = SequenceEnv(config.load_task(), split=split, perturbation=perturbation, units=width)
    index = whole("index", index, 0, most=env.task.sizes[split] - 1)
    probed = Probe(env, model, isolated=isolated, device=device)
    arrays = _stepped(probed, model, index)
    reading = _reading(env, arrays, perturbation)
    drawn = reading.units(units, plots.UNITS_DRAWN)
    name = "-".join([split, str(index), *_words(perturbation), *(["isolated"] if isolated else [])])
    target = make_folder("out", out if out is not None else folder.products / "probes")
    pictures = plots.save(plots.picture_of(reading, drawn), target / name, formats, dpi)
    attributes = network_attributes(run_dir, perturbation, isolated)
    recorded = Recording(reading, _signals(arrays), arrays["contrast"], attributes)
    return Probed(reading, tuple(pictures), recorded.write(target / f"{name}{suffix}"))


def describe(reading: Reading, lines: int = 9) -> str:
    """Describe the prediction over time: a line for some steps, and a last one with the verdict.

    Args:
        reading: Reading of a `Probed`.
        lines: Approximate number of steps to show.
    """
    shown = np.unique(np.linspace(0, reading.timesteps - 1, lines).round().astype(int))
    named = "value 0" if reading.of_values else "probability"
    rows = [f"step  prediction  {named:>11}  mean drive"]
    for t in shown:
        drive = 0.0 if reading.drive is None else reading.drive[t].mean()
        best = int(reading.probabilities[t].argmax())
        value = reading.probabilities[t, 0 if reading.of_values else best]
        prediction = "" if reading.of_values else reading.task.spec.class_name(best)
        rows.append(f"{t:>4}  {prediction:>10}  {value:>11.3f}  {drive:>10.2f}")
    return "\n".join([*rows, _verdict(reading)])


def _verdict(reading):
    last = reading.predictions[-1]
    if reading.of_values:
        error = np.mean((reading.probabilities - reading.label) ** 2, axis=1)
        return f"A squared error of {error[-1]:.4g} in the end, {error.mean():.4g} over all steps."
    if np.ndim(reading.label):
        right = np.mean(reading.predictions == reading.label)
        return f"Right at {right:.1%} of the {reading.timesteps} steps."
    verdict = "right" if last == reading.label else "wrong"
    name = reading.task.spec.class_name
    return f"Class {name(last)} in the end, {verdict}: the label is {name(reading.label)}."


def _stepped(env, model, index):
    """The arrays of one episode by name, (T, …) each, with the label and the index."""
    task = env.unwrapped.task
    pixel, info = env.reset(options={"index": index})
    rows, over = [], False
    while not over:
        named = {name: keras.ops.convert_to_numpy(info[name]) for name in env.online.signals}
        outputs = outputs_of(task, model, named.pop("y")[None])[0]
        shown = {name: info[name] for name in SHOWN if name in info}
        rows.append({"pixels": pixel, **shown, "probabilities": outputs, **named})
        action = int(outputs.argmax()) if task.spec.target == "class" else outputs
        pixel, _, over, _, info = env.step(action)
    arrays = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    target = task.examples(env.unwrapped.vector_env.split, [index])[1][0]
    label = np.asarray(label_of(task, target, slice(len(rows))))
    return {**arrays, "label": label, "index": info["index"]}


def _reading(env, arrays, perturbation):
    return Reading(
        task=env.task,
        split=env.vector_env.split,
        index=int(arrays["index"]),
        label=arrays["label"] if arrays["label"].ndim else int(arrays["label"]),
        pixels=arrays["pixels"],
        drive=arrays["drive"] if perturbation.has_drive else None,
        signals={name: arrays[name] for name in TRACES if name in arrays},
        probabilities=arrays["probabilities"],
    )


def _signals(arrays):
    return {name: arrays[name] for name in ("a", "n", "s", "h") if name in arrays}


def _words(perturbation):
    """The perturbation as words of a file name, with the values that are not the defaults."""
    texts = []
    for component in perturbation.components:
        first, *others = [field for field in fields(component) if field.init]
        values = [_short(getattr(component, first.name))]
        for field in others:
            if getattr(component, field.name) != field.default:
                values.append(f"{field.name}={_short(getattr(component, field.name))}")
        texts.append("-".join([component.kind, *values]))
    return texts


def _short(number):
    """A number with all its digits; for the values of a waveform, eight digits of their hash."""
    if isinstance(number, tuple):
        return hashlib.sha256(repr(number).encode()).hexdigest()[:8]
    return str(int(number)) if number == int(number) else repr(number)
