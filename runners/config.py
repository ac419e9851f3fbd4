"""The options of a training run; the command line, its help and config.json derive from them."""

import argparse
import dataclasses
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aru_keras import models, tasks
from aru_keras._util.arguments import one_of
from aru_keras.models import weight_groups
from aru_keras.models.weight_groups import WEIGHT_GROUPS
from aru_keras.runners import options, own_data, ranges
from aru_keras.runners.options import LARGEST_SEED, checked, count, option, parsed_weights, switch

SCHEDULES = ("plateau", "cosine", "constant")
OPTIMIZERS = ("adam", "rmsprop")
LEARNERS = {
    "fit": "`model.fit` on batches",
    "agent": "episodes from the environment, by their labels",
    "reward": "episodes from the environment, by their reward alone",
}

PAPER: dict[str, Any] = {
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
    },
    "arrays": {
        "units": 64,
        "controller_units": 8,
        "epochs": 40,
        "batch_size": 64,
        "learning_rate": 1e-3,
        "schedule": "cosine",
        "clip_norm": 1.0,
        "weight_decay": None,
    },
}
"""Collection -> defaults of its tasks; "arrays" stands for your own sequences."""

NEWER = ("class_weights", "fingerprint")
"""Options that are written to config.json only if they are given."""

DATA = ("downsample", "permutation_seed", "source", "data_dir", "fingerprint")
"""Options that decide, beside the task, which data is loaded."""


