"""A trained network, as the experiments use it, from the folder of a finished run."""

import functools
import hashlib
from typing import Any

import keras
import numpy as np

from aru_keras.models import trainable_parameters
from aru_keras.runners import train
from aru_keras.runners.config import DATA
from aru_keras.runners.run_files import read_history
from aru_keras.runners.run_folder import RunError, RunFolder
from aru_keras.tasks import Task


class StartError(RunError):
    """The network before training cannot be made again; the message says why and what to do."""


_REPLACE = "Put the files of one run together again, or train it anew."


class TrainedRun:
    """A trained network, its task and its results.

    Args:
        name: Name of its training.
        seed: Seed of the experiment.
        folder: Folder of its finished run.
    """

    def __init__(self, name: str, seed: int, folder: RunFolder):
        self.name, self.seed, self.folder = name, seed, folder

    @functools.cached_property
    def config(self) -> train.TrainConfig:
        """The `TrainConfig` of the run."""
        return self.folder.load_config()

    @functools.cached_property
    def task(self) -> Task:
        """The `tasks.Task` of the run."""
        return _task(self.config)

    @functools.cached_property
    def model(self) -> keras.Model:
        """The model of the best epoch."""
        return self.folder.load_model()

    @functools.cached_property
    def start(self) -> keras.Model:
        """The model before training, initialized again from its seed.

        Raises:
            StartError: The run was trained on another backend, which draws other numbers from a
                seed, or it started from a network that is missing.
        """
        backend = keras.config.backend()
        versions = self.results.get("versions")
        trained = versions.get("backend", backend) if isinstance(versions, dict) else backend
        if trained != backend:
            raise StartError(
                f"Keras must run on {trained}, on which {self.folder.path} was trained, to make "
                f"the network before training again from its seed. Received: {backend}, which "
                f"makes another one. Set the environment variable KERAS_BACKEND={trained}."
            )
        keras.utils.set_random_seed(self.config.seed)
        try:
            return train.compiled_network(self.config, self.task)
        except (RunError, ValueError) as error:
            raise StartError(
                f"The network before the training of {self.folder.path} cannot be made again: "
                f"{error}"
            ) from error

    def other_task(self, name: str) -> Task:
        """Another `tasks.Task`, with the options of this run.

        A rotated task has the pixel order and the source of images of its own task.
        """
        own = self.config
        options: dict[str, Any] = {} if "conv" in name else {"downsample": own.downsample}
        if name == f"rotated-{own.task}":
            options |= {"permutation_seed": own.permutation_seed, "source": own.source}
        return _task(train.TrainConfig(name, data_dir=own.data_dir, **options))

    @property
    def cell(self) -> Any:
        """The trained recurrent cell."""
        return self.model.get_layer("recurrent").cell

    def check(self) -> None:
        """Check that configuration, results and model belong to the same run.

        Raises:
            RunError: They do not, or one of them is damaged.
        """
        results, task, model = self.results, self.task, self.model
        expected = {
            "task": task.name,
            "model": self.config.model,
            "permutation": task.permutation_hash,
            "units": model.get_layer("recurrent").cell.units,
            "parameters": trainable_parameters(model),
        }
        wrong = [
            f"{name} {results[name]}, which would be {value}"
            for name, value in expected.items()
            if results[name] != value
        ]
        if wrong:
            raise RunError(
                f"{self.folder.results} must hold the results of config.json and model.keras "
                f"beside it. Received: {'; '.join(wrong)}. {_REPLACE}"
            )
        shape = tuple(model.inputs[0].shape[1:])
        if shape != tuple(task.input_shape):
            raise RunError(
                f"{self.folder.model} must read what config.json beside it says, "
                f"{tuple(task.input_shape)} of {task.name}. Received: a model that reads {shape}. "
                f"{_REPLACE}"
            )

    def model_file_hash(self) -> dict[str, str]:
        """The hash of `model.keras` under "model_file"; empty if there is no such file."""
        path = self.folder.model
        if not path.exists():
            return {}
        return {"model_file": hashlib.sha256(path.read_bytes()).hexdigest()[:16]}

    @property
    def results(self) -> dict:
        """The content of `results.json`."""
        return self.folder.load_results()

    @property
    def validation_accuracy(self) -> float:
        """The validation accuracy of the best epoch."""
        return self.results["validation_accuracy"]

    @property
    def history(self) -> dict[str, np.ndarray]:
        """The columns of `history.csv`, (epochs,) each."""
        return read_history(self.folder.history, way_out=_REPLACE, error=RunError)


@functools.lru_cache(maxsize=4)
def _loaded(task, options):
    return train.TrainConfig(task, **dict(options)).load_task()


def _task(config: train.TrainConfig) -> Task:
    """The task of a configuration, loaded once for all runs on it."""
    return _loaded(config.task, tuple((name, getattr(config, name)) for name in DATA))
