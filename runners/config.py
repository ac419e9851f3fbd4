"""What a training run is made of: one dataclass that is the command line, the help and the file."""

import argparse
import dataclasses
import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path

from aru_keras import models, parts, tasks
from aru_keras.arguments import finite, one_of, whole

SCHEDULES = ("plateau", "cosine", "constant")
LEARNERS = {
    "fit": "`model.fit` on batches",
    "agent": "episodes from the environment, by their labels",
    "reward": "episodes from the environment, by their reward alone",
}

PAPER = {
    "units": models.UNITS,
    "controller_units": models.CONTROLLER_UNITS,
    "epochs": 100,
    "batch_size": 100,
    "learning_rate": 1e-4,
    "schedule": "plateau",
    "clip_norm": None,
    "weight_decay": None,
}
PRESETS = {
    "digits": {
        "units": 128,
        "controller_units": 8,
        "epochs": 40,
        "batch_size": 64,
        "learning_rate": 1e-3,
        "schedule": "cosine",
        "clip_norm": 1.0,
        "weight_decay": 0.2,
    }
}


LARGEST = 2**31 - 1
LARGEST_SEED = 2**32 - 1
"""Greatest whole numbers of an option: those of tensors' sizes, and of NumPy's seeds."""


def option(help_text, default=None, *, type=str, least=None, most=LARGEST):
    """A field of `TrainConfig`: help text, type, least value (None: above 0), most of an int."""
    bounds = {"least": least, "most": most}
    return field(default=default, metadata={"help": help_text, "type": type, **bounds})


def count(help_text, default=None, *, least=1, most=LARGEST):
    """A field that holds a whole number from `least` to `most`."""
    return option(help_text, default, type=int, least=least, most=most)


def switch(help_text):
    """A field that is False or True."""
    return option(help_text, False, type=bool)


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a training run; `None` means the preset of the task.

    The fields' help texts are those of `aru-keras train --help`.

    Raises:
        ValueError: For a value out of range, naming the field.
    """

    task: str = option("what to learn: one of " + ", ".join(tasks.TASKS))
    model: str = option("network: one of " + ", ".join(models.NETWORKS), "arun")
    learner: str = option(
        "how to learn: " + "; ".join(f"{name}: {text}" for name, text in LEARNERS.items()), "fit"
    )
    units: int = count("recurrent units N")
    controller_units: int = count("controller units G of an ARUN")
    shared: bool = switch("gamma: one (n, s) for all units instead of one pair a unit")
    fixed: bool = switch("gamma: leave n and s untrained")
    n: float | None = option("gamma: where the gain starts, in all units", type=float, least=0)
    s: float | None = option("gamma: where the saturation starts", type=float, least=0)
    trained: str = option("parts to train, joined by +: all, " + ", ".join(parts.PARTS), "all")
    start: str | None = option("run whose network gives the weights to start from")
    take: str = option("parts to take from it, joined by +", "all")
    match_parameters: bool | None = option(
        "choose the units so that the parameter count is that of the ARUN, within 2 %% "
        "(default: for lstm and gru)",
        type=bool,
    )
    downsample: int = count("average-pool the images by this factor first", 1)
    permutation_seed: int = count(
        "seed of the fixed permutation of the pixels", 0, least=0, most=math.inf
    )
    source: str | None = option(".npz made by `aru-keras export`, instead of TensorFlow Datasets")
    data_dir: str | None = option("folder of TensorFlow Datasets; by default TFDS_DATA_DIR")
    limit: int | None = count("use only the first LIMIT images of each split")
    epochs: int = count("passes over the training images")
    batch_size: int = count("images in a training step")
    drop_remainder: bool = switch(
        "leave out the images that do not fill the last batch of a split, for devices that share "
        "every batch evenly"
    )
    learning_rate: float = option("Adam's learning rate at the start", type=float)
    schedule: str = option("learning rate over time: one of " + ", ".join(SCHEDULES))
    patience: int = count("plateau: epochs without a better validation loss", 10)
    decay: float = option("plateau: factor on the learning rate", 0.1, type=float)
    early_stop: int | None = count(
        "stop after this many epochs without a better validation loss (default: never)"
    )
    clip_norm: float | None = option(
        "largest global norm of the gradient; 0: any", type=float, least=0
    )
    weight_decay: float | None = option("Adam's decoupled weight decay", type=float, least=0)
    seed: int = count(
        "seed of the weights and of the order of images", 0, least=0, most=LARGEST_SEED
    )

    def __post_init__(self):
        one_of("task", self.task, tasks.TASKS)
        one_of("model", self.model, models.NETWORKS)
        for name, value in preset(self.task).items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        one_of("schedule", self.schedule, SCHEDULES)
        one_of("learner", self.learner, LEARNERS)
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            if value is not None or item.default is False:
                object.__setattr__(self, item.name, _checked(item, value))
        of_gamma = self.shared or self.fixed or self.n is not None or self.s is not None
        if of_gamma and self.model != "gamma":
            raise ValueError(
                "`shared`, `fixed`, `n` and `s` belong to model gamma. "
                f"Received: model={self.model!r}. Leave them out."
            )
        parts.frozen_weights(self.model, parts.parse(self.trained, "trained"))
        if parts.parse(self.take, "take") != parts.PARTS and self.start is None:
            raise ValueError(
                "`take` needs a run to take parts from. Received: "
                f"take={self.take!r} without `start`. Give --start RUN."
            )
        sequential = tasks.TASKS[self.task].sequential
        if self.learner != "fit" and (self.model in models.GATED or not sequential):
            raise ValueError(
                "`learner` must be fit for a network or task that cannot go pixel by pixel. "
                f"Received: {self.learner!r} with model {self.model!r} on {self.task!r}. Use one "
                "of the models arun, gamma and relu, and scifar10 instead of scifar10-conv."
            )

    def training_images(self, data: tasks.Task) -> int:
        """Number of images that the epochs draw from."""
        return min(data.sizes["train"], self.limit or data.sizes["train"])

    def training_steps(self, data: tasks.Task) -> int:
        """Number of batches in an epoch."""
        steps, rest = divmod(self.training_images(data), self.batch_size)
        return steps + (rest > 0 and not self.drop_remainder)

    def load_task(self) -> tasks.Task:
        """The task with its data.

        Raises:
            ValueError: If a split has no whole batch, and the remainder is to be dropped.
            tasks.DatasetError: If the data cannot be had.
        """
        data = tasks.load_task(
            self.task,
            downsample=self.downsample,
            permutation_seed=self.permutation_seed,
            data_dir=self.data_dir,
            source=self.source,
        )
        fewest = min(*data.sizes.values(), self.limit or math.inf)
        if self.drop_remainder and self.batch_size > fewest:
            raise ValueError(
                f"`batch_size` must be at most {fewest}, the images of the smallest split, with "
                f"drop_remainder. Received: {self.batch_size}."
            )
        return data

    def to_dict(self) -> dict:
        """The fields as JSON-able values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_file(cls, path, **changes) -> "TrainConfig":
        """The configuration in a `config.json`, with some fields changed.

        Raises:
            ValueError: If there is no such file, or it holds no configuration.
        """
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise ValueError(
                f"`config` must be the config.json of a run. Received: {path} ({error})."
            ) from error
        if not isinstance(values, dict):
            raise ValueError(f"`config` must hold the options of a run by name. Received: {path}.")
        for name in values:
            one_of(f"option in {path}", name, cls.names())
        return cls(**{"task": None, **values, **changes})

    @classmethod
    def names(cls) -> list[str]:
        """Names of the fields."""
        return [item.name for item in dataclasses.fields(cls)]


