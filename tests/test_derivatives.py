"""Forward mode: γ and the layers step by step, in it and in both modes at once."""

import pathlib

import numpy as np
import pytest
from contract import CASES, DRIVE, B, N, T, X, assert_same, every_case
from keras import ops
from support import BACKEND, array, gradients, hessian_rows, only_on, relative_error

from aru_keras.activations import GAIN_FLOOR, gamma

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # By torch.func.
GOLDEN = np.load(pathlib.Path(__file__).parent / "golden" / "gamma.npz")


def pushed(f, primals, tangents):
    """f of tensors, and its derivative in the direction of the tangents, as tensors."""
    if BACKEND == "jax":
        import jax

        return jax.jvp(f, tuple(primals), tuple(tangents))
    if BACKEND == "torch":
        import torch

        return torch.func.jvp(f, tuple(primals), tuple(tangents))
    import tensorflow as tf

    with tf.autodiff.ForwardAccumulator(list(primals), list(tangents)) as accumulator:
        value = f(*primals)
    return value, accumulator.jvp(value)


def tensors(*values):
    return [ops.convert_to_tensor(value) for value in values]


@pytest.mark.parametrize("argument", range(3), ids=["x", "n", "s"])
def test_forward_mode_matches_the_reference(argument):
    given = [GOLDEN[name] for name in "xns"]
    direction = np.random.default_rng(0).uniform(0.5, 1, given[argument].shape)
    directions = [np.zeros_like(value) for value in given]
    directions[argument] = direction
    value, tangent = pushed(gamma, tensors(*given), tensors(*directions))
    assert relative_error(array(value), GOLDEN["y"]) < 1e-10
    # ⟨u, J v⟩ = ⟨Jᵀ u, v⟩, and Jᵀ u is in the reference.
    expected = (GOLDEN[("dx", "dn", "ds")[argument]] * direction).sum()
    assert abs((array(tangent) * GOLDEN["upstream"]).sum() / expected - 1) < 1e-10


@pytest.mark.parametrize("n", [[2.0, -1.0, GAIN_FLOOR / 3, 0.0], 0.5], ids=["floor", "scalar"])
def test_forward_mode_in_arguments_of_other_shapes_and_below_the_floor(n):
    x, direction = np.random.default_rng(0).normal(size=(2, 3, 4))
    n, s = np.array(n), np.full((3, 1), 0.3)
    in_x = pushed(lambda x: gamma(x, n, s), tensors(x), tensors(direction))[1]
    _, slopes = gradients(lambda *a: ops.sum(gamma(*a, s)), x, n)
    assert relative_error(array(in_x), slopes[0] * direction) < 1e-12
    in_n = pushed(lambda n: gamma(x, n, s), tensors(n), tensors(np.ones_like(n)))[1]
    assert relative_error(array(ops.sum(in_n)), slopes[1].sum()) < 1e-12


def test_forward_over_reverse_and_forward_over_forward_are_the_hessian():
    x, n, s = (v[:, :8].ravel() for v in np.random.default_rng(1).uniform(0.2, 2, (3, 2, 8)))
    rows = hessian_rows(gamma, x, n, s)
    ones = [np.ones_like(x)] * 3
    expected = sum(np.sum(row, axis=0) for row in rows)

    def along(*primals):
        return pushed(gamma, primals, tensors(*ones))[1]

    assert (
        relative_error(array(pushed(along, tensors(x, n, s), tensors(*ones))[1]), expected) < 1e-12
    )
    _, reverse = gradients(lambda *a: ops.sum(along(*a)), x, n, s)
    for found, row in zip(reverse, rows, strict=True):
        assert relative_error(found, np.sum(row, axis=0)) < 1e-12


@only_on("jax", "torch", reason="TensorFlow has no such transforms")
def test_transforms_of_the_backend():
    if BACKEND == "jax":
        import jax as transforms
        from jax import jit as compiled  # Eagerly every operation is compiled by itself.
    else:
        from torch import func as transforms

        def compiled(function):
            return function

    (point,) = tensors(np.array([0.3, 2.0, 0.4]))

    def f(v):
        return gamma(v[0], v[1], v[2])

    expected = array(compiled(transforms.jacrev(transforms.jacrev(f)))(point))
    for first in (transforms.jacfwd, transforms.jacrev):
        for second in (transforms.jacfwd, transforms.jacrev):
            assert relative_error(array(compiled(first(second(f)))(point)), expected) < 1e-12
    assert relative_error(array(compiled(transforms.hessian(f))(point)), expected) < 1e-12
    (many,) = tensors(np.random.default_rng(0).uniform(0.5, 2, (5, 3)))
    assert (
        relative_error(
            array(compiled(transforms.vmap(f))(many)), array(gamma(*ops.transpose(many)))
        )
        < 1e-12
    )


@every_case
def test_layers_step_by_step(case):
    options = {} if case.name == "relu" else {"fused": False}
    layer = case.make_layer(return_sequences=True, **options)
    x, xi = tensors(X, DRIVE)
    direction = np.random.default_rng(3).normal(size=(B, T, N)).astype("float32")
    found = pushed(lambda xi: layer(x, drive=xi), [xi], tensors(direction))[1]
    weights = np.random.default_rng(4).normal(size=(B, T, N)).astype("float32")
    _, (slope,) = gradients(
        lambda xi: ops.sum(layer(x, drive=xi) * ops.convert_to_tensor(weights)), DRIVE
    )
    # ⟨w, J v⟩ = ⟨Jᵀ w, v⟩
    assert np.isclose((array(found) * weights).sum(), (slope * direction).sum(), rtol=1e-4)


@only_on("jax", "torch", reason="TensorFlow runs eager calls step by step")
@pytest.mark.parametrize("case", CASES[1::3], ids=str)
def test_the_whole_sequence_path_says_what_to_set(case):
    layer = case.make_layer(fused=True)
    with pytest.raises((TypeError, NotImplementedError), match=r"reverse mode alone.*fused=False"):
        pushed(layer, tensors(X), tensors(np.ones_like(X)))


@only_on("jax", reason="TensorFlow and torch refuse gradients of gradients there")
def test_hessians_of_the_whole_sequence_path_on_jax():
    import jax

    layer, steps = (CASES[-1].make_layer(fused=fused) for fused in (True, False))
    found = [
        jax.hessian(lambda x, one=one: one(x).sum())(ops.convert_to_tensor(X))
        for one in (layer, steps)
    ]
    assert_same([array(found[0])], [array(found[1])], 1e-4)


@only_on("torch", reason="a matter of torch.func")
@pytest.mark.parametrize("transform", ["grad", "vmap"])
def test_other_transforms_of_the_whole_sequence_path_say_what_to_set(transform):
    from torch import func

    layer = CASES[-1].make_layer(fused=True)
    function = {"grad": lambda x: layer(x).sum(), "vmap": layer}[transform]
    with pytest.raises(NotImplementedError, match=r"fused=False.*torch\.func"):
        getattr(func, transform)(function)(
            ops.convert_to_tensor(X[None] if transform == "vmap" else X)
        )
