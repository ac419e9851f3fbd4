"""The folder of a run, which holds the last whole epoch whenever the process dies."""

import contextlib
import csv
import itertools
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from aru_keras._util import checked_files
from aru_keras._util.files import locked, make_folder, remove_leftovers, replacing, write_json
from aru_keras.models.pretrained import pretrained_name, run_path
from aru_keras.probing import run_order
from aru_keras.probing.graph import MODEL_FILE, PERMUTATION_FILE, load_model
from aru_keras.runners.config import TrainConfig
from aru_keras.runners.control.config import describes_agent
from aru_keras.runners.run_files import possible_folder, read_results

FIRST_CHECKPOINT = "epoch-0001.keras"
NEEDED = ("val_loss", "seconds")
SCORES = {"val_accuracy", "val_r2"}
"""Columns of the history that a run needs: all of `NEEDED`, and one of `SCORES`."""

_NUMBER = checked_files.number()
_EPOCH = checked_files.record(dict.fromkeys(("epoch", *NEEDED), _NUMBER), others=_NUMBER)
STATE = checked_files.record(
    {"checkpoint": checked_files.text, "history": checked_files.rows(_EPOCH, least=1)}
)
"""What `state.json` holds."""


class RunError(RuntimeError):
    """A run that cannot be started, resumed or read; the message says what to do."""


class WorldError(RunError):
    """An environment failed while an agent acted in it."""


class WriteError(RunError):
    """A run that broke off because its folder cannot be written."""


