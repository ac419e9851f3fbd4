"""Functions of Keras layers, compiled by the backend for each shape, without gradients."""

import functools
import os
from collections.abc import Callable

import keras

from aru_keras._util.arguments import shown
from aru_keras._util.backends import checked_backend

_PROCESS = os.getpid()


def check_process() -> None:
    """Refuse to run a network in a forked process, which lacks the threads of the backend.

    Raises:
        RuntimeError: If the process was forked after this module was imported.
    """
    if os.getpid() != _PROCESS:
        raise RuntimeError(
            "A network cannot run in a process that was forked from one that had loaded "
            f"{keras.config.backend()}: it could wait for ever for threads that do not exist. "
            "Spawn the processes: context='spawn' for gymnasium.vector.AsyncVectorEnv "
            "(vector_kwargs={'context': 'spawn'} for gymnasium.make_vec), "
            "multiprocessing.get_context('spawn') elsewhere."
        )


def without_gradients(
    function: Callable,
    variables: Callable[[], list] | None = None,
    *,
    jit: bool | None = None,
    device: str | None = None,
) -> Callable:
    """A function of tensors in lists and dictionaries, compiled if the backend can do so.

    Args:
        function: The function, which is pure except for the Keras variables that it reads.
        variables: A function that returns these variables, called with the first call. By default
            `function` is a layer and they are its variables. They are arguments of the compiled
            program, which therefore follows their training.
        jit: Whether TensorFlow compiles with XLA; otherwise it runs a graph. Whether torch records
            its operations for each shape, and then runs them without Keras; otherwise it runs
            `function`.
        device: The device on which JAX must have the variables; None to leave them.
    """
    backend = checked_backend()
    variables = variables or (lambda: function.variables)  # type: ignore[attr-defined]
    if backend == "tensorflow":
        return _tensorflow(function, jit)
    if backend == "jax":
        return _jax(function, variables, device)
    return _torch(function, variables, jit)


def _tensorflow(function, jit):
    """A `tf.function` with a table of programs by shape, as its own search takes a step's time."""
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


def _torch(function, variables, jit):
    """A function with a table of programs by shape: its operations, without Keras' calls.

    The programs read the tensors of the variables, which training changes in place.
    """
    import torch

    if not jit:
        return torch.no_grad()(function)
    from torch.fx.experimental.proxy_tensor import make_fx

    programs: dict = {}

    def recorded(arguments):
        """The program for arguments like these, its variables, and a nest like its results."""
        structure = []

        def flat(*leaves):
            results = function(*_packed(arguments, iter(leaves)))
            structure.append(results)
            return list(_leaves(results))

        # The program finds the tensors of variables faster as arguments than as attributes.
        values = [variable.value for variable in variables()]
        return make_fx(flat)(*_leaves(arguments), *values).forward, values, structure[-1]

    @torch.no_grad()
    def call(*arguments):
        leaves = list(_leaves(arguments))
        key = tuple([leaf if leaf is None else (leaf.shape, leaf.dtype) for leaf in leaves])
        if key not in programs:
            programs[key] = recorded(arguments)
        program, values, structure = programs[key]
        return _packed(structure, iter(program(*leaves, *values)))

    return call


def _leaves(nest):
    """What stands in tuples, lists and dictionaries; `keras.tree` takes a step's time for it."""
    if isinstance(nest, tuple | list | dict):
        for value in nest.values() if isinstance(nest, dict) else nest:
            yield from _leaves(value)
    else:
        yield nest


def _packed(nest, leaves):
    """A nest with other leaves, from an iterator."""
    if isinstance(nest, dict):
        return {name: _packed(value, leaves) for name, value in nest.items()}
    if isinstance(nest, tuple | list):
        return type(nest)([_packed(value, leaves) for value in nest])
    return next(leaves)


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


def _jax(function, variables, device):
    import jax

    if device is not None:
        kind, _, index = device.partition(":")
        device = jax.devices(kind)[int(index or 0)]

    known: list = []

    @jax.jit
    def call(values, *arguments):
        with keras.StatelessScope(list(zip(known, values, strict=True))):
            return function(*arguments)

    @functools.wraps(call)
    def with_values(*arguments):
        if not known:
            known.extend(variables())
        values = [variable.value for variable in known]
        return call(values if device is None else jax.device_put(values, device), *arguments)

    return with_values
