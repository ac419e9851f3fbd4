"""Train an agent on a task, as `model.fit` trains a model."""

import functools
from collections import Counter
from typing import Any

import keras
import numpy as np
from gymnasium.vector import AutoresetMode

from aru_keras.envs import SequenceVectorEnv
from aru_keras.runners.agent import Agent, play
from aru_keras.runners.config import TrainConfig
from aru_keras.tasks import Task, epoch_order


def fit_agent(
    agent: Agent,
    data: Task,
    config: TrainConfig,
    *,
    validation_data: Any,
    callbacks: Any = (),
    initial_epoch: int = 0,
    verbose: int | str = 1,
) -> keras.callbacks.History:
    """Train an agent on episodes of the environment, as `model.fit` trains a model on batches.

    A batch is one episode in each sub-environment. The batches of an epoch are those of
    `data.batches("train", ...)`, in the same order.

    Args:
        agent: The agent; its model is trained.
        data: Task whose training images the environment shows.
        config: Configuration with `batch_size`, `epochs`, `limit` and `seed`.
        validation_data: As in `keras.Model.fit`.
        callbacks: As in `keras.Model.fit`.
        initial_epoch: Number of epochs that are done. Order and sampling of an epoch do not depend
            on the epochs before it.
        verbose: As in `keras.Model.fit`.

    Returns:
        The history, as `keras.Model.fit` returns it.
    """
    model = agent.model
    callbacks = keras.callbacks.CallbackList(
        list(callbacks),
        add_history=True,
        add_progbar=verbose != 0,
        model=model,
        verbose=verbose,
        epochs=config.epochs,
        steps=config.training_steps(data),
    )
    environment = functools.cache(functools.partial(_environment, data))
    model.stop_training, logs = False, {}
    callbacks.on_train_begin()
    for epoch in range(initial_epoch, config.epochs):
        callbacks.on_epoch_begin(epoch)
        agent.rng = np.random.default_rng([config.seed, epoch])
        logs = _epoch(agent, environment, _batches(data, config, epoch), callbacks)
        metrics = model.evaluate(validation_data, return_dict=True, verbose=0)
        logs |= {f"val_{name}": value for name, value in metrics.items()}
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    callbacks.on_train_end(logs)
    return model.history


def _epoch(agent, environment, batches, callbacks):
    """The means of the logs over the images of an epoch."""
    sums, seen, logs = Counter(), 0, {}
    for step, chosen in enumerate(batches):
        callbacks.on_train_batch_begin(step)
        play(agent, environment(len(chosen)), index=chosen)
        seen += len(chosen)
        for name, value in agent.learn().items():
            sums[name] += value * len(chosen)
        logs = {name: total / seen for name, total in sums.items()}
        callbacks.on_train_batch_end(step, logs)
    return logs


def _batches(data, config, epoch):
    """Indices of the images of every batch of an epoch."""
    order = epoch_order(config.seed, epoch, config.training_images(data))
    size = config.batch_size
    return [order[k * size : (k + 1) * size] for k in range(config.training_steps(data))]


def _environment(data, num_envs):
    return SequenceVectorEnv(num_envs, data, autoreset_mode=AutoresetMode.DISABLED)