@dataclass(frozen=True)
class TrainConfig:
    """All options of a training run; `None` means the default of the task.

    The fields' help texts are those of `aru-keras train --help`.

    Raises:
        ValueError: If a value is out of its range. The message names the field.
    """

    task: str = option(
        "what to learn: one of "
        + ", ".join([*tasks.TASKS, *tasks.origins.SYNTHETIC])
        + "; or the .npz of your own sequences; or module:function (file.py:function), for a "
        "function that returns a task"
    )
    model: str = option("network: one of " + ", ".join(models.NETWORKS), "arun")
    learner: str = option(
        "how to learn: " + "; ".join(f"{name}: {text}" for name, text in LEARNERS.items()), "fit"
    )
    units: int = count("recurrent units N")
    controller_units: int = count("controller units G of an ARUN")
    shared: bool = switch("gamma: one (n, s) for all units, not a pair per unit")
    fixed: bool = switch("gamma: leave n and s untrained")
    n: float | None = option("gamma: initial gain of all units", type=float, least=0)
    s: float | None = option("gamma: initial saturation of all units", type=float, least=0)
    trained: str = option(
        "groups of weights to train, joined by +: all, " + ", ".join(weight_groups.WEIGHT_GROUPS),
        "all",
    )
    start: str | None = option(
        "run, or pretrained:NAME, whose network gives the weights to start from"
    )
    take: str = option("groups of weights to take from that run, joined by +", "all")
    match_parameters: bool | None = option(
        "choose the units so that the parameter count is that of the ARUN, within 2 %% "
        "(default: the nearest, for lstm and gru)",
        type=bool,
    )
    downsample: int = count("average the images over squares of this many pixels a side first", 1)
    permutation_seed: int = count(
        "seed of the fixed permutation of the pixels", 0, least=0, most=math.inf
    )
    source: str | None = option(".npz made by `aru-keras export`, instead of TensorFlow Datasets")
    data_dir: str | None = option("folder of TensorFlow Datasets; by default TFDS_DATA_DIR")
    fingerprint: str | None = option(
        "train only if the data has this fingerprint, which config.json stores"
    )
    limit: int | None = count("use only the first LIMIT images of each split")
    epochs: int = count("number of passes over the training images")
    batch_size: int = count("number of images in a training step")
    class_weights: str | None = option(
        "weights of the classes in the training loss: balanced, or a number per class, joined by "
        "commas (default: 1 for every class)"
    )
    drop_remainder: bool = switch(
        "leave out the images that do not fill the last batch of a split, for devices that share "
        "every batch evenly"
    )
    optimizer: str = option("one of " + ", ".join(OPTIMIZERS), "adam")
    learning_rate: float = option("learning rate at the start", type=float)
    schedule: str = option("schedule of the learning rate: one of " + ", ".join(SCHEDULES))
    patience: int = count("plateau: number of epochs to wait for a better validation loss", 10)
    decay: float = option(
        "plateau: factor by which the learning rate is then multiplied", 0.1, type=float
    )
    early_stop: int | None = count(
        "stop after this many epochs without a better validation loss (default: never)"
    )
    clip_norm: float | None = option(
        "largest global norm of the gradient; 0: no limit", type=float, least=0
    )
    weight_decay: float | None = option("decoupled weight decay; 0: none", type=float, least=0)
    contrast_share: float = option(
        "share of the training batches whose contrast varies in time, with random frequency",
        0.0,
        type=float,
        least=0,
    )
    contrast_amplitude: float = option("amplitude of this contrast", 0.2, type=float)
    seed: int = count(
        "seed of the weights and of the order of images", 0, least=0, most=LARGEST_SEED
    )

    def __post_init__(self):
        object.__setattr__(self, "task", tasks.origins.checked_name("task", self.task))
        one_of("model", self.model, models.NETWORKS)
        for name, value in preset(self.task).items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        one_of("schedule", self.schedule, SCHEDULES)
        one_of("learner", self.learner, LEARNERS)
        one_of("optimizer", self.optimizer, OPTIMIZERS)
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            if value is not None or item.default is False:
                object.__setattr__(self, item.name, checked(item, value))
        options.check_contrast(self.contrast_share, self.learner)
        of_gamma = self.shared or self.fixed or self.n is not None or self.s is not None
        if of_gamma and self.model != "gamma":
            raise ValueError(
                "`shared`, `fixed`, `n` and `s` belong to model gamma. "
                f"Received: model={self.model!r}. Leave them out."
            )
        weight_groups.frozen_groups(self.model, weight_groups.parse(self.trained, "trained"))
        if weight_groups.parse(self.take, "take") != WEIGHT_GROUPS and self.start is None:
            raise ValueError(
                "`take` needs a run to take weights from. Received: "
                f"take={self.take!r} without `start`. Give --start RUN."
            )
        parsed_weights(self.class_weights)
        spec = tasks.TASKS.get(self.task)
        if self.learner != "fit":
            self._check_learner(spec is None or spec.sequential)
            if self.class_weights is not None:
                raise ValueError(
                    "`class_weights` are for the learner fit. Received: "
                    f"{self.class_weights!r} with learner={self.learner!r}. Leave one of them out."
                )

    def _check_learner(self, stepwise):
        if self.model in models.GATED or not stepwise:
            raise ValueError(
                "`learner` must be fit for a network or task that cannot go pixel by pixel. "
                f"Received: {self.learner!r} with model {self.model!r} on {self.task!r}. Use one "
                "of the models arun, gamma and relu, and scifar10 instead of scifar10-conv."
            )

    @property
    def weights_of_classes(self) -> str | list[float] | None:
        """`class_weights` as `tasks.Task.batches` takes them."""
        return parsed_weights(self.class_weights)

    def training_images(self, data: "tasks.Task") -> int:
        """Number of images that the epochs draw from."""
        return min(data.sizes["train"], self.limit or data.sizes["train"])

    def training_steps(self, data: "tasks.Task") -> int:
        """Number of batches in an epoch."""
        steps, rest = divmod(self.training_images(data), self.batch_size)
        return steps + (rest > 0 and not self.drop_remainder)

    def load_task(self) -> "tasks.Task":
        """The task with its data.

        Raises:
            ValueError: As in `checked`.
            tasks.DatasetError: If the data is missing or damaged, or has changed.
        """
        options = {name: getattr(self, name) for name in DATA}
        if self.task not in tasks.TASKS:
            options["data_dir"] = None  # A sweep may have such tasks beside those of images.
        return self.checked(tasks.load_task(self.task, **options))

    def checked(self, data: "tasks.Task") -> "tasks.Task":
        """The task, after a check that these options fit it.

        Raises:
            ValueError: If a split has no whole batch, and the remainder is to be dropped; if the
                learner needs one class at the end of sequences of one length; or if there is not
                one class weight for each class.
        """
        if self.drop_remainder:
            options.check_batch(self.batch_size, min(*data.sizes.values(), self.limit or math.inf))
        options.check_learner(self.learner, data)
        if self.class_weights is not None:
            data.batches("train", class_weights=self.weights_of_classes)  # Checks them.
        return data

    def to_dict(self) -> dict:
        """The fields as values for JSON; those in `NEWER` only if they are given."""
        values = dataclasses.asdict(self)
        return {k: value for k, value in values.items() if k not in NEWER or value is not None}

    @classmethod
    def from_file(cls, path: str | os.PathLike, **changes: Any) -> "TrainConfig":
        """Read the configuration in a `config.json`, and change some fields.

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
            one_of(f"An option in {path}", name, cls.names())
        if any(changes.get(k) not in (None, values.get(k)) for k in ("task", "source")):
            values.pop("fingerprint", None)  # It is that of other data.
        return own_data.located(cls(**{"task": None, **values, **changes}), Path(path).parent)

    @classmethod
    def names(cls) -> list[str]:
        """Names of the fields."""
        return [item.name for item in dataclasses.fields(cls)]


def preset(task: str) -> dict:
    """The defaults of a task: the paper's, except for the digits and for your own sequences."""
    spec = tasks.TASKS.get(task)
    return PRESETS.get("arrays" if spec is None else spec.collection, PAPER)


def add_options(parser: argparse.ArgumentParser, several: bool = False) -> None:
    """Give `parser` an option for each field of `TrainConfig`; `task` is positional.

    With `several`, each option takes several values, and a switch takes the words yes and no.
    """
    for item in dataclasses.fields(TrainConfig):
        text, kind = (
            item.metadata["help"] + options.default_text(item, PAPER, PRESETS),
            item.metadata["type"],
        )
        flag = "--" + item.name.replace("_", "-")
        if item.name == "task":
            parser.add_argument("task", nargs="+" if several else "?", help=text)
        elif several and kind is bool:
            words: dict[str, Any] = {"type": options.yes_or_no, "metavar": "yes|no"}
            parser.add_argument(flag, nargs="+", help=text, **words)
        elif several:
            words = {"type": ranges.number_or_range(kind), "metavar": kind.__name__.upper()}
            parser.add_argument(flag, nargs="+", help=text, **words)
        elif item.default is False:
            parser.add_argument(flag, action="store_true", default=None, help=text)
        elif kind is bool:
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, help=text)
        else:
            parser.add_argument(flag, type=kind, metavar=kind.__name__.upper(), help=text)
