"""Programs of a step: functions of a few tensors, called so often that a call must be cheap.

A small step takes tens of microseconds. A call of Keras, or the search of `tf.function` for its
program, takes as long.
"""

import contextlib
from collections.abc import Callable, Sequence

import keras
import numpy as np

from aru_keras._util.backends import checked_backend
from aru_keras._util.compiled import jitted


def step_program(
    function: Callable,
    variables: Sequence,
    *,
    check: Callable | None = None,
    device: str | None = None,
) -> Callable:
    """A function of tensors, compiled or recorded once for each form of its arguments.

    The form is their shapes and dtypes. The program is not for gradients.

    Args:
        function: A function of the backend's tensors or None, which returns a list of tensors. It
            is pure except for the Keras variables that it reads.
        variables: These variables. They are arguments of the program, which therefore follows
            their training.
        check: A function that is called with arguments of a new form, and raises an error if the
            form is wrong.
        device: The device on which JAX must have the variables, and for which TensorFlow does not
            compile if there are others; None to leave them.
    """
    backend, check = checked_backend(), check or (lambda *_: None)
    if backend == "tensorflow":
        return _tensorflow(function, check, device)
    if backend == "torch":
        return _torch(function, variables, check)

    def checked(*arguments):
        check(*arguments)  # JAX searches by form itself, and calls this once for each.
        return function(*arguments)

    if not variables:
        import jax

        return jax.jit(checked)
    return jitted(checked, lambda: list(variables), device)


def holding(function: Callable, variables: Sequence) -> Callable:
    """A function with the values that its Keras variables have now.

    Args:
        function: The function, which reads the variables.
        variables: The variables, which may then change or lose their values.
    """
    held = [(variable, _copied(variable)) for variable in variables]

    def call(*arguments):
        with keras.StatelessScope(held):
            return function(*arguments)

    return call


def _copied(variable):
    with _outside_of_traces():
        values = np.array(keras.ops.convert_to_numpy(variable.value))  # A view may change.
        return keras.ops.convert_to_tensor(values, dtype=variable.dtype)


def _outside_of_traces():
    """A context in which tensors have values, also while a function is traced."""
    backend = checked_backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.init_scope()
    if backend == "jax":
        import jax

        return jax.ensure_compile_time_eval()
    return contextlib.nullcontext()


def _by_form(prepare, check):
    """A function that calls the program for the form of its arguments; `prepare` makes it."""
    programs: dict = {}

    def call(*arguments):
        form = tuple([None if a is None else (a.shape, a.dtype) for a in arguments])
        program = programs.get(form)
        if program is None:
            check(*arguments)
            program = programs[form] = prepare(*arguments)
        return program(*arguments)

    return call


def _tensorflow(function, check, device):
    """Programs of XLA. On a CPU the operation that calls one is run without Python's wrappers."""
    import tensorflow as tf

    on_cpu = not tf.config.list_logical_devices("GPU")
    # XLA's programs do not read variables of another device.
    traced = tf.function(function, jit_compile=on_cpu or device is None)

    def prepare(*arguments):
        program = traced.get_concrete_function(*arguments)
        if not on_cpu:
            return program
        captured, kinds = program.captured_inputs, [output.dtype for output in program.outputs]

        def call(*arguments):
            given = [value for value in arguments if value is not None]
            return tf.raw_ops.StatefulPartitionedCall(args=given + captured, Tout=kinds, f=program)

        return call

    eagerly = _by_form(prepare, check)

    def call(*arguments):
        if tf.executing_eagerly():
            return eagerly(*arguments)
        check(*arguments)
        return traced(*arguments)

    return call


def _torch(function, variables, check):
    """Recorded operations, called without Keras, which read what the variables then hold."""
    import torch

    from aru_keras._util.torch_graphs import recorded

    def prepare(*arguments):
        where = [i for i, value in enumerate(arguments) if value is not None]

        def flat(*tensors):
            given = dict(zip(where, tensors, strict=False))
            return function(*[given.get(i) for i in range(len(arguments))])

        # A program finds the tensors of variables faster as arguments than as attributes.
        values = [variable.value for variable in variables]
        # Of a tensor that is given twice the record would say that it always is.
        program = recorded(flat, [*(arguments[i].clone() for i in where), *values])
        return lambda *arguments: program(*[a for a in arguments if a is not None], *values)

    return torch.no_grad()(_by_form(prepare, check))
