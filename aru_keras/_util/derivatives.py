"""A function with partial derivatives of its own, for reverse and forward mode on every backend.

The rule is stated once, as the partial derivatives. Each backend takes it in its own form.
"""

import functools
import inspect
import operator

import keras

from aru_keras._util.backends import checked_backend


def with_partials(function, partials):
    """`function`, differentiated by `partials`, in reverse and in forward mode and in both.

    Args:
        function: From tensors of one shape and dtype to a tensor of that shape; element by element.
        partials: From the same tensors to the derivative of `function` in each of them. It is
            differentiated as it stands, for derivatives of higher order.
    """
    made = {}

    @functools.wraps(function)
    def differentiable(*arguments):
        backend = keras.config.backend()
        if backend not in made:
            made[backend] = _MAKERS[checked_backend()](function, partials)
        return made[backend](*arguments)

    return differentiable


def _jax(function, partials):
    import jax

    differentiable = jax.custom_jvp(function)

    # Without this, reverse mode would keep the partial derivatives of every call.
    @functools.partial(jax.checkpoint, prevent_cse=False)
    def tangent(primals, tangents):
        return _weighted(partials(*primals), tangents)

    @functools.partial(differentiable.defjvp, symbolic_zeros=True)
    def _(primals, tangents):
        zero = jax.custom_derivatives.SymbolicZero
        tangents = [None if isinstance(value, zero) else value for value in tangents]
        return differentiable(*primals), tangent(primals, tangents)

    return differentiable


def _tensorflow(function, partials):
    import tensorflow as tf

    @tf.custom_gradient
    def differentiable(*arguments):
        # Of the arguments, never of intermediates: these would be constants to a second gradient.
        def gradient(upstream):
            return tuple(upstream * partial for partial in partials(*arguments))

        return function(*arguments), gradient

    return differentiable


def _torch(function, partials):
    import torch
    from torch.autograd import forward_ad

    class Differentiable(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(*arguments):
            return function(*arguments)

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)
            ctx.save_for_forward(*inputs)

        @staticmethod
        def backward(ctx, upstream):
            return tuple(upstream * partial for partial in partials(*ctx.saved_tensors))

        @staticmethod
        def jvp(ctx, *tangents):
            # torch stops forward mode here, and a tangent of this tangent would be 0 in silence.
            with forward_ad._set_fwd_grad_enabled(True):
                primals = [forward_ad.unpack_dual(dual).primal for dual in ctx.saved_tensors]
                return _weighted(partials(*primals), tangents)

    # torch asks for it at every call, and to inspect a function takes as long as to run γ.
    Differentiable.forward.__signature__ = inspect.signature(Differentiable.forward)
    return Differentiable.apply


def _weighted(partials, tangents):
    pairs = zip(partials, tangents, strict=True)
    return functools.reduce(operator.add, [p * t for p, t in pairs if t is not None])


_MAKERS = {"jax": _jax, "tensorflow": _tensorflow, "torch": _torch}
