"""A callback of `fit` that records the signals of a network during training."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from aru_keras._util.arguments import whole
from aru_keras.probing.recording import Record, Recorder


def mean_of_units(values: np.ndarray) -> np.ndarray:
    """The mean over all steps, (N,).

    Args:
        values: The values of a signal, (steps, N).
    """
    return values.mean(axis=0)


class SignalHistory(keras.callbacks.Callback):
    """Record signals, for example n and s, before training and after epochs.

    The callback needs no run folder, and works with every model that `record` takes.

    Args:
        x: Some sequences, (B, T, I), or the values of the model's pixel input.
        signals: The names of the signals, or a `Record`, as in `record`.
        drive: The drive ξ, as in `record`.
        every: The number of epochs between records. The last epoch is always recorded.
        keep: The function that reduces a signal. Its argument is the array (steps, N) of all steps
            of all sequences that no mask skips. By default it is the mean of each unit; `np.array`
            keeps everything.

    Attributes:
        epochs: The numbers of epochs after which it was recorded; the first is that of the epochs
            before this training, 0 unless `fit` is given an `initial_epoch`.
        history: For each signal a list of the results of `keep`, one for each of `epochs`.

    Raises:
        ValueError: When training starts, if the model has no such layer or signal.

    Example:
        >>> history = SignalHistory(x[:32], ("n", "s"))
        >>> model.fit(x, y, epochs=5, callbacks=[history])
        >>> np.stack(history.history["n"]).shape  # epochs 0 to 5, N units
        (6, 64)
    """

    def __init__(
        self,
        x: Any,
        signals: str | Sequence[str] | Record | None = ("n", "s"),
        drive: Any = None,
        *,
        every: int = 1,
        keep: Callable[[np.ndarray], object] = mean_of_units,
    ):
        super().__init__()
        self.x, self.signals, self.drive, self.keep = x, signals, drive, keep
        self.every = whole("every", every, 1)
        self.epochs: list[int] = []
        self.history: dict[str, list] = {}

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Record the signals before training."""
        if not self.model.built:  # On TensorFlow, `fit` builds it later.
            self.model.build(np.shape(self.x))
        self._recorder = Recorder(self.model, self.signals)
        self.epochs, self.history = [], {name: [] for name in self._recorder.signals}
        self._done = 0
        self._record(0)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Date the first record, as `fit` says only now with which epoch it begins."""
        if not self._done:
            self._done = self.epochs[0] = epoch

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Record the signals after an epoch, if it is due."""
        self._done = epoch + 1
        if self._done % self.every == 0:
            self._record(self._done)

    def on_train_end(self, logs: dict | None = None) -> None:
        """Record the signals after the last epoch."""
        if self.epochs[-1] != self._done:
            self._record(self._done)

    def _record(self, epoch):
        signals = self._recorder(self.x, self.drive)
        mask = signals.pop("mask", slice(None))
        for name, values in signals.items():
            steps = values[mask].reshape(-1, values.shape[-1])
            self.history[name].append(self.keep(steps))
        self.epochs.append(epoch)
