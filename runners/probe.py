"""Step a run through one image of its task, perturbed or not, and keep what its units did."""

import csv
import hashlib
from dataclasses import dataclass, fields
from pathlib import Path

import keras
import numpy as np

from aru_keras import plots
from aru_keras.envs.probe import Probe
from aru_keras.envs.sequences import SequenceEnv
from aru_keras.files import make_folder, replacing
from aru_keras.perturbations import as_perturbation
from aru_keras.plots import style
from aru_keras.probing import recurrent_layer
from aru_keras.reading import TRACES, Reading, class_probabilities
from aru_keras.runners.run_folder import RunFolder

FORMATS, DPI = ("png",), 150
"""Of the figure, unless others are asked for."""


@dataclass(frozen=True)
class Probed:
    """What `probe` leaves.

    Attributes:
        reading: What the network saw and did, a `reading.Reading`.
        pictures: Paths of the figure, one a format.
        recording: Path of every array, .npz: `pixels`, `drive`, `contrast`, `pixel_index`,
            `probabilities`, `label`, `index`, and the signals a, n, s, h of all units, (T, N).
        table: Path of one row a step, .csv: the same, with the signals of the units drawn.
    """

    reading: Reading
    pictures: tuple[Path, ...]
    recording: Path
    table: Path

    @property
    def picture(self) -> Path:
        """The first of `pictures`."""
        return self.pictures[0]


def probe(
    run_dir,
    *,
    split: str = "test",
    index: int = 0,
    perturbation=None,
    units=None,
    isolated: bool = False,
    out=None,
    device: str | None = None,
    formats=FORMATS,
    dpi: int = DPI,
) -> Probed:
    """Step a trained network with its task's environment through one image.

    Args:
        run_dir: Folder of the run.
        split: "train", "validation" or "test".
        index: Which image of the split.
        perturbation: What acts on it, as `perturbations.as_perturbation` takes it: "step:5".
        units: Indices of the units to draw; by default those whose gain (else output) moves most.
        isolated: Whether each unit hears only itself.
        out: Folder for what it leaves; by default `probes/` in the run's.
        device: Where to run the network, as in `keras.device`.
        formats: Of the figure, as `plots.save` takes them.
        dpi: Dots an inch of its PNG.

    Returns:
        A `Probed`.

    Raises:
        ValueError: For a bad argument.
        RunError: If there is no run in the folder.
        tasks.DatasetError: If its data cannot be had.
    """
    formats, dpi = style.checked_output(formats, dpi)
    folder = RunFolder(run_dir)
    config = folder.load_config()
    folder.check_order()
    model = folder.load_model()
    perturbation = as_perturbation(perturbation)
    width = recurrent_layer(model).cell.units
    env = SequenceEnv(config.load_task(), split=split, perturbation=perturbation, units=width)
    probed = Probe(env, model, isolated=isolated, device=device)
    arrays = _stepped(probed, model, index)
    reading = _reading(env, arrays, perturbation)
    drawn = reading.units(units, plots.UNITS_DRAWN)
    name = "-".join([split, str(index), *_words(perturbation), *(["isolated"] if isolated else [])])
    place = make_folder("out", out if out is not None else folder.path / "probes")
    return Probed(
        reading,
        tuple(plots.save(plots.picture_of(reading, drawn), place / name, formats, dpi)),
        _recording(place / f"{name}.npz", arrays),
        _table(place / f"{name}.csv", arrays, drawn),
    )


def describe(reading: Reading, lines: int = 9) -> str:
    """The prediction over time, a line at every few steps and a last one that says what was right.

    Args:
        reading: What `probe` gives.
        lines: About how many steps to name.
    """
    steps, predictions = reading.timesteps, reading.predictions
    shown = np.unique(np.linspace(0, steps - 1, lines).round().astype(int))
    rows = ["step  prediction  probability  mean drive"]
    for t in shown:
        drive = 0.0 if reading.drive is None else reading.drive[t].mean()
        probability = reading.probabilities[t, predictions[t]]
        rows.append(f"{t:>4}  {predictions[t]:>10}  {probability:>11.3f}  {drive:>10.2f}")
    verdict = "right" if predictions[-1] == reading.label else "wrong"
    rows.append(f"Class {predictions[-1]} in the end, {verdict}: the label is {reading.label}.")
    return "\n".join(rows)


def _stepped(env, model, index):
    """Everything of one episode, (T, …) by name."""
    pixel, info = env.reset(options={"index": index})
    rows, over = [], False
    while not over:
        named = {name: keras.ops.convert_to_numpy(info[name]) for name in env.online.signals}
        named["probabilities"] = class_probabilities(model, named.pop("y")[None])[0]
        told = {name: info[name] for name in ("pixel_index", "drive", "contrast")}
        rows.append({"pixels": pixel, **told, **named})
        pixel, _, over, _, info = env.step(int(named["probabilities"].argmax()))
    arrays = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    return {**arrays, "label": info["label"], "index": info["index"]}


def _reading(env, arrays, perturbation):
    return Reading(
        task=env.task,
        split=env.lanes.split,
        index=int(arrays["index"]),
        label=int(arrays["label"]),
        pixels=arrays["pixels"],
        drive=arrays["drive"] if perturbation.has_drive else None,
        signals={name: arrays[name] for name in TRACES if name in arrays},
        probabilities=arrays["probabilities"],
    )


def _words(perturbation):
    """The perturbation as it may stand in a file's name: what differs from the defaults."""
    texts = []
    for part in perturbation.parts:
        first, *others = [field for field in fields(part) if field.init]
        values = [_short(getattr(part, first.name))]
        for field in others:
            if getattr(part, field.name) != field.default:
                values.append(f"{field.name}={_short(getattr(part, field.name))}")
        texts.append("-".join([part.kind, *values]))
    return texts


def _short(number):
    """All digits of a number, and no more; of a waveform's values, eight digits that name them."""
    if isinstance(number, tuple):
        return hashlib.sha256(repr(number).encode()).hexdigest()[:8]
    return str(int(number)) if number == int(number) else repr(number)


def _recording(path, arrays):
    with replacing(path) as temporary:
        np.savez_compressed(temporary, **arrays)
    return path


def _table(path, arrays, units):
    columns = {"pixel": arrays["pixels"][:, 0], "drive": arrays["drive"].mean(axis=1)}
    columns |= {"contrast": arrays["contrast"], "pixel_index": arrays["pixel_index"]}
    columns["prediction"] = arrays["probabilities"].argmax(axis=1)
    classes = range(arrays["probabilities"].shape[1])
    columns |= {f"p_{k}": arrays["probabilities"][:, k] for k in classes}
    names = [name for name in ("a", "n", "s", "h") if name in arrays]
    columns |= {f"{name}_{unit}": arrays[name][:, unit] for name in names for unit in units}
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["t", *columns])
        writer.writerows(zip(range(len(columns["pixel"])), *columns.values(), strict=True))
    return path
