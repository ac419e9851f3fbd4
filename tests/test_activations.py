"""γ against numbers of 60 digits, its shapes, its edges, its derivatives."""

import itertools
import pathlib

import keras
import mpmath
import numpy as np
import pytest
from keras import ops
from support import BACKEND, array, dtype_of, gradients, hessian_rows, relative_error

from aru_keras.activations import GAIN_CEILING, GAIN_FLOOR, gamma, gamma_slope
from aru_keras.analysis import _gamma_numpy

GOLDEN = np.load(pathlib.Path(__file__).parent / "golden" / "gamma.npz")
MODES = ["eager", "graph", "jit"] if BACKEND == "tensorflow" else ["eager", "jit"]
MODES = MODES[:1] if BACKEND == "torch" else MODES


def truth(x, n, s):
    """γ and its three first derivatives in float64, by other formulas than the library's."""
    z = n * x
    sigma = 0.5 * (1 + np.tanh(z / 2))
    soft = np.logaddexp(0.0, z)
    slope = 0.25 / np.cosh(np.clip(z / 2, -300, 300)) ** 2
    # H(σ) = −σ ln σ − (1 − σ) ln (1 − σ)
    entropy = sigma * np.logaddexp(0.0, -z) + (1 - sigma) * soft
    return (
        (1 - s) * soft / n + s * sigma,
        (1 - s) * sigma + s * n * slope,
        -(1 - s) * entropy / n**2 + s * x * slope,
        sigma - soft / n,
    )


def draw(shape, seed=0, low=-2.0, high=2.0):
    return np.random.default_rng(seed).uniform(low, high, shape)


@pytest.mark.parametrize("mode", MODES)
def test_matches_reference(mode):
    upstream = GOLDEN["upstream"]
    _, found = gradients(
        lambda x, n, s: ops.sum(gamma(x, n, s) * ops.convert_to_tensor(upstream)),
        *(GOLDEN[name] for name in "xns"),
        mode=mode,
    )
    value = array(gamma(*(GOLDEN[name] for name in "xns")))
    assert value.dtype == "float64"
    assert relative_error(value, GOLDEN["y"]) < 1e-10
    for name, gradient in zip(("dx", "dn", "ds"), found, strict=True):
        assert gradient.dtype == "float64"
        assert relative_error(gradient, GOLDEN[name]) < 1e-10, name


SHAPES = [
    ((), ()),
    ((4,), (4,)),
    ((3, 4), (3, 4)),
    ((3, 1), (4,)),
    ((), (3, 4)),
    ((3, 4), (3, 1)),
    ((4,), ()),
]


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_gradients_come_in_the_shape_of_the_argument(shapes):
    x, n, s = draw((3, 4)), draw(shapes[0], 1, 0.5, 3.0), draw(shapes[1], 2)
    upstream = draw((3, 4), 3)
    _, found = gradients(lambda *a: ops.sum(gamma(*a) * ops.convert_to_tensor(upstream)), x, n, s)
    full = np.broadcast_arrays(x, n, s)
    for argument, gradient, partial in zip((x, n, s), found, truth(*full)[1:], strict=True):
        summed = partial * upstream
        lead = summed.ndim - argument.ndim
        kept = tuple(axis + lead for axis, size in enumerate(argument.shape) if size == 1)
        summed = summed.sum(axis=kept, keepdims=True).sum(axis=tuple(range(lead)))
        assert gradient.shape == argument.shape
        assert relative_error(gradient, summed) < 1e-12


def test_x_is_broadcast_too():
    x, n = draw((3, 1)), draw((4,), 1, 0.5, 3.0)
    value, found = gradients(lambda *a: ops.sum(gamma(*a, 0.3)), x, n)
    full = truth(x, n, 0.3)
    assert relative_error(value, full[0].sum()) < 1e-12
    assert relative_error(found[0], full[1].sum(axis=1, keepdims=True)) < 1e-12
    assert relative_error(found[1], full[2].sum(axis=0)) < 1e-12


EDGE_GAINS = [10.0, 1.0, 0.1, GAIN_FLOOR, 5e-3, 1e-6, 1e-30, 0.0, -0.0]
EDGE_GAINS += [-gain for gain in EDGE_GAINS[:-2]]


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("mode", MODES)
def test_finite_at_the_edges(dtype, mode):
    reach = np.array([-1e4, -300.0, -30.0, -1.0, -1e-3, 0.0, 1e-3, 1.0, 30.0, 300.0, 1e4])
    n, s, z = (v.ravel().astype("float32") for v in np.meshgrid(EDGE_GAINS, [0, 0.4, 1], reach))
    # |n·x| up to 1e4, where x itself fits float16.
    x = np.clip(z / np.maximum(np.abs(n), GAIN_FLOOR), -6e4, 6e4)
    outputs = []

    def total(*a):
        y = gamma(*(ops.cast(v, dtype) for v in a))
        outputs.append(dtype_of(y))
        return ops.sum(ops.cast(y, "float32") / x.size)

    value, found = gradients(total, x, n, s, mode=mode)
    assert set(outputs) == {dtype}
    assert np.isfinite(value)
    for name, gradient in zip("xns", found, strict=True):
        assert np.isfinite(gradient).all(), name


