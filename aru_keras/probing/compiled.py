"""Functions of Keras layers, compiled once a shape by the backend, and without a tape."""

import functools

import keras


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
        import tensorflow as tf

        return tf.function(function, jit_compile=jit)
    if backend == "jax":
        return _jax(function, variables or (lambda: function.variables), device)
    import torch

    return torch.no_grad()(function)


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
