"""Training on all devices of this machine: each takes its share of every batch."""

import contextlib
from collections.abc import Iterator

import keras

from aru_keras._util.arguments import one_of
from aru_keras.runners.config import TrainConfig
from aru_keras.runners.options import DEVICES


@contextlib.contextmanager
def sharing(devices: str, config: TrainConfig) -> Iterator[int]:
    """Let the networks that are built in the context train on one device or on all.

    All devices are the GPUs (or TPUs), or, if there are none, the CPU devices of the backend. Loss
    and weights are those of one device within rounding.

    Args:
        devices: "one", the default device of the backend, or "all".
        config: Configuration of the run.

    Returns:
        In the context, the number of devices.

    Raises:
        ValueError: If the backend is torch, or if, with this configuration, the result on several
            devices would differ from that on one.
    """
    if one_of("devices", devices, DEVICES) == "one":
        yield 1
        return
    backend = keras.config.backend()
    if backend not in _SHARING:
        raise ValueError(
            f"`devices` must be one on the backend {backend}, for which Keras does not distribute "
            "batches. Received: 'all'. Set KERAS_BACKEND=jax or tensorflow, or train in a loop of "
            "your own with DistributedDataParallel, as examples/torch/train.py does."
        )
    with _SHARING[backend](config) as count:
        yield count


@contextlib.contextmanager
def _jax(config):
    devices = keras.distribution.list_devices()
    _check_batches(config, len(devices))
    before = keras.distribution.distribution()
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
    try:
        yield len(devices)
    finally:
        keras.distribution.set_distribution(before)


@contextlib.contextmanager
def _tensorflow(config):
    import tensorflow as tf

    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    _check_clipping(config, len(devices))
    strategy = tf.distribute.MirroredStrategy([device.name for device in devices])
    with strategy.scope():
        yield strategy.num_replicas_in_sync


_SHARING = {"jax": _jax, "tensorflow": _tensorflow}


def _check_batches(config, count):
    """Check that JAX can cut every batch into `count` equal shares."""
    if count > 1 and (config.batch_size % count or not config.drop_remainder):
        raise ValueError(
            f"`batch_size` must be a multiple of the {count} devices, with `drop_remainder`, which "
            f"leaves out a last batch that is smaller. Received: {config.batch_size}, "
            f"drop_remainder={config.drop_remainder}. Give --drop-remainder, or --devices one."
        )


def _check_clipping(config, count):
    """Check that Keras on TensorFlow does not clip the gradient of each share by itself."""
    if count > 1 and config.clip_norm:
        raise ValueError(
            f"`clip_norm` must be 0 on {count} devices with TensorFlow, where Keras clips the "
            "gradient of each device before it adds them, and so trains otherwise than on one. "
            f"Received: {config.clip_norm}. Give --clip-norm 0, or set KERAS_BACKEND=jax."
        )
