"""What a person takes away from an episode: the recording, the picture, and lines of Python."""

import io
import json
from collections.abc import Sequence
from typing import Any

from aru_keras import plots
from aru_keras.perturbations import Perturbations
from aru_keras.plots import style
from aru_keras.probing._datasets import network_attributes
from aru_keras.runners.live.session import Session
from aru_keras.runners.recordings import Recording

PICTURES = {"png": 150, "svg": 150}
"""The formats of the picture, and the dots an inch of each."""


def netcdf(session: Session, network_index: int = 0) -> bytes:
    """The recording of a network as a netCDF file, with the names of `probing.record_task`.

    Args:
        session: The episode.
        network_index: Index of the network in `session.networks`.

    Raises:
        ImportError: If xarray is not installed.
    """
    return bytes(recording(session, network_index).dataset().to_netcdf())


def table(session: Session, network_index: int = 0) -> str:
    """The recording of a network as CSV, with a row for each step and a column for each number.

    Args:
        session: The episode.
        network_index: Index of the network in `session.networks`.
    """
    return recording(session, network_index).table()


def recording(session: Session, network_index: int = 0) -> Recording:
    """Everything that was recorded of a network, up to the last step.

    Args:
        session: The episode.
        network_index: Index of the network in `session.networks`.
    """
    signals = {name: values[: session.t] for name, values in session.signals[network_index].items()}
    attributes = network_attributes(session.networks[network_index].run, session.perturbation)
    return Recording(
        session.reading(network_index), signals, session.contrast[: session.t], attributes
    )


def picture(session: Session, units: Sequence[int], suffix: str, network_index: int = 0) -> bytes:
    """The picture of the reading of a network.

    Args:
        session: The episode.
        units: The units to draw.
        suffix: The format, one of `PICTURES`.
        network_index: Index of the network in `session.networks`.
    """
    units = session.chosen_units(network_index, units)
    return saved(plots.picture_of(session.reading(network_index), units), suffix)


def saved(figure: Any, suffix: str) -> bytes:
    """A figure as the bytes of a file.

    Args:
        figure: A `matplotlib.figure.Figure`.
        suffix: The format, one of `PICTURES`.
    """
    (suffix,), _ = style.checked_output([suffix], 1)
    target = io.BytesIO()
    figure.savefig(target, format=suffix, dpi=PICTURES[suffix])
    return target.getvalue()


def perturbation_json(session: Session) -> str:
    """The perturbation that was turned, as JSON for `perturbations.from_config`."""
    return json.dumps(session.perturbation.to_config())


def python(session: Session, units: Sequence[int], network_index: int = 0) -> str:
    """Lines of Python that make the same recording, and the picture unless the image was drawn.

    Args:
        session: The episode.
        units: The units to draw.
        network_index: Index of the network in `session.networks`.
    """
    network = session.networks[network_index]
    text = "none" if session.perturbation == Perturbations() else session.perturbation.to_text()
    options = ", ".join(f"{name}={value!r}" for name, value in _options(session.task).items())
    lines = [
        "from aru_keras import perturbations, plots, probing, tasks",
        "",
        f"task = tasks.load_task({options})",
        f"perturbation = perturbations.parse({text!r})",
    ]
    if session.drawn:
        return "\n".join([*_imports_numpy(lines), *_of_drawing(session, network)])
    return "\n".join(
        [
            *lines,
            f"reading = probing.read({network.run!r}, task, {session.split!r}, {session.index}, "
            "perturbation)",
            "print({name: values.shape for name, values in reading.signals.items()})",
            'print("reads", reading.predictions[-1])',
            f"plots.picture_of(reading, {list(units)}).savefig('reading.png')",
        ]
    )


def _options(task):
    """What `load_task` takes to load a task again, from the file that it was read from, if any."""
    return task.config() | ({} if task.source is None else {"source": task.source})


def _imports_numpy(lines):
    return ["import numpy as np", *lines]


def _of_drawing(session, network):
    """Lines that read an image that is not in the data."""
    # The shortest text that gives the same float32: the recurrence amplifies what is rounded.
    image = [[float(str(value)) for value in row] for row in session.image]
    return [
        f"image = np.array({image}, 'float32')",
        "x = image.reshape(1, -1, 1)[:, task.permutation]"
        if session.task.permutation is not None
        else "x = image.reshape(1, -1, 1)",
        f"x, drive = task.perturbed(x, [0], perturbation, {network.units})",
        f"signals = probing.record({network.run!r}, x, drive=drive)",
        "print({name: values.shape for name, values in signals.items()})",
        f"step = probing.OnlineStep({network.run!r}, 'y')",
        "state = step.initial_state(1)",
        "for t in range(x.shape[1]):",
        "    *_, state, read = step(x[:, t], state, None if drive is None else drive[:, t])",
        'print("reads", np.argmax(read["y"]))',
    ]
