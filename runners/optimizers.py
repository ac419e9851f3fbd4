"""The optimizer of a training run."""

import keras

from aru_keras.runners.config import TrainConfig

SMOOTHING = 0.99
"""Factor by which RMSprop multiplies the mean square of a gradient at each step."""


def optimizer(config: TrainConfig, steps: int) -> keras.optimizers.Optimizer:
    """The optimizer that a configuration names.

    Args:
        config: Configuration of the run.
        steps: Number of training steps in an epoch.
    """
    options = {
        "learning_rate": config.learning_rate,
        "global_clipnorm": config.clip_norm or None,
        "weight_decay": config.weight_decay or None,
    }
    if config.schedule == "cosine":
        options["learning_rate"] = keras.optimizers.schedules.CosineDecay(
            config.learning_rate, steps * config.epochs
        )
    if config.optimizer == "rmsprop":
        return keras.optimizers.RMSprop(rho=SMOOTHING, **options)
    return keras.optimizers.Adam(**options)
