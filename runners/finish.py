"""Train runs to their end exactly once, over several interrupted calls if need be."""

from collections.abc import Sequence

import keras

from aru_keras._util.checked_files import read_json, record, text, writing
from aru_keras._util.files import write_json
from aru_keras.runners import train
from aru_keras.runners.run_folder import RunError, RunFolder

DIVERGED_FILE = "diverged.json"
"""Name of the file, in the folder of a run, that says why it diverged."""


def is_settled(folder: RunFolder) -> bool:
    """Whether a run is finished or has diverged, so that nothing is left to train."""
    return folder.results.exists() or (folder.path / DIVERGED_FILE).exists()


def finish(
    folder: RunFolder,
    config: train.TrainConfig,
    verbose: int | str = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> None:
    """Train a run to its end, from the start or from its last whole epoch.

    Nothing is done if it is finished. If it diverges, a file in its folder says so, and later calls
    raise the same error without training.

    Args:
        folder: Folder of the run.
        config: Configuration of the run, if it is new.
        verbose: As in `train.train`.
        callbacks: As in `train.train`.

    Raises:
        DivergedError: The loss became NaN, now or in an earlier call.
        RunError: As in `train.train` and `train.resume`.
    """
    if folder.results.exists():
        return
    _check_divergence(folder.path / DIVERGED_FILE)
    try:
        if folder.config.exists():
            train.resume(folder.path, verbose=verbose, callbacks=callbacks)
        else:
            train.train(config, run_dir=folder.path, verbose=verbose, callbacks=callbacks)
    except train.DivergedError as error:
        _keep(folder.path / DIVERGED_FILE, str(error))
        raise


def _check_divergence(path):
    if path.exists():
        stored = read_json(
            path,
            record({"reason": text}),
            holds="the reason why a run diverged",
            way_out="Remove it to train the run again.",
            error=RunError,
        )
        raise train.DivergedError(stored["reason"])


def _keep(path, reason):
    with writing(path, RunError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"reason": reason})
