"""The validation curve of a run, as a trial of Optuna sees it."""

from typing import Any

import keras

from aru_keras.runners.run_files import read_history
from aru_keras.runners.run_folder import SCORES, RunError, RunFolder


class PruneOnValidation(keras.callbacks.Callback):
    """Reports the validation score of each epoch to a trial, and ends the run if it is pruned.

    It stands behind what keeps the epochs, so that a pruned run can be continued. The last epoch
    prunes nothing, as nothing is saved any more.

    Args:
        trial: The trial of Optuna.
        folder: Folder of the run, whose earlier epochs are reported first.
        epochs: Number of epochs of the run.
    """

    def __init__(self, trial: Any, folder: RunFolder, epochs: int):
        super().__init__()
        self.trial, self.folder, self.epochs = trial, folder, epochs
        self.reported = 0

    def report_earlier(self) -> None:
        """Report the epochs in the folder of the run that were not reported yet."""
        if not self.folder.history.exists():
            return
        way_out = f"Remove {self.folder.path}, and the run is trained anew."
        history = read_history(self.folder.history, way_out=way_out, error=RunError)
        (score,) = SCORES & history.keys()
        for value in history[score][self.reported :]:
            self._report(value)

    def on_train_begin(self, logs: Any = None) -> None:
        self.report_earlier()
        self._prune()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        (score,) = SCORES & logs.keys()
        self._report(logs[score])
        if not self.model.stop_training:
            self._prune()

    def _report(self, value):
        self.reported += 1
        self.trial.report(float(value), self.reported)

    def _prune(self):
        if 0 < self.reported < self.epochs and self.trial.should_prune():
            from optuna import TrialPruned

            raise TrialPruned(f"pruned after epoch {self.reported}")