def preset(task: str) -> dict:
    """The defaults of a task: the paper's, but for those of the small embedded images."""
    return PRESETS.get(tasks.TASKS[task].collection, PAPER)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give `parser` one option a field of `TrainConfig`; `task` is positional."""
    for item in dataclasses.fields(TrainConfig):
        text, kind = item.metadata["help"] + _default_text(item), item.metadata["type"]
        flag = "--" + item.name.replace("_", "-")
        if item.name == "task":
            parser.add_argument("task", nargs="?", help=text)
        elif item.default is False:
            parser.add_argument(flag, action="store_true", default=None, help=text)
        elif kind is bool:
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, help=text)
        else:
            parser.add_argument(flag, type=kind, metavar=kind.__name__.upper(), help=text)


def _default_text(item):
    if item.name in PAPER:
        others = "".join(f"; {task}: {values[item.name]}" for task, values in PRESETS.items())
        paper = "none" if PAPER[item.name] is None else PAPER[item.name]
        return f" (default: {paper}{others})"
    if item.default is None or item.default is False:
        return ""
    return f" (default: {item.default})"


def _checked(item, value):
    """A value of a field, which must be of its type and in its range."""
    name, kind, least = item.name, item.metadata["type"], item.metadata["least"]
    if kind is int:
        return _whole(name, value, least, item.metadata["most"])
    if kind is float:
        return _number(name, value, least)
    if kind is bool and not isinstance(value, bool):
        raise ValueError(f"`{name}` must be True or False. Received: {value!r}.")
    if kind is str and not isinstance(value, str | os.PathLike):
        raise ValueError(f"`{name}` must be text. Received: {value!r}.")
    return os.fspath(value) if kind is str else value


def _whole(name, value, least, most):
    number = whole(name, value, least)
    if number > most:
        raise ValueError(
            f"`{name}` must be a whole number from {least} to {most}. Received: {number}."
        )
    return number


def _number(name, value, least):
    if least is not None:
        return finite(name, value, least)
    number = finite(name, value, 0)
    if number == 0:
        raise ValueError(f"`{name}` must be a finite number above 0. Received: {value!r}.")
    return number
