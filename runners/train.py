"""Train a network on a task: one folder holds everything that comes of it."""

import contextlib
import importlib.metadata
import importlib.util
import math
import platform
import sys
import time

import keras

from aru_keras import models, parts, plots, tasks
from aru_keras.files import make_folder, replacing, write_json
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
from aru_keras.runners.memory import peak_memory
from aru_keras.runners.run_folder import RunError, RunFolder, WriteError
from aru_keras.version import __version__

__all__ = ["DivergedError", "RunError", "TrainConfig", "WriteError", "resume", "train"]

HISTOGRAM_SEQUENCES = 32


def train(task, model: str = "arun", *, run_dir=None, verbose="auto", **options) -> dict:
    """Train a network from scratch.

    Args:
        task: Name of a task in `tasks.TASKS`, or a whole `TrainConfig`.
        model: Name of a network in `models.NETWORKS`.
        run_dir: Folder of the run; by default a new one in `runs/`, named for task, model and time.
        verbose: As in `keras.Model.fit`; "auto" is a progress bar in a terminal, a line an epoch
            elsewhere; "epochs" is one bar over all epochs.
        **options: Fields of `TrainConfig`.

    Returns:
        What `results.json` holds: `test_accuracy`, `test_loss`, `parameters`, `train_seconds`, …

    Raises:
        ValueError: For a bad argument.
        RunError: If `run_dir` holds a run already, or another process trains there.
        WriteError: If the folder cannot be written any more; the last good state is kept.
        DivergedError: If a loss becomes NaN; the last good state is kept.
        tasks.DatasetError: If the data cannot be had.
    """
    config = task if isinstance(task, TrainConfig) else TrainConfig(task, model, **options)
    if run_dir:
        RunFolder(run_dir).check_free()
    data = config.load_task()
    network = _new_network(config, data)
    folder = RunFolder(make_folder("run_dir", run_dir)) if run_dir else _default_folder(config)
    with _training_in(folder):
        folder.create(config, data.permutation)
        return _run(config, data, folder, network, [], verbose)


def resume(run_dir, *, verbose="auto") -> dict:
    """Continue the run in `run_dir` after its last whole epoch, as if it had not been broken.

    Args:
        run_dir: Folder of the run.
        verbose: As in `train`.

    Returns:
        As `train`; at once, if the run is finished.

    Raises:
        RunError: If there is no run in the folder, something in it is damaged, or another process
            trains it.
        WriteError: As `train`.
        DivergedError: As `train`.
        tasks.DatasetError: As `train`.
    """
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
        return _run(config, data, folder, network, rows, verbose)


@contextlib.contextmanager
def _training_in(folder):
    """Hold the folder of a run, and say of what breaks the run off how it goes on."""
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
                f"({error}). What its last whole epoch left is kept. Make room, or put the folder "
                f"back, and continue with aru-keras train --resume {folder.path}."
            ) from error


def _new_network(config, data):
    keras.utils.set_random_seed(config.seed)
    return compiled_network(config, data)


def _run(config, data, folder, model, rows, verbose):
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
            callbacks=_callbacks(config, data, folder, rows, verbose),
            verbose=0 if verbose == "epochs" else verbose,
        )
    return _finish(config, data, folder, rows)


def _fit(model, data, config, *, initial_epoch, **options):
    batches = _stream(data, config, "train", initial_epoch=initial_epoch)
    epochs = {"initial_epoch": initial_epoch, "epochs": config.epochs}
    model.fit(batches, shuffle=False, **epochs, **options)


def _act_and_learn(model, data, config, **options):
    from aru_keras.runners.agent import Agent
    from aru_keras.runners.fit_agent import fit_agent  # Needs gymnasium.

    agent = Agent(model, "reward" if config.learner == "reward" else "label")
    fit_agent(agent, data, config, **options)


