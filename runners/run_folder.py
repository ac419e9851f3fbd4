"""The folder of a run: whatever moment the process dies, the last whole epoch stands in it."""

import csv
import json
import os
import shutil
import zipfile
from pathlib import Path

import keras
import numpy as np

from aru_keras.files import make_folder, remove_leftovers, replacing, write_json
from aru_keras.probing.networks import MODEL_FILE, PERMUTATION_FILE
from aru_keras.runners.config import TrainConfig


class RunError(RuntimeError):
    """A run that cannot be started, resumed or read; the message says what to do."""


class RunFolder:
    """Reads and writes the files of one run.

    `config.json`, `permutation.npy`, `history.csv`, `model.keras` (of the best epoch so far),
    `results.json` (when finished), `events/` for TensorBoard, pictures, and `checkpoint/`, whose
    `state.json` is the one truth to resume from.

    Args:
        path: The folder; need not exist.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        self.config = self.path / "config.json"
        self.history = self.path / "history.csv"
        self.model = self.path / MODEL_FILE
        self.results = self.path / "results.json"
        self.events = self.path / "events"
        self.picture = self.path / "reading.png"
        self.checkpoint = self.path / "checkpoint"
        self.state = self.checkpoint / "state.json"

    def create(self, config: TrainConfig) -> None:
        """Make the folder and write the configuration.

        Raises:
            RunError: If a run with something to lose is in the folder already.
            ValueError: If it cannot be a folder that can be written.
        """
        if self.state.exists() or self.results.exists():
            raise RunError(
                f"{self.path} holds a run already. Continue it with --resume {self.path}, or name "
                "another folder with --run-dir."
            )
        make_folder("run_dir", self.path)
        self.checkpoint.mkdir(exist_ok=True)
        write_json(self.config, config.to_dict())

    def load_config(self) -> TrainConfig:
        """The configuration of the run in this folder.

        Raises:
            RunError: If there is none.
        """
        if not self.config.exists():
            raise RunError(
                f"{self.path} holds no run: there is no config.json in it. Start one with "
                f"aru-keras train TASK --run-dir {self.path}."
            )
        return TrainConfig.from_file(self.config)

    def keep_permutation(self, permutation: np.ndarray | None) -> None:
        """Write the order of the pixels to `permutation.npy`, unless it is there or None."""
        path = self.path / PERMUTATION_FILE
        if permutation is not None and not path.exists():
            with replacing(path) as temporary:
                np.save(temporary, permutation)

    def load_state(self) -> tuple[keras.Model | None, list[dict]]:
        """The model after the last whole epoch (None before the first), and its history rows.

        Raises:
            RunError: If the checkpoint is damaged.
        """
        remove_leftovers(self.path)
        if not self.state.exists():
            return None, []
        try:
            state = json.loads(self.state.read_text(encoding="utf-8"))
            rows = state["history"]
            model = keras.models.load_model(self.checkpoint / state["checkpoint"])
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise RunError(
                f"The checkpoint in {self.checkpoint} is damaged ({error}). Train anew, in another "
                f"folder, with --config {self.config}."
            ) from error
        self._write_history(rows)
        return model, rows

    def load_model(self) -> keras.Model:
        """The model of the best epoch so far.

        Raises:
            RunError: If there is none, or it is damaged.
        """
        try:
            return keras.models.load_model(self.model)
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            if self.model.exists():
                what = f"is damaged. Train anew, in another folder, with --config {self.config}"
            else:
                what = f"is there after the first epoch. Go on with --resume {self.path}"
            raise RunError(f"{self.model} {what} (aru-keras train).") from error

    def load_results(self) -> dict:
        """What `results.json` holds.

        Raises:
            RunError: If the run is not finished, or there is none.
        """
        if not self.results.exists():
            raise RunError(
                f"{self.path} holds no finished run: there is no results.json in it. Finish it "
                f"with aru-keras train --resume {self.path}."
            )
        return json.loads(self.results.read_text(encoding="utf-8"))

    def commit_epoch(self, model: keras.Model, rows: list[dict], *, best: bool) -> None:
        """Keep the state after an epoch; replacing `state.json` is the moment that counts."""
        checkpoint = self.checkpoint / f"epoch-{len(rows):04d}.keras"
        with replacing(checkpoint) as temporary:
            model.save(temporary)
        if best:
            with replacing(self.model) as temporary:
                shutil.copyfile(checkpoint, temporary)
        write_json(self.state, {"checkpoint": checkpoint.name, "history": rows})
        self._write_history(rows)
        for other in self.checkpoint.glob("epoch-*.keras"):
            if other.name != checkpoint.name:
                other.unlink()

    def _write_history(self, rows):
        with (
            replacing(self.history) as temporary,
            open(temporary, "w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
