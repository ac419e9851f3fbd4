"""Train a network on a task; one folder holds all files of the run."""

import contextlib
import importlib.util
import math
import os
import re
import sys
import time
from collections.abc import Sequence
from typing import Any

import keras

from aru_keras import models, plots, tasks
from aru_keras._util.backends import checked_backend
from aru_keras._util.files import make_folder, write_json
from aru_keras.models import weight_groups
from aru_keras.models.sizes import TRAINING_COPIES, check_memory
from aru_keras.runners import own_data
from aru_keras.runners.augmentation import ContrastBatches
from aru_keras.runners.callbacks import (
    DivergedError,
    EpochBar,
    EpochKeeper,
    SignalEvents,
    StopOnNaN,
    best_epoch,
    stops_early,
    validation_losses,
)
from aru_keras.runners.config import TrainConfig
from aru_keras.runners.memory import peak_memory_mb
from aru_keras.runners.optimizers import optimizer
from aru_keras.runners.provenance import versions
from aru_keras.runners.run_folder import RunError, RunFolder, WriteError

__all__ = ["DivergedError", "RunError", "TrainConfig", "WriteError", "resume", "train"]

HISTOGRAM_SEQUENCES = 32


def train(
    task: str | tasks.Task | TrainConfig,
    model: str = "arun",
    *,
    run_dir: str | os.PathLike | None = None,
    verbose: int | str = "auto",
    callbacks: Sequence[keras.callbacks.Callback] = (),
    **options: Any,
) -> dict:
    """Train a network from scratch.

    Args:
        task: Name of a task, as `tasks.load_task` takes it: one of `tasks.TASKS`, the path of an
            .npz of your own sequences, module:function, or a registered name; or a `tasks.Task`; or
            a `TrainConfig`. The sequences of a task without a name are written to the run folder.
        model: Name of a network in `models.NETWORKS`.
        run_dir: Folder of the run; by default a new one in `runs/`, named by task, model and time.
        verbose: As in `keras.Model.fit`; "auto" is a progress bar in a terminal, and a line per
            epoch elsewhere; "epochs" is a single bar over all epochs.
        callbacks: Keras callbacks, which are called after each epoch is kept.
        **options: Fields of `TrainConfig`.

    Returns:
        The content of `results.json`: `test_accuracy`, or `test_r2` of a regression, `test_loss`,
        `parameters`, `train_seconds`, …

    Raises:
        ValueError: For a bad argument, or a backend of Keras that cannot train.
        RunError: If `run_dir` contains a run already, or another process trains there.
        WriteError: If the folder can no longer be written; the last good state is kept.
        DivergedError: If a loss becomes NaN; the last good state is kept.
        tasks.DatasetError: If the data is missing or damaged.
    """
    checked_backend()
    own = None
    if isinstance(task, tasks.Task):
        own = task
        task, options = own_data.described(own, options)
    config = task if isinstance(task, TrainConfig) else TrainConfig(task, model, **options)
    if run_dir:
        RunFolder(run_dir).check_free()
    data = config.load_task() if own is None else config.checked(own)
    network = _new_network(config, data)
    folder = _folder(run_dir, config, data)
    with _training_in(folder):
        config = own_data.with_data(config, data, folder)
        folder.create(config, data.permutation)
        return _run(config, data, folder, network, [], verbose, callbacks)