def compiled_network(config: TrainConfig, data: tasks.Task) -> keras.Model:
    """The network of a configuration with its optimizer, loss and metrics, not yet trained."""
    model = models.build_network(
        config.model,
        data.input_shape,
        classes=data.classes,
        units=config.units,
        controller_units=config.controller_units,
        encoder="conv" if len(data.input_shape) == 3 else "linear",
        shared=config.shared,
        fixed=config.fixed,
        n=config.n,
        s=config.s,
        trained=parts.parse(config.trained),
        match_parameters=config.match_parameters,
    )
    if config.start:
        start = RunFolder(config.start).load_model()
        parts.copy_parts(start, model, parts.parse(config.take))
    rate = config.learning_rate
    if config.schedule == "cosine":
        steps = config.training_steps(data) * config.epochs
        rate = keras.optimizers.schedules.CosineDecay(rate, steps)
    model.compile(
        optimizer=keras.optimizers.Adam(
            rate,
            global_clipnorm=config.clip_norm or None,
            weight_decay=config.weight_decay or None,
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def _finish(config, data, folder, rows):
    """Test the best model, draw the picture and write the results."""
    best = folder.load_model()
    started = time.perf_counter()
    test_loss, test_accuracy = best.evaluate(_stream(data, config, "test"), verbose=0)
    if not math.isfinite(test_loss):
        raise DivergedError(
            f"The loss on the test images is {test_loss}, though the validation loss was finite. "
            "Train anew with a lower --learning-rate or with --clip-norm 1."
        )
    epoch = best_epoch(rows)
    results = {
        "run_dir": str(folder.path),
        "task": config.task,
        "model": config.model,
        "test_accuracy": float(test_accuracy),
        "test_loss": float(test_loss),
        "validation_accuracy": rows[epoch - 1]["val_accuracy"],
        "best_epoch": epoch,
        "epochs": len(rows),
        "parameters": models.trainable_parameters(best),
        "units": best.get_layer("recurrent").cell.units,
        "permutation": data.permutation_hash,
        "train_seconds": sum(row["seconds"] for row in rows),
        "test_seconds": time.perf_counter() - started,
        "peak_memory_mb": _peak_memory_mb(),
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
    with replacing(folder.picture) as temporary:
        plots.reading(model, data).savefig(temporary, dpi=150)


def _default_folder(config):
    name = f"{config.task}-{config.model}-{time.strftime('%Y%m%d-%H%M%S')}"
    return RunFolder.new("runs", name)


def _stream(data, config, split, **options):
    """The examples of a split in the form that the backend trains on fastest."""
    make = data.dataset if keras.config.backend() == "tensorflow" else data.batches
    options |= {"limit": config.limit, "drop_remainder": config.drop_remainder}
    return make(split, config.batch_size, seed=config.seed, **options)


def _callbacks(config, data, folder, rows, verbose):
    callbacks = [StopOnNaN(folder), EpochKeeper(folder, config, rows)]
    if verbose == "epochs":
        callbacks.append(EpochBar(config.epochs))
    if importlib.util.find_spec("tensorflow"):
        sequences = data.arrays("validation")[0][:HISTOGRAM_SEQUENCES]
        callbacks.append(SignalEvents(folder, sequences))
    return callbacks


def _announce(config, data, model, folder, done):
    units, count = model.get_layer("recurrent").cell.units, models.trainable_parameters(model)
    print(
        f"{config.model} of {units} units, {count:,} parameters, on {config.task}: "
        f"{data.timesteps} steps, permutation {data.permutation_hash}."
    )
    print(f"Run folder: {folder.path}" + (f", resumed after epoch {done}" if done else ""))


def _peak_memory_mb():
    peak = peak_memory()
    return None if peak is None else peak / 2**20


def versions() -> dict[str, str]:
    """The backend, and the versions of what a run depends on."""
    backend = keras.config.backend()
    found = {name: importlib.metadata.version(name) for name in ("keras", "numpy", backend)}
    found |= {"aru-keras": __version__, "python": platform.python_version()}
    return {"backend": backend, **found}
