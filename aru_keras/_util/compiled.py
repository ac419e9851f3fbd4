"""Functions of Keras layers, compiled by the backend for each shape, without gradients."""

import functools
import os
from collections.abc import Callable

import keras

from aru_keras._util.arguments import shown
from aru_keras._util.backends import checked_backend

_FORKS = list[int]()

if hasattr(os, "register_at_fork"):  # Windows has no forks.
    os.register_at_fork(after_in_child=lambda: _FORKS.append(os.getpid()))


def check_process() -> None:
    """Refuse to run a network in a forked process, which lacks the threads of the backend.

    Raises:
        RuntimeError: If the process was forked after this module was imported.
    """
    if _FORKS:
        raise RuntimeError(
            "A network cannot run in a process that was forked from one that had loaded "
            f"{keras.config.backend()}: it could wait for ever for threads that do not exist. "
            "Spawn the processes: context='spawn' for gymnasium.vector.AsyncVectorEnv "
            "(vector_kwargs={'context': 'spawn'} for gymnasium.make_vec), "
            "multiprocessing.get_context('spawn') elsewhere."
        )


def without_gradients(function: Callable, variables: Callable[[], list] | None = None) -> Callable:
    """A function of tensors in lists and dictionaries, compiled if the backend can do so.

    Args:
        function: The function, which is pure except for the Keras variables that it reads.
        variables: A function that returns these variables, called with the first call. By default
            `function` is a layer and they are its variables. They are arguments of the compiled
            program, which therefore follows their training.
    """
    backend = checked_backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function)
    if backend == "jax":
        return jitted(function, variables or (lambda: function.variables))  # type: ignore[attr-defined]
    import torch

    return torch.no_grad()(function)


def jitted(
    function: Callable, variables: Callable[[], list], device: str | None = None
) -> Callable:
    """A function that is jitted by JAX, with Keras variables as arguments of the program.

    Args:
        function: The function, which is pure except for the variables.
        variables: A function that returns them, called with the first call.
        device: The device on which the program has them; None to leave them.
    """
    import jax

    if device is not None:
        kind, _, index = device.partition(":")
        place = jax.devices(kind)[int(index or 0)]
    known: list = []

    @jax.jit
    def program(values, *arguments):
        with keras.StatelessScope(list(zip(known, values, strict=True))):
            return function(*arguments)

    @functools.wraps(program)
    def call(*arguments):
        if not known:
            known.extend(variables())
        values = [variable.value for variable in known]
        return program(values if device is None else jax.device_put(values, place), *arguments)

    return call


def checked_device(device: str | None) -> str | None:
    """A device, which the backend must have, or None.

    Raises:
        ValueError: If the backend does not have the device. The message lists those it has.
    """
    if device is None:
        return None
    known = {"tensorflow": _tensorflow_devices, "jax": _jax_devices, "torch": _torch_devices}
    devices = known[checked_backend()]()
    names = {*devices, *(name.partition(":")[0] for name in devices)}
    if isinstance(device, str) and device.lower() in names:
        return device.lower()
    raise ValueError(
        f"`device` must be one that {keras.config.backend()} has here: {', '.join(devices)}. "
        f"Received: {shown(device)}."
    )


def _tensorflow_devices():
    import tensorflow as tf

    devices = tf.config.list_logical_devices()
    return [device.name.partition("device:")[2].lower() for device in devices]


def _jax_devices():
    import jax

    kinds = {"cpu", jax.default_backend()}
    return [f"{kind}:{i}" for kind in sorted(kinds) for i in range(len(jax.devices(kind)))]


def _torch_devices():
    import torch

    return ["cpu:0", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
