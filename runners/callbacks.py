"""Callbacks of a training: learning rate, history, checkpoints and events."""

import math
import time
from typing import Any

import keras
import numpy as np

from aru_keras._util.tensorflow import tensorflow
from aru_keras.layers import GammaRNNCell
from aru_keras.probing import Recorder
from aru_keras.runners.config import TrainConfig
from aru_keras.runners.run_folder import RunFolder


class DivergedError(RuntimeError):
    """The loss became NaN or infinite; the message says where the last good state is."""


class StopOnNaN(keras.callbacks.Callback):
    """Raises `DivergedError` at the first loss of a batch or an epoch that is not finite.

    It must come before `EpochKeeper`. The loss of a batch is computed before the step of the
    weights, so the effect of the last step of an epoch only shows in the validation loss.
    """

    def __init__(self, folder: RunFolder):
        super().__init__()
        self.folder = folder
        self.epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if not math.isfinite(logs["loss"]):
            self._stop(
                f"The loss became {logs['loss']} in epoch {self.epoch + 1}, batch {batch + 1}"
            )

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        broken = [name for name, value in logs.items() if not math.isfinite(value)]
        if broken:
            name = "validation loss" if "val_loss" in broken else broken[0]
            value = logs["val_loss" if "val_loss" in broken else broken[0]]
            self._stop(f"The {name} became {value} after the last batch of epoch {epoch + 1}")

    def _stop(self, what):
        last = f"The state after epoch {self.epoch} is kept in {self.folder.path}."
        raise DivergedError(
            f"{what}. {last if self.epoch else 'There is no earlier state.'} "
            "Train again with a lower --learning-rate or with --clip-norm 1."
        )


class EpochKeeper(keras.callbacks.Callback):
    """Sets the learning rate, saves history and checkpoint, and stops early, after each epoch.

    Its only state is the rows of the history, so a resumed run decides as an uninterrupted one.

    Args:
        folder: Folder in which to save.
        config: Configuration of the run.
        rows: History of the epochs that are done.
    """

    def __init__(self, folder: RunFolder, config: TrainConfig, rows: list[dict]):
        super().__init__()
        self.folder = folder
        self.config = config
        self.rows = rows

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        row: dict[str, float] = {"epoch": epoch + 1}
        row |= {name: float(logs[name]) for name in sorted(logs) if name != "learning_rate"}
        row |= {"learning_rate": rate, "seconds": time.perf_counter() - self.started}
        row |= _static_parameters(self.model)
        self.rows.append(row)
        losses = validation_losses(self.rows)
        if self.config.schedule == "plateau":
            self.model.optimizer.learning_rate = plateau_rate(self.config, losses)
        self.folder.commit_epoch(self.model, self.rows, best=best_epoch(self.rows) == epoch + 1)
        if stops_early(self.config, losses):
            self.model.stop_training = True


class EpochBar(keras.callbacks.Callback):
    """One progress bar over all epochs.

    Args:
        epochs: Number of epochs, including those before a resume.
    """

    def __init__(self, epochs: int):
        super().__init__()
        self.bar = keras.utils.Progbar(epochs, unit_name="epoch")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        ended = epoch + 1 == self.bar.target or self.model.stop_training
        self.bar.update(epoch + 1, finalize=ended)


def _static_parameters(model):
    """The means of n and s over the units of an RNN+γ; an empty dict for other networks."""
    cell = getattr(model.get_layer("recurrent"), "cell", None)
    if not isinstance(cell, GammaRNNCell):
        return {}
    return {
        name: float(np.mean(keras.ops.convert_to_numpy(getattr(cell, name)))) for name in ("n", "s")
    }


class SignalEvents(keras.callbacks.Callback):
    """TensorBoard events: the scalars of an epoch and histograms of n and s.

    Args:
        folder: Folder of the run, in which the events are written.
        sequences: Some validation sequences, (B, T, I), for the histograms.
    """

    def __init__(self, folder: RunFolder, sequences: np.ndarray):
        super().__init__()
        tf = tensorflow()
        self.summary = tf.summary
        self.writer = tf.summary.create_file_writer(str(folder.events))
        self.sequences = sequences
        self.recorder: Recorder | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        cell = getattr(self.model.get_layer("recurrent"), "cell", None)
        if {"n", "s"} <= set(getattr(cell, "signal_sizes", ())):
            self.recorder = Recorder(self.model, ("n", "s"))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        with self.writer.as_default(step=epoch + 1):
            for name, value in logs.items():
                self.summary.scalar(name, float(value))
            if self.recorder is not None:
                signals = self.recorder(self.sequences)
                steps = signals.pop("mask", ...)
                for name, values in signals.items():
                    self.summary.histogram(name, values[steps])
        self.writer.flush()


def validation_losses(rows: list[dict]) -> list[float]:
    """The validation loss of each epoch; infinite where it is NaN, which is never the lowest."""
    losses = [row["val_loss"] for row in rows]
    return [math.inf if math.isnan(loss) else loss for loss in losses]


def best_epoch(rows: list[dict]) -> int:
    """The last epoch, counted from 1, with the best validation; 0 if there is none.

    The best has the highest accuracy, or the lowest loss where values are learned.
    """
    if not rows:
        return 0
    if "val_accuracy" in rows[0]:
        scores = [row["val_accuracy"] for row in rows]
    else:
        scores = [-loss for loss in validation_losses(rows)]
    return len(rows) - int(np.argmax(scores[::-1]))


def plateau_rate(config: TrainConfig, losses: list[float]) -> float:
    """The learning rate after these epochs, × `decay` after `patience` epochs without progress."""
    rate, lowest, waited = config.learning_rate, math.inf, 0
    for loss in losses:
        waited = 0 if loss < lowest else waited + 1
        lowest = min(loss, lowest)
        if waited == config.patience:
            rate, waited = rate * config.decay, 0
    return rate


def stops_early(config: TrainConfig, losses: list[float]) -> bool:
    """Whether the run ends here, because the validation loss no longer improves."""
    if config.early_stop is None or not losses:
        return False
    return len(losses) - 1 - int(np.argmin(losses)) >= config.early_stop
