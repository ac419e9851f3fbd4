"""A callback of `fit` that follows the signals of a network through its training."""

from collections.abc import Callable

import keras
import numpy as np

from aru_keras.arguments import whole
from aru_keras.probing.recording import Recorder


def mean_of_units(values: np.ndarray) -> np.ndarray:
    """The mean over all steps, (steps, N) -> (N,)."""
    return values.mean(axis=0)


class SignalHistory(keras.callbacks.Callback):
    """Records signals, n and s for example, before training and after its epochs.

    It needs no run folder, and serves any model that `record` takes.

    Args:
        x: Some sequences, (B, T, I), or what the model's pixel input takes.
        signals: Names of the signals, or a `Record`, as in `record`.
        drive: ξ, as in `record`.
        every: Record after every so many epochs; the last one is always recorded.
        keep: What to keep of a signal: a function of its values at all steps of all sequences that
            no mask skips, (steps, N). By default the mean of each unit; `np.array` keeps all.

    Attributes:
        epochs: The epochs recorded, 0 for before the first.
        history: By name a list of what `keep` gave, one for each of `epochs`.

    Raises:
        ValueError: At the start of training, if the model has no such layer or signal.

    Example:
        >>> history = SignalHistory(x[:32], ("n", "s"))
        >>> model.fit(x, y, epochs=5, callbacks=[history])
        >>> np.stack(history.history["n"]).shape  # epochs 0 to 5, N units
        (6, 64)
    """

    def __init__(
        self,
        x,
        signals=("n", "s"),
        drive=None,
        *,
        every: int = 1,
        keep: Callable[[np.ndarray], object] = mean_of_units,
    ):
        super().__init__()
        self.x, self.signals, self.drive, self.keep = x, signals, drive, keep
        self.every = whole("every", every, 1)
        self.epochs: list[int] = []
        self.history: dict[str, list] = {}

    def on_train_begin(self, logs=None):
        self._recorder = Recorder(self.model, self.signals)
        self.epochs, self.history = [], {name: [] for name in self._recorder.signals}
        self._done = 0
        self._record(0)

    def on_epoch_end(self, epoch, logs=None):
        self._done = epoch + 1
        if self._done % self.every == 0:
            self._record(self._done)

    def on_train_end(self, logs=None):
        if self.epochs[-1] != self._done:
            self._record(self._done)

    def _record(self, epoch):
        found = self._recorder(self.x, self.drive)
        mask = found.pop("mask", slice(None))
        for name, values in found.items():
            steps = values[mask].reshape(-1, values.shape[-1])
            self.history[name].append(self.keep(steps))
        self.epochs.append(epoch)