# Half a unit in the last place of float16 and bfloat16 is 2^-11 and 2^-8; twice that here.
@pytest.mark.parametrize(("dtype", "tolerance"), [("float16", 2**-10), ("bfloat16", 2**-7)])
def test_half_precision_is_close_to_float64(dtype, tolerance):
    rounded = [
        array(ops.cast(ops.cast(ops.convert_to_tensor(v), dtype), "float64"))
        for v in (draw(200, 0, -20, 20), draw(200, 1, 0.02, 8), draw(200, 2, 0, 1))
    ]
    expected = truth(*rounded)
    halves = [ops.cast(ops.convert_to_tensor(v), dtype) for v in rounded]
    value = array(ops.cast(gamma(*halves), "float64"))
    assert np.allclose(value, expected[0], rtol=tolerance, atol=1e-6)
    _, found = gradients(
        lambda *a: ops.sum(ops.cast(gamma(*(ops.cast(v, dtype) for v in a)), "float64")), *rounded
    )
    for gradient, partial in zip(found, expected[1:], strict=True):
        assert np.allclose(gradient, partial, rtol=tolerance, atol=1e-4)


def test_half_precision_x_with_float32_gains_keeps_their_gradient_in_float32():
    x = draw(50).astype("float32")
    n = np.full(50, 5.123456, "float32")
    rounded = array(ops.cast(ops.cast(x, "float16"), "float32")).astype("float64")
    _, (_, found) = gradients(
        lambda x, n: ops.sum(ops.cast(gamma(ops.cast(x, "float16"), n, 0.5), "float32")), x, n
    )
    assert relative_error(found, truth(rounded, n.astype("float64"), 0.5)[2]) < 1e-5


def test_below_the_floor_value_and_gradients_are_those_of_the_edge():
    n = np.repeat([5e-3, 0.0, -0.0, 1e-300, -1e-9, -9e-3], 9)
    edge = np.repeat([1, 1, 1, 1, -1, -1], 9) * GAIN_FLOOR
    x, s = draw(n.size, 0, -5, 5), draw(n.size, 1, 0, 1)
    value = array(gamma(x, n, s))
    _, found = gradients(lambda *a: ops.sum(gamma(*a)), x, n, s)
    expected = truth(x, edge, s)
    assert relative_error(value, expected[0]) < 1e-12
    for gradient, partial in zip(found, expected[1:], strict=True):
        assert relative_error(gradient, partial) < 1e-10
    assert (found[1] != 0).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [np.inf, -np.inf, 3e38, -3e38, 1e25, GAIN_CEILING])
def test_infinite_and_immense_gains_are_the_rectifier_and_the_step(n, dtype):
    x, s = (
        v.ravel().astype(dtype) for v in np.meshgrid([-1e4, -2, -0.0, 0, 0.7, 1e4], [0, 0.4, 1])
    )
    value = array(gamma(x, n, s))
    _, found = gradients(lambda *a: ops.sum(gamma(*a)), x, np.full(x.shape, n, dtype), s)
    sign = np.sign(n)
    rectified, step = sign * np.maximum(sign * x, 0), 0.5 * (1 + np.sign(sign * x))
    assert np.allclose(value, (1 - s) * rectified + s * step, rtol=1e-6, atol=1e-14)
    assert np.allclose(found[0][x != 0], ((1 - s) * step)[x != 0], rtol=1e-6, atol=1e-14)
    at_zero = (1 - s) / 2 + s * sign * GAIN_CEILING / 4
    assert np.allclose(found[0][x == 0], at_zero[x == 0], rtol=1e-6)
    assert np.allclose(found[1], 0, atol=1e-14)
    assert np.allclose(found[2], step - rectified, rtol=1e-6, atol=1e-14)
    assert np.allclose(_gamma_numpy.gamma_and_slope(x, n, s)[0], value, rtol=1e-6, atol=1e-14)


def test_nan_stays_nan():
    nan, one = np.array([np.nan]), np.ones(1)
    for given in ((nan, one, one), (one, nan, one), (one, one, nan)):
        assert np.isnan(array(gamma(*given))).all()