def resume(
    run_dir: str | os.PathLike,
    *,
    verbose: int | str = "auto",
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> dict:
    """Continue the run in `run_dir` after its last whole epoch, as if it had not been interrupted.

    Args:
        run_dir: Folder of the run.
        verbose: As in `train`.
        callbacks: As in `train`.

    Returns:
        As `train`. If the run is finished, nothing is trained.

    Raises:
        RunError: If the folder contains no run, a file in it is damaged, or another process trains
            it.
        WriteError: As `train`.
        DivergedError: As `train`.
        tasks.DatasetError: As `train`.
    """
    checked_backend()
    folder = RunFolder(run_dir)
    config = folder.load_config()
    folder.check_order()
    if folder.results.exists():
        return {**folder.load_results(), "run_dir": str(folder.path)}
    data = config.load_task()
    with _training_in(folder):
        keras.utils.set_random_seed(config.seed)
        network, rows = folder.load_state()
        if network is None:
            network = _new_network(config, data)
        elif best_epoch(rows) == len(rows):  # It may have been killed before it kept the model.
            folder.keep_best(len(rows))
        return _run(config, data, folder, network, rows, verbose, callbacks)


@contextlib.contextmanager
def _training_in(folder):
    """Lock the run folder; on an error, say how to resume."""
    with folder.held():
        try:
            yield
        except KeyboardInterrupt as stop:
            stop.add_note(f"Continue the run with aru-keras train --resume {folder.path}.")
            raise
        except Exception as error:
            # TensorFlow, which writes the events, has errors of its own, which name their folder.
            if not isinstance(error, OSError) and str(folder.events) not in str(error):
                raise
            raise WriteError(
                f"The run in {folder.path} broke off, because a file could not be written or read "
                f"({error}). The state after its last whole epoch is kept. Make room, or put the "
                f"folder back, and continue with aru-keras train --resume {folder.path}."
            ) from error


def _new_network(config, data):
    keras.utils.set_random_seed(config.seed)
    return compiled_network(config, data)


def _run(config, data, folder, model, rows, verbose, callbacks):
    if verbose == "auto":
        verbose = 1 if sys.stdout.isatty() else 2
    _announce(config, data, model, folder, len(rows))
    if len(rows) < config.epochs and not stops_early(config, validation_losses(rows)):
        learn = _fit if config.learner == "fit" else _act_and_learn
        learn(
            model,
            data,
            config,
            validation_data=_stream(data, config, "validation"),
            initial_epoch=len(rows),
            callbacks=[*_callbacks(config, data, folder, rows, verbose), *callbacks],
            verbose=0 if verbose == "epochs" else verbose,
        )
    return _finish(config, data, folder, rows)


def _fit(model, data, config, *, initial_epoch, **options):
    batches = _training_stream(data, config, initial_epoch)
    epochs = {"initial_epoch": initial_epoch, "epochs": config.epochs}
    model.fit(batches, shuffle=False, **epochs, **options)


def _act_and_learn(model, data, config, **options):
    from aru_keras.runners.agent import Agent
    from aru_keras.runners.fit_agent import fit_agent  # Needs gymnasium.

    agent = Agent(model, "reward" if config.learner == "reward" else "label")
    fit_agent(agent, data, config, **options)


def compiled_network(config: TrainConfig, data: tasks.Task) -> keras.Model:
    """The untrained network of a configuration, with its optimizer, loss and metrics."""
    model = models.network_for(
        data,
        config.model,
        units=config.units,
        controller_units=config.controller_units,
        shared=config.shared,
        fixed=config.fixed,
        n=config.n,
        s=config.s,
        frozen=weight_groups.frozen_groups(config.model, config.trained),
        match_parameters=config.match_parameters,
    )
    count, cell = models.trainable_parameters(model), model.get_layer("recurrent").cell
    check_memory(config.model, count, cell.units, TRAINING_COPIES)
    if config.start:
        start = own_data.starting_network(config.start)
        weight_groups.copy_weights(start, model, weight_groups.parse(config.take))
    model.compile(
        optimizer=optimizer(config, config.training_steps(data)),
        **models.objective(data, weighted=data.weighted or config.class_weights is not None),
    )
    return model


def _finish(config, data, folder, rows):
    """Test the best model, draw a reading, and write the results."""
    best = folder.load_model()
    started = time.perf_counter()
    test_loss, test_score = best.evaluate(_stream(data, config, "test"), verbose=0)
    if not math.isfinite(test_loss):
        raise DivergedError(
            f"The loss on the test images is {test_loss}, though the validation loss was finite. "
            "Train again with a lower --learning-rate or with --clip-norm 1."
        )
    epoch, score = best_epoch(rows), models.SCORES[data.spec.target]
    results = {
        "run_dir": str(folder.path),
        "task": data.name,
        "model": config.model,
        f"test_{score}": float(test_score),
        "test_loss": float(test_loss),
        f"validation_{score}": rows[epoch - 1][f"val_{score}"],
        "best_epoch": epoch,
        "epochs": len(rows),
        "parameters": models.trainable_parameters(best),
        "units": best.get_layer("recurrent").cell.units,
        "permutation": data.permutation_hash,
        "train_seconds": sum(row["seconds"] for row in rows),
        "test_seconds": time.perf_counter() - started,
        "peak_memory_mb": peak_memory_mb(),
        "versions": versions(),
    }
    _draw(best, data, folder)
    write_json(folder.results, results)
    return results


def _draw(model, data, folder):
    if not hasattr(model.get_layer("recurrent").cell, "signal_sizes"):
        return
    if not importlib.util.find_spec("matplotlib"):
        print("matplotlib is not installed: no picture of a reading.")
        return
    drawn = plots.reading(model, data)
    plots.save_numbers(drawn, folder.picture.with_suffix(""))
    plots.save(drawn, folder.picture.with_suffix(""), formats=("png",), dpi=150)


def _folder(run_dir, config, data):
    if run_dir:
        return RunFolder(make_folder("run_dir", run_dir))
    task = re.sub(r"[^\w.-]+", "-", data.name)
    name = f"{task}-{config.model}-{time.strftime('%Y%m%d-%H%M%S')}"
    return RunFolder.new("runs", name)


def _training_stream(data, config, initial_epoch):
    options = {"initial_epoch": initial_epoch, "class_weights": config.weights_of_classes}
    if not config.contrast_share:
        return _stream(data, config, "train", **options)
    batches = _stream(data, config, "train", data.batches, **options)
    return ContrastBatches(batches, config.contrast_share, config.contrast_amplitude, config.seed)


def _stream(data, config, split, make=None, **options):
    """The examples of a split, by default in the form that the backend trains on fastest."""
    fastest = data.dataset if keras.config.backend() == "tensorflow" else data.batches
    options |= {"limit": config.limit, "drop_remainder": config.drop_remainder}
    return (make or fastest)(split, config.batch_size, seed=config.seed, **options)


def _callbacks(config, data, folder, rows, verbose):
    callbacks = [StopOnNaN(folder), EpochKeeper(folder, config, rows)]
    if verbose == "epochs":
        callbacks.append(EpochBar(config.epochs))
    if importlib.util.find_spec("tensorflow"):
        shown = range(min(HISTOGRAM_SEQUENCES, data.sizes["validation"]))
        sequences = data.examples("validation", shown)[0]
        callbacks.append(SignalEvents(folder, sequences))
    return callbacks


def _announce(config, data, model, folder, done):
    units, count = model.get_layer("recurrent").cell.units, models.trainable_parameters(model)
    print(
        f"{config.model} of {units} units, {count:,} parameters, on {data.name}: "
        f"{data.timesteps} steps, {data.summary}."
    )
    print(f"Run folder: {folder.path}" + (f", resumed after epoch {done}" if done else ""))
