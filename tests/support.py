"""What the tests share: gradients on whichever backend runs, errors, skips with a reason."""

import contextlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

BACKEND = keras.config.backend()

tensorflow_only = pytest.mark.skipif(BACKEND != "tensorflow", reason="a matter of TensorFlow")


def only_on(*backends, reason):
    """A mark that skips a test, with its reason, on the backends that are not named."""
    return pytest.mark.skipif(BACKEND not in backends, reason=f"{BACKEND}: {reason}")


def array(tensor):
    """A numpy array, in float32 where numpy has no such dtype."""
    tensor = tensor.value if isinstance(tensor, keras.Variable) else tensor
    if keras.backend.standardize_dtype(tensor.dtype) == "bfloat16":
        tensor = ops.cast(tensor, "float32")
    return ops.convert_to_numpy(tensor)


def arrays(tensors):
    return [array(tensor) for tensor in tensors]


def dtype_of(tensor):
    return keras.backend.standardize_dtype(tensor.dtype)


def relative_error(a, b):
    """max |a − b| / max |b|, of arrays of one shape."""
    a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
    assert a.shape == b.shape, f"shapes {a.shape} and {b.shape}"
    assert np.isfinite(a).all() and np.isfinite(b).all(), "not finite"
    return np.abs(a - b).max() / max(np.abs(b).max(), np.finfo("float64").tiny)


def gradients(f, *arguments, variables=(), mode="eager"):
    """A scalar function and its gradients in arrays, then in variables.

    Args:
        f: Takes the arrays as tensors and gives a scalar.
        *arguments: Arrays to differentiate in.
        variables: Keras variables that f reads, to differentiate in too.
        mode: "eager", "graph" (tf.function) or "jit" (XLA); torch is always eager.

    Returns:
        `(value, gradients)` as numpy; a gradient is None where f does not depend.
    """
    compute = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[BACKEND]
    value, found = compute(f, arguments, list(variables), mode)
    return array(value), [None if g is None else array(g) for g in found]


def _tensorflow(f, arguments, variables, mode):
    import tensorflow as tf

    def compute(*tensors):
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = f(*tensors)
        return value, tape.gradient(value, [*tensors, *(v.value for v in variables)])

    if mode != "eager":
        compute = tf.function(compute, jit_compile=mode == "jit")
    return compute(*map(tf.convert_to_tensor, arguments))


def _jax(f, arguments, variables, mode):
    import jax

    def compute(tensors, values):
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return f(*tensors)

    compute = jax.value_and_grad(compute, argnums=(0, 1))
    if mode != "eager":
        compute = jax.jit(compute)
    tensors = [jax.numpy.asarray(argument) for argument in arguments]
    value, found = compute(tensors, [v.value for v in variables])
    return value, [*found[0], *found[1]]


def _torch(f, arguments, variables, mode):
    import torch

    tensors = [torch.tensor(argument, requires_grad=True) for argument in arguments]
    value = f(*tensors)
    places = [*tensors, *(v.value for v in variables)]
    return value, torch.autograd.grad(value, places, allow_unused=True)


def hessian_rows(f, *arguments):
    """∂²f/∂u∂v for each pair (u, v) of arguments, of a function summed over its elements."""
    count = len(arguments)

    def first(i, *tensors):
        if BACKEND == "jax":
            import jax

            return jax.grad(lambda *t: f(*t).sum(), argnums=i)(*tensors)
        if BACKEND == "tensorflow":
            import tensorflow as tf

            with tf.GradientTape() as tape:
                tape.watch(tensors)
                value = f(*tensors)
            return tape.gradient(value, tensors[i])
        import torch

        return torch.autograd.grad(f(*tensors).sum(), tensors[i], create_graph=True)[0]

    rows = []
    for i in range(count):
        _, row = gradients(lambda *t, i=i: ops.sum(first(i, *t)), *arguments)
        rows.append(
            [np.zeros_like(a) if g is None else g for g, a in zip(row, arguments, strict=True)]
        )
    return rows


@contextlib.contextmanager
def another_process(imports, work):
    """A process that is in the context manager `work`, and is killed at the end.

    It starts anew: what a fork keeps of a process with threads is not what a process has.

    Args:
        imports: Statements that import what `work` names.
        work: Expression whose value is the context manager.
    """
    code = f"{imports}\nwith {work}:\n    print('there', flush=True)\n    input()"
    other = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with other:
        try:
            assert other.stdout.readline() == "there\n", "its error is in the captured stderr"
            yield
        finally:
            other.kill()
