"""TensorFlow for data and events, beside any backend of Keras."""

import contextlib
import os
from types import ModuleType


def tensorflow() -> ModuleType:
    """TensorFlow, with few messages, and without the GPUs if Keras has another backend.

    Raises:
        ImportError: If TensorFlow is not installed.
    """
    import keras

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    if keras.config.backend() != "tensorflow":
        # TensorFlow would otherwise reserve all memory of the GPUs for work on the CPU. If it is
        # in use already, it refuses, and the user's choice remains.
        with contextlib.suppress(RuntimeError):
            tf.config.set_visible_devices([], "GPU")
    return tf
