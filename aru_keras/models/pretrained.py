"""Networks that come with the package, trained by a command that each of them names.

`PRETRAINED` lists them. Each is a run folder inside the package, and wherever a run is taken, the
text `pretrained:NAME` stands for it: `Probe(env, "pretrained:arun-digits")`,
`aru-keras probe pretrained:arun-digits`. No file is used whose SHA-256 is not the one in the list.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from aru_keras._util.arguments import one_of

PREFIX = "pretrained:"
"""The text before the name of a pretrained network that stands for a run."""

RUNS = Path(__file__).parent / "pretrained_runs"
"""The folder of the pretrained networks in the package."""

INDEX_FILE, CARD_FILE = "index.json", "card.json"
"""The list of the networks in `RUNS`, and the measurements in the folder of each."""


@dataclass(frozen=True)
class Pretrained:
    """A network that comes with the package.

    Attributes:
        task: The name of its task, one of `tasks.TASKS`.
        downsample: The side of the squares of pixels that are averaged.
        timesteps: The number of steps T.
        network: The name of the network, one of `NETWORKS`.
        units: The number of units N.
        controller_units: The number of controller units G; None for networks without a controller.
        parameters: The number of trainable weights.
        test_accuracy: The fraction of the test images that it classifies correctly.
        interval: The 95 % interval of the test accuracy over test images (Wilson's), low and high.
        test_images: The number of test images.
        seed: The seed of the training.
        epochs: The number of epochs of the training.
        command: The command that trained it.
        data_licence: The licence of the data on which it was trained.
        files: The SHA-256 of each of its files by name.
    """

    task: str
    downsample: int
    timesteps: int
    network: str
    units: int
    controller_units: int | None
    parameters: int
    test_accuracy: float
    interval: tuple[float, float]
    test_images: int
    seed: int
    epochs: int
    command: str
    data_licence: str
    files: Mapping[str, str]


def _read_index() -> Mapping[str, Pretrained]:
    text = (RUNS / INDEX_FILE).read_text(encoding="utf-8")
    return MappingProxyType({name: _entry(values) for name, values in json.loads(text).items()})


def _entry(values):
    frozen = {"interval": tuple(values["interval"]), "files": MappingProxyType(values["files"])}
    return Pretrained(**values | frozen)


PRETRAINED: Mapping[str, Pretrained] = _read_index()
"""The pretrained networks by name."""


def load_pretrained(name: str) -> Any:
    """Load a pretrained network, on any backend.

    Args:
        name: The name of the network, one of `PRETRAINED`.

    Returns:
        A `keras.Model`. It has a loss and a metric, so that `evaluate` gives the test accuracy;
        its optimizer is new.

    Raises:
        ValueError: If there is no such network, or one of its files was changed.

    Example:
        >>> model = load_pretrained("arun-digits")
        >>> x, y = aru_keras.tasks.load_task("digits").arrays("test")
        >>> loss, accuracy = model.evaluate(x, y, batch_size=100)
    """
    import keras

    from aru_keras import layers  # noqa: F401  # Keras finds their classes when they are there.

    try:
        one_of("name", name, PRETRAINED)
    except ValueError as error:
        way_out = 'The network of a run of yours is aru_keras.probing.load_network("runs/RUN").'
        raise ValueError(f"{error} {way_out}") from None
    model = keras.models.load_model(pretrained_folder(name) / "model.keras")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    return model


def pretrained_folder(name: str) -> Path:
    """The run folder of a pretrained network, whose files are checked.

    Args:
        name: The name of the network, one of `PRETRAINED`.

    Raises:
        ValueError: If there is no such network, or one of its files is missing or was changed.
    """
    folder = RUNS / one_of("name", name, PRETRAINED)
    for file, expected in PRETRAINED[name].files.items():
        _check_file(name, folder / file, expected)
    return folder


def run_path(run: str | os.PathLike) -> Path:
    """The path of a run, which may be given as `pretrained:NAME`.

    Args:
        run: The folder of a run or another path, which is returned as it is, or `pretrained:NAME`.

    Raises:
        ValueError: If there is no such pretrained network, or one of its files was changed.
    """
    name = pretrained_name(run)
    return Path(run) if name is None else pretrained_folder(name)


def pretrained_name(run: Any) -> str | None:
    """The name of the pretrained network that `pretrained:NAME` stands for; None for a path.

    Args:
        run: What was given as a run.
    """
    text = os.fspath(run) if isinstance(run, str | os.PathLike) else ""
    is_text = isinstance(text, str) and text.startswith(PREFIX)
    return text.removeprefix(PREFIX) if is_text else None


def _check_file(name, path, expected):
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        digest = error.strerror or str(error)
    if digest != expected:
        raise ValueError(
            f"`name`, the pretrained network {name!r}, must have the file {path} as it was "
            f"published, SHA-256 {expected[:16]}…. Received: {digest[:60]}. "
            "Install aru-keras again."
        )