class RunFolder:
    """Reads and writes the files of one run.

    `config.json`, `permutation.npy`, `history.csv`, `model.keras` (of the best epoch so far),
    `results.json` (when finished), `events/` for TensorBoard, pictures, and `checkpoint/`, whose
    `state.json` alone says from where to resume. The process that trains holds the lock `.lock`.

    Args:
        path: The folder, which need not exist; or `pretrained:NAME`, one of `models.PRETRAINED`.

    Raises:
        ValueError: If no folder can have this name, or there is no such pretrained network.
    """

    schema, scores = staticmethod(STATE), frozenset(SCORES)
    """What `state.json` holds, and the columns of its history of which there is one."""

    def __init__(self, path: str | os.PathLike):
        self.path = possible_folder(run_path(path))
        name = pretrained_name(path)
        self.products = self.path if name is None else Path("runs") / name
        self.config = self.path / "config.json"
        self.history = self.path / "history.csv"
        self.model = self.path / MODEL_FILE
        self.results = self.path / "results.json"
        self.events = self.path / "events"
        self.picture = self.path / "reading.png"
        self.checkpoint = self.path / "checkpoint"
        self.state = self.checkpoint / "state.json"

    @classmethod
    def new(cls, parent: str | os.PathLike, name: str) -> "RunFolder":
        """Make a new folder in `parent`, called `name`, or `name-2`, … if that exists already.

        Raises:
            ValueError: If `parent` cannot be a folder that can be written.
        """
        make_folder("run_dir", parent)
        for number in itertools.count(1):
            folder = cls(Path(parent) / (name if number == 1 else f"{name}-{number}"))
            with contextlib.suppress(FileExistsError):
                folder.path.mkdir()
                return folder
        raise AssertionError("there is a free name")

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Lock this run for other processes until the context, or the process, ends.

        Raises:
            RunError: If another process has locked it, or the folder cannot be written.
        """
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(locked(self.path / ".lock"))
            except BlockingIOError as error:
                raise RunError(
                    f"Another process trains the run in {self.path}. Wait until it ends, or name "
                    "another folder with --run-dir."
                ) from error
            except OSError as error:
                raise RunError(
                    f"{self.path} must be a folder that can be written, to train a run in it "
                    f"({error}). Copy the run to such a folder, or change its permissions."
                ) from error
            yield

    def check_free(self) -> None:
        """Check that the folder contains no run that has finished an epoch.

        Raises:
            RunError: If it contains such a run.
        """
        if self.state.exists() or self._remains():
            raise RunError(
                f"{self.path} holds a run already. Continue it with --resume {self.path}, or name "
                "another folder with --run-dir."
            )

    def create(self, config: TrainConfig, permutation: np.ndarray | None) -> None:
        """Write the first files of a run; they replace those of a run without a finished epoch.

        Args:
            config: Configuration of the run. A folder with a `config.json` counts as a run.
            permutation: Order of the pixels; None for row by row.

        Raises:
            RunError: If the folder contains a run that has finished an epoch.
        """
        self.check_free()
        self.config.unlink(missing_ok=True)
        self.checkpoint.mkdir(exist_ok=True)
        self._write_permutation(permutation)
        write_json(self.config, config.to_dict())

    def check_order(self) -> None:
        """Check that `permutation.npy` is the order of pixels of the run's task and seed.

        Raises:
            RunError: If it is not, or `results.json` names another order.
        """
        try:
            run_order(self.path)
        except ValueError as error:
            raise RunError(str(error)) from error

    def load_config(self) -> TrainConfig:
        """The configuration of the run in this folder.

        Raises:
            RunError: If the folder contains no run, or its configuration is damaged.
        """
        if not self.config.exists():
            raise RunError(
                f"{self.path} holds no run: there is no config.json in it. Start one with "
                f"aru-keras train TASK --run-dir {self.path}."
            )
        if describes_agent(self.config):
            raise RunError(
                f"{self.path} holds the run of an agent in an environment. Continue it with "
                f"aru-keras train --resume {self.path}, and look at it with aru-keras probe."
            )
        try:
            return TrainConfig.from_file(self.config)
        except ValueError as error:
            raise RunError(
                f"{self.config} is damaged: {error} Put it back, or remove {self.path}, and train "
                "again."
            ) from error

    def load_state(self) -> tuple[keras.Model | None, list[dict]]:
        """The model after the last whole epoch (None before the first), and its history rows.

        Raises:
            RunError: If the checkpoint is damaged or lost.
        """
        remove_leftovers(self.path)
        if not self.state.exists():
            self._check_nothing_is_lost()
            self.checkpoint.mkdir(exist_ok=True)
            return None, []
        try:
            checkpoint, rows = self._read_state()
            model = load_model(checkpoint)
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise RunError(
                f"The checkpoint in {self.checkpoint} is damaged ({error}). Train again, in "
                f"another folder, with --config {self.config}."
            ) from error
        self._write_history(rows)
        return model, rows

    def load_model(self) -> keras.Model:
        """The model of the best epoch so far.

        Raises:
            RunError: If no epoch is finished, or the file is damaged.
        """
        if not self.model.exists():
            raise RunError(
                f"{self.model} is written after the first epoch. Continue with aru-keras train "
                f"--resume {self.path}."
            )
        try:
            return load_model(self.model)
        except ValueError as error:
            raise RunError(
                f"{self.model} cannot be loaded ({error}). Train again, in another folder, with "
                f"aru-keras train --config {self.config}."
            ) from error

    def load_results(self) -> dict:
        """The content of `results.json`.

        Raises:
            RunError: If there is no finished run, or the file is damaged.
        """
        if not self.results.exists():
            raise RunError(
                f"{self.path} holds no finished run: there is no results.json in it. Finish it "
                f"with aru-keras train --resume {self.path}."
            )
        return read_results(self.results, error=RunError)

    def commit_epoch(self, model: keras.Model, rows: list[dict], *, best: bool) -> None:
        """Save the state after an epoch, which counts as done once `state.json` is replaced."""
        checkpoint = self.checkpoint / f"epoch-{len(rows):04d}.keras"
        with replacing(checkpoint) as temporary:
            model.save(temporary)
        write_json(self.state, {"checkpoint": checkpoint.name, "history": rows})
        if best:
            self.keep_best(len(rows))
        self._write_history(rows)
        for other in self.checkpoint.glob("epoch-*.keras"):
            if other.name != checkpoint.name:
                other.unlink()

    def keep_best(self, epoch: int) -> None:
        """Make the checkpoint of an epoch the best model so far."""
        with replacing(self.model) as temporary:
            shutil.copyfile(self.checkpoint / f"epoch-{epoch:04d}.keras", temporary)

    def _write_permutation(self, permutation):
        path = self.path / PERMUTATION_FILE
        if permutation is None:
            path.unlink(missing_ok=True)
            return
        with replacing(path) as temporary:
            np.save(temporary, permutation)

    def _remains(self):
        """Files of whole epochs; a first checkpoint may be one that was not yet committed."""
        files = [self.model, self.history, self.results, *self.checkpoint.glob("epoch-*.keras")]
        return [file for file in files if file.exists() and file.name != FIRST_CHECKPOINT]

    def _check_nothing_is_lost(self):
        if remains := self._remains():
            raise RunError(
                f"{self.state}, from which a run resumes, is missing, but {remains[0].name} shows "
                "that epochs were done. Put it back, or train again, in another folder, with "
                f"--config {self.config}."
            )

    def _read_state(self):
        """Path of the checkpoint, and the history rows, that `state.json` holds."""
        state = checked_files.read_json(
            self.state, self.schema, holds="the epochs of a run", way_out=""
        )
        name, rows = state["checkpoint"], state["history"]
        if not re.fullmatch(r"epoch-\d{4,}\.keras", name):
            raise ValueError(f"state.json names {name!r}, which is no checkpoint")
        checkpoint = self.checkpoint / name
        if checkpoint.resolve().parent != self.checkpoint.resolve():
            raise ValueError(f"{name} lies outside of the folder")
        if len(rows) != int(name[6:-6]):
            raise ValueError(f"the history in state.json is not that of the epochs up to {name}")
        if any(row["epoch"] != number for number, row in enumerate(rows, start=1)):
            raise ValueError("the history in state.json does not hold every epoch")
        if not self.scores & rows[0].keys():
            raise ValueError(f"row 1 of the history in state.json lacks {min(self.scores)}")
        if any(row.keys() != rows[0].keys() for row in rows):
            raise ValueError("the epochs of the history in state.json have different columns")
        return checkpoint, rows

    def _write_history(self, rows):
        with (
            replacing(self.history) as temporary,
            open(temporary, "w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
