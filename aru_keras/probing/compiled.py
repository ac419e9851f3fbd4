"""Functions of Keras layers, compiled once a shape by the backend, and without a tape."""

import functools
import os

import keras

from aru_keras.arguments import shown

_PROCESS = os.getpid()


def check_process() -> None:
    """Networks run in the process that loaded them, not in a fork of it, where they would hang.

    A fork has none of the threads that a backend computes with.

    Raises:
        RuntimeError: in a process that was forked after this module was imported.
    """
    if os.getpid() != _PROCESS:
        raise RuntimeError(
            "A network cannot run in a process that was forked from one that had loaded "
            f"{keras.config.backend()}: it could wait for ever for threads that are not there. "
            "Start the processes anew: context='spawn' for gymnasium.vector.AsyncVectorEnv "
            "(vector_kwargs={'context': 'spawn'} for gymnasium.make_vec), "
            "multiprocessing.get_context('spawn') elsewhere."
        )


def without_gradients(function, variables=None, *, jit=None, device=None):
    """`function`, of tensors in lists and dictionaries, compiled where the backend can.

    Args:
        function: Pure but for the Keras variables that it reads.
        variables: A function that gives those variables, asked at the first call; by default
            `function` is a layer, and they are its own. They stay arguments of the compiled
            program, so that it follows training.
        jit: On TensorFlow: True compiles with XLA, otherwise a graph is run.
        device: On JAX: where the variables must be, if not where they are.
    """
    backend = keras.config.backend()
    if backend == "tensorflow":
        return _tensorflow(function, jit)
    if backend == "jax":
        return _jax(function, variables or (lambda: function.variables), device)
    import torch

    return torch.no_grad()(function)


def _tensorflow(function, jit):
    """A `tf.function` whose programs are found by shapes: its own search takes a step's time."""
    import tensorflow as tf

    traced, programs = tf.function(function, jit_compile=jit), {}

    @functools.wraps(function)
    def call(*arguments):
        leaves = tf.nest.flatten(arguments)
        if not tf.executing_eagerly() or not all(
            tf.is_tensor(leaf) for leaf in leaves if leaf is not None
        ):
            return traced(*arguments)
        key = tuple(leaf if leaf is None else (leaf.dtype, *leaf.shape) for leaf in leaves)
        if key not in programs:
            programs[key] = traced.get_concrete_function(*arguments)
        return programs[key](*arguments)

    return call


def checked_device(device: str | None) -> str | None:
    """`device`, which must be one that the backend has.

    Raises:
        ValueError: names those that there are.
    """
    if device is None:
        return None
    known = {"tensorflow": _tensorflow_devices, "jax": _jax_devices, "torch": _torch_devices}
    devices = known[keras.config.backend()]()
    names = {*devices, *(one.partition(":")[0] for one in devices)}
    if isinstance(device, str) and device.lower() in names:
        return device
    raise ValueError(
        f"`device` must be one that {keras.config.backend()} has here: {', '.join(devices)}. "
        f"Received: {shown(device)}."
    )


def _tensorflow_devices():
    import tensorflow as tf

    return [one.name.partition("device:")[2].lower() for one in tf.config.list_logical_devices()]


def _jax_devices():
    import jax

    kinds = {"cpu", jax.default_backend()}
    return [f"{kind}:{i}" for kind in sorted(kinds) for i in range(len(jax.devices(kind)))]


def _torch_devices():
    import torch

    return ["cpu:0", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]


def _jax(function, variables, device):
    import jax

    if device is not None:
        kind, _, index = device.partition(":")
        device = jax.devices(kind)[int(index or 0)]

    found = []

    @jax.jit
    def call(values, *arguments):
        with keras.StatelessScope(list(zip(found, values, strict=True))):
            return function(*arguments)

    @functools.wraps(call)
    def with_values(*arguments):
        if not found:
            found.extend(variables())
        values = [variable.value for variable in found]
        return call(values if device is None else jax.device_put(values, device), *arguments)

    return with_values
