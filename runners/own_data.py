"""How a run stores and finds the data of a task that is not of the paper."""

import dataclasses
from pathlib import Path
from typing import Any

from aru_keras import tasks
from aru_keras.models.pretrained import pretrained_name
from aru_keras.tasks.origins import is_file, is_registered
from aru_keras.tasks.specs import ARRAYS

DATA_FILE = "data.npz"
"""The file, in the folder of a run, with the sequences of a task without a name."""

PATHS = ("source", "data_dir", "start")
"""Options of a configuration that are paths. A task that is one is whole already."""


def described(task: Any, options: dict) -> tuple[str, dict]:
    """The name and the options by which a configuration describes a loaded task.

    Args:
        task: A `tasks.Task`.
        options: Options of the configuration.

    Raises:
        ValueError: If an option has another value than in the task.
    """
    own = {"downsample": task.downsample, "permutation_seed": task.permutation_seed}
    for name, value in own.items():
        if options.get(name, value) != value:
            raise ValueError(
                f"`{name}` is that of the task, {value}. Received: {options[name]!r}. Leave it out."
            )
    if task.source is not None:
        own["source"] = task.source
    return task.origin or DATA_FILE, {**options, **own}


def with_data(config: Any, task: Any, folder: Any) -> Any:
    """The configuration of a run, with what is needed to load the data of its task again.

    Args:
        config: The `TrainConfig` of the run.
        task: Its `tasks.Task`.
        folder: The `RunFolder`, in which the sequences are written where no other process, or only
            another run, could load them by the name of the task.

    Returns:
        The configuration, with the fingerprint of data that is not of the paper, and with whole
        paths, so that the run can be used from any folder.
    """
    config = in_any_folder(config)
    if task.spec.collection != ARRAYS:
        return config
    origin, own = config.task, folder.path.absolute() / DATA_FILE
    if task.origin is None or is_registered(task.origin) or _is_of_another_run(task.origin, own):
        origin = str(tasks.export(task, own))
    return dataclasses.replace(config, task=origin, fingerprint=task.fingerprint)


def _is_of_another_run(origin, own):
    path = Path(origin)
    of_a_run = path.name == DATA_FILE and (path.parent / "config.json").exists()
    return of_a_run and path.parent.resolve() != own.parent.resolve()


def in_any_folder(config: Any) -> Any:
    """The configuration with whole paths, which mean the same in any folder.

    Args:
        config: The `TrainConfig`. An address such as gs://bucket, or pretrained:NAME, stays.
    """
    paths = {name: getattr(config, name) for name in PATHS}
    whole = {
        name: str(Path(path).expanduser().absolute())
        for name, path in paths.items()
        if path and "://" not in path and pretrained_name(path) is None
    }
    return dataclasses.replace(config, **whole)


def located(config: Any, folder: Path) -> Any:
    """The configuration of a run, whose data may have moved, or been copied into its folder.

    Args:
        config: The `TrainConfig`.
        folder: The path of the folder of the run.
    """
    path = Path(config.task)
    if not is_file(config.task) or path.exists():
        return config
    copies = [folder.absolute() / name for name in (path.name, DATA_FILE)]
    found = next((copy for copy in copies if copy.is_file()), path)
    return dataclasses.replace(config, task=str(found))


def starting_network(start: str) -> Any:
    """The network of the run from which another one starts.

    Args:
        start: Path of the folder of a run, or pretrained:NAME.

    Raises:
        ValueError: There is no run.
        RunError: The run has no network yet, or its file is damaged.
    """
    from aru_keras.runners.run_folder import RunFolder  # It needs this module.

    folder = RunFolder(start)
    if not (folder.config.exists() or folder.model.exists()):
        raise ValueError(
            "`start` must be the folder of a run, or pretrained:NAME. Received: "
            f"{start!r}, which holds none. Name a folder such as runs/NAME."
        )
    return folder.load_model()