def test_continuous_in_n_away_from_zero_and_in_x_for_negative_gains():
    x, n = np.linspace(-8, 8, 4001)[:, None], np.array([-0.02, -0.5, -3.0, -20.0])
    slope = np.abs(truth(x, n, 0.3)[1]).max(axis=0)
    steps = np.abs(np.diff(array(gamma(x, n, 0.3)), axis=0)).max(axis=0)
    assert (steps <= 1.01 * slope * (x[1] - x[0])).all()
    n = -np.linspace(GAIN_FLOOR / 2, 3, 20001)
    step = np.abs(np.diff(array(gamma(np.float64(0.7), n, 0.3))))
    bound = 0.7 * np.log(2) / GAIN_FLOOR**2 + 1
    assert step.max() <= 1.01 * bound * (n[0] - n[1])


def test_second_derivatives():
    x = np.array([-3.0, -0.4, 0.0, -0.0, 1e-3, 0.7, 4.0, 0.0, 1.1])
    n = np.array([2.5, 5.0, 2.5, 6.0, 3.0, -1.5, 0.8, -2.0, 0.05])
    s = np.array([0.3, 0.0, 0.3, 1.0, -0.2, 0.5, 1.2, 0.7, 0.9])

    def exact(x, n, s):
        return (1 - s) * mpmath.log(1 + mpmath.exp(n * x)) / n + s / (1 + mpmath.exp(-n * x))

    found = hessian_rows(gamma, x, n, s)
    orders = np.eye(3, dtype=int)
    with mpmath.workdps(50):
        for i, j in itertools.product(range(3), repeat=2):
            order = tuple(int(k) for k in orders[i] + orders[j])
            expected = [
                float(mpmath.diff(exact, tuple(map(float, point)), order))
                for point in zip(x, n, s, strict=True)
            ]
            assert np.allclose(found[i][j], expected, rtol=1e-9, atol=1e-12), (i, j)


def test_limits():
    x = np.linspace(-15, 15, 101)
    # Each element to its own scale: torch's softplus is linear above 20, off by 1e-9.
    assert np.allclose(array(gamma(x, 3.0, 0.0)), np.logaddexp(0, 3 * x) / 3, rtol=1e-13, atol=0)
    assert np.allclose(array(gamma(x, 3.0, 1.0)), 1 / (1 + np.exp(-3 * x)), rtol=1e-13, atol=0)
    assert np.abs(array(gamma(x, 1e4, 0.0)) - np.maximum(x, 0)).max() <= np.log(2) / 1e4 + 1e-12


def test_python_numbers_keep_the_precision_of_x():
    x = draw(20)
    value = array(gamma(x, 0.1, 0.3))
    assert value.dtype == "float64"
    assert relative_error(value, truth(x, 0.1, 0.3)[0]) < 1e-14


def test_integers_count_as_the_default_float():
    value = gamma(np.arange(3), 2, 0)
    assert dtype_of(value) == keras.config.floatx()
    assert relative_error(array(value), np.logaddexp(0, 2 * np.arange(3)) / 2) < 1e-6


@pytest.mark.parametrize("shapes", [((2, 3), (2,), ()), ((2, 3), (), (4,)), ((5,), (2, 5), (3, 5))])
def test_shapes_that_do_not_broadcast(shapes):
    with pytest.raises(ValueError, match=r"must have shapes that broadcast.*Received: x\.shape"):
        gamma(*(np.ones(shape) for shape in shapes))
    with pytest.raises(ValueError, match=r"must have shapes that broadcast.*Received: x\.shape"):
        gamma(keras.KerasTensor(shapes[0]), *(np.ones(shape) for shape in shapes[1:]))


def test_slope_is_the_derivative():
    x, n, s = draw((3, 4), 0, -4, 4), draw((4,), 1, -3, 3), 0.4
    _, (expected,) = gradients(lambda x: ops.sum(gamma(x, n, s)), x)
    assert relative_error(array(gamma_slope(x, n, s)), expected) < 1e-13
    assert dtype_of(gamma_slope(ops.cast(x, "float16"), n, s)) == "float16"


@pytest.mark.parametrize("gains", [(2.0, 0.5), (np.array([1.0, -2.0, 3.0, 0.5]), 0.1)], ids=str)
def test_in_a_functional_model(gains, tmp_path):
    inputs = keras.Input((4,))
    model = keras.Model(inputs, gamma(inputs, *gains))
    x = draw((3, 4)).astype("float32")
    expected = truth(x.astype("float64"), *gains)[0]
    assert model.output_shape == (None, 4)
    model.save(tmp_path / "model.keras")
    for m in (model, keras.models.load_model(tmp_path / "model.keras")):
        assert relative_error(array(m(x)), expected) < 1e-6


def test_of_three_symbolic_tensors():
    x, n, s = keras.Input((4,)), keras.Input((1,)), keras.Input((4,))
    model = keras.Model([x, n, s], gamma(x, n, s))
    given = [draw((3, k), i, 0.5, 2.0).astype("float32") for i, k in enumerate((4, 1, 4))]
    expected = truth(*(v.astype("float64") for v in given))[0]
    assert relative_error(array(model(given)), expected) < 1e-6
