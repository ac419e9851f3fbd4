"""Autonomous maps and their Jacobians, against the layers, autodiff and differences."""

import keras
import numpy as np
import pytest
from keras import ops
from support import array, gradients, relative_error

from aru_keras import ARU, DrivenRNN, GammaRNN, gamma
from aru_keras.activations import GAIN_CEILING, GAIN_FLOOR, gamma_slope
from aru_keras.analysis import _gamma_numpy
from aru_keras.analysis.dynamics import (
    ActivationDynamics,
    ARUDynamics,
    GammaDynamics,
    as_dynamics,
    dynamics_of,
)
from aru_keras.analysis.jacobian import jacobian_norms_along
from aru_keras.analysis.lyapunov import lyapunov_exponents
from aru_keras.analysis.maps import FunctionDynamics

N, G, B = 5, 3, 4
# Of float64 on every backend, over a few dozen operations.
EXACT = 1e-12
# Differences with the step of FunctionDynamics: its docstring's promise.
PROMISED = {"float64": 1e-9, "float32": 2e-4}
# Central differences with a step of 1e-5: 1e-10 of truncation and 1e-11 of rounding.
DIFFERENCES = 1e-8


def rng(seed=0):
    return np.random.default_rng(seed)


def built(layer, seed=0):
    """`layer`, built, with every part at work."""
    layer.build((B, 7, 1))
    draws = rng(seed)
    for weight in layer.weights:
        start = {"n": 2.0, "readout_bias": np.array([2.0, 0.3])}.get(weight.name, 0.0)
        weight.assign(start + 0.5 * draws.normal(size=weight.shape))
    return layer


def differences(dynamics, h, step=1e-5):
    """J of a map by central differences, (B, N, N)."""
    moved = step * np.eye(h.shape[-1])
    columns = [(dynamics(h + one) - dynamics(h - one)) / (2 * step) for one in moved]
    return np.stack(columns, axis=-1)


def maps():
    kernel, draws = rng(1).normal(size=(N, N)), rng(2)
    n, s = draws.normal(3, 2, size=(B, N)), draws.uniform(-0.3, 1.3, size=(B, N))
    weights = {one.name: array(one) for one in built(ARU(N, G, dtype="float64")).weights}
    return {
        "gamma": (GammaDynamics(kernel, n, s, bias=draws.normal(size=N)), N),
        **{
            name: (ActivationDynamics(kernel, name, bias=0.1), N)
            for name in ("linear", "tanh", "relu", "sigmoid", "softplus")
        },
        "own": (ActivationDynamics(kernel, (np.sin, np.cos)), N),
        "aru": (ARUDynamics(weights, bias=weights["bias"]), N * (1 + G)),
    }


@pytest.mark.parametrize("name", maps())
def test_a_jacobian_is_the_derivative_of_its_map(name):
    dynamics, size = maps()[name]
    h = rng(3).normal(size=(B, size))
    assert dynamics(h).shape == h.shape
    jacobian = dynamics.jacobian(h)
    assert relative_error(jacobian, differences(dynamics, h)) < DIFFERENCES
    directions = rng(4).normal(size=(B, 2, size))
    pushed = dynamics.push(h, directions)[1]
    assert relative_error(pushed, np.einsum("bij,bkj->bki", jacobian, directions)) < EXACT


def test_the_gain_in_numpy_is_that_of_the_library():
    draws = rng(5)
    x = draws.normal(size=400) * 10.0 ** draws.uniform(-2, 2, size=400)
    n = np.concatenate([draws.normal(0, 5, size=396), [0.0, -0.0, GAIN_FLOOR / 2, -GAIN_FLOOR / 2]])
    s = draws.uniform(-0.5, 1.5, size=400)
    value, slope = _gamma_numpy.gamma_and_slope(x, n, s)
    # Near n = 0 values reach 1/n = 100 times rounding.
    np.testing.assert_allclose(value, array(gamma(x, n, s)), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(slope, array(gamma_slope(x, n, s)), rtol=1e-10, atol=1e-13)
    outside = np.abs(n) >= GAIN_FLOOR
    _, (_, in_n, in_s) = gradients(lambda *parts: ops.sum(gamma(*parts)), x, n, s)
    found = _gamma_numpy.partials_of_parameters(x, n, s)
    np.testing.assert_allclose(found[0][outside], in_n[outside], rtol=1e-9, atol=1e-12)
    assert not found[0][~outside].any()
    np.testing.assert_allclose(found[1], in_s, rtol=1e-12, atol=1e-13)


def test_beyond_its_bounds_the_gain_makes_no_difference():
    n = np.array([GAIN_FLOOR / 2, GAIN_FLOOR, GAIN_CEILING, 2 * GAIN_CEILING])
    for sign in (1, -1):
        in_n, _ = _gamma_numpy.partials_of_parameters(1e-15, sign * n, 0.5)
        assert (in_n != 0).tolist() == [False, True, True, False]


def test_the_tail_of_a_sigmoid_keeps_its_slope():
    # nσ(1 − σ) → n·exp(−n·x); 1 − σ is 0 in float64 from n·x = 37 on.
    found = _gamma_numpy.slope(np.array([-8.0, 8.0]), 5.0, 1.0)
    np.testing.assert_allclose(found, 5 * np.exp(-40), rtol=1e-12)


def layers():
    simple = keras.layers.SimpleRNN(N, activation="tanh", dtype="float64")
    return {
        "aru": ARU(N, G, dtype="float64"),
        "gamma": GammaRNN(N, dtype="float64"),
        "gamma shared": GammaRNN(N, shared=True, dtype="float64"),
        "relu": DrivenRNN(N, dtype="float64"),
        "simple": simple,
    }


@pytest.mark.parametrize("name", ["aru", "gamma", "gamma shared", "relu", "simple"])
def test_the_dynamics_of_a_layer_are_its_own_step_and_derivative(name):
    if name == "simple" and keras.config.backend() != "tensorflow":
        pytest.skip(f"{keras.config.backend()}: SimpleRNN computes in float32 there")
    layer = built(layers()[name])
    dynamics = dynamics_of(layer, bias=True)
    sizes = np.atleast_1d(layer.cell.state_size)
    parts = [rng(6).normal(size=(B, size)) for size in sizes]
    weights = [rng(7).normal(size=part.shape) for part in parts]

    def total(*states):
        new = layer.cell(ops.zeros((B, 1), "float64"), list(states))[1]
        return sum(ops.sum(ops.convert_to_tensor(w) * x) for w, x in zip(weights, new, strict=True))

    state, weight = (np.concatenate(values, axis=-1) for values in (parts, weights))
    value, found = gradients(total, *parts)
    assert relative_error(np.sum(weight * dynamics(state)), value) < EXACT
    expected = np.einsum("bi,bij->bj", weight, dynamics.jacobian(state))
    assert relative_error(expected, np.concatenate(found, axis=-1)) < EXACT


def test_the_bias_is_left_out_unless_asked_for():
    layer = built(GammaRNN(N, dtype="float64"))
    h = np.zeros((1, N))
    assert np.abs(dynamics_of(layer)(h) - dynamics_of(layer, bias=True)(h)).max() > 0.01
    layer.cell.bias.assign(np.zeros(N))
    np.testing.assert_array_equal(dynamics_of(layer)(h), dynamics_of(layer, bias=True)(h))


def test_gains_of_an_aru_replace_its_controllers():
    layer = built(ARU(N, G, dtype="float64"))
    n, s, h = np.full(N, 3.0), np.full(N, 0.2), rng(8).normal(size=(B, N))
    expected = array(gamma(h @ array(layer.cell.recurrent_kernel), n, s))
    assert relative_error(dynamics_of(layer, n, s)(h), expected) < EXACT


def test_each_lane_may_have_its_own_gain():
    kernel, h = rng(9).normal(size=(N, N)), rng(10).normal(size=(2, 3, N))
    n, s = np.array([1.0, 5.0])[:, None, None], np.array([0.0, 0.7])[:, None, None]
    together = GammaDynamics(kernel, n, s).jacobian(h)
    for lane in range(2):
        alone = GammaDynamics(kernel, n[lane], s[lane]).jacobian(h[lane])
        np.testing.assert_allclose(together[lane], alone, rtol=EXACT)


@pytest.mark.parametrize("form", ["jacobian", "jacobian_product"])
def test_a_map_of_ones_own(form):
    matrix = rng(11).normal(size=(N, N))
    forms = {
        "jacobian": lambda h: np.cos(h @ matrix.T)[..., :, None] * matrix,
        "jacobian_product": lambda h, v: np.cos(h @ matrix.T)[..., None, :] * (v @ matrix.T),
    }
    dynamics = FunctionDynamics(lambda h: np.sin(h @ matrix.T), **{form: forms[form]})
    h = rng(12).normal(size=(B, N))
    assert relative_error(dynamics.jacobian(h), differences(dynamics, h)) < DIFFERENCES


@pytest.mark.parametrize("dtype", PROMISED)
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_a_map_without_a_derivative_takes_differences(scale, dtype):
    matrix, signs = rng(13).normal(size=(50, 50)) / 5, rng(14).choice([-1, 1], size=(2, 3, 50))
    # No component is near 0, where the step would be 1/scale of what the map allows.
    states = signs * rng(15).uniform(0.5, 1.5, size=signs.shape)

    def function(h):
        return np.tanh((h / scale).astype(dtype) @ matrix.astype(dtype))

    dynamics, h = FunctionDynamics(function), scale * states
    jacobian = ActivationDynamics(matrix).jacobian(states) / scale
    assert dynamics(h).dtype == "float64"
    assert relative_error(dynamics.jacobian(h), jacobian) < PROMISED[dtype]
    # The length of a direction makes no difference, and one that is gone stays so.
    directions = rng(16).normal(size=(2, 3, 4, 50)) * np.array([1.0, 1e-9, 1e9, 0.0])[:, None]
    pushed = dynamics.push(h, directions)[1]
    expected = np.einsum("...ij,...kj->...ki", jacobian, directions)
    for each in range(3):
        assert relative_error(pushed[..., each, :], expected[..., each, :]) < PROMISED[dtype]
    assert not pushed[..., 3, :].any()


def test_differences_are_the_same_in_several_calls(monkeypatch):
    calls, h = [], rng(17).normal(size=(B, N))

    def function(states):
        calls.append(states.size)
        return np.sin(states) * np.roll(states, 1, axis=-1)

    at_once = FunctionDynamics(function).jacobian(h)
    assert calls == [B * N, 2 * B * N * N]
    monkeypatch.setattr("aru_keras.analysis._differences._AT_ONCE", 4 * h.size)
    calls.clear()
    np.testing.assert_array_equal(FunctionDynamics(function).jacobian(h), at_once)
    assert sum(calls[1:]) == 2 * B * N * N and max(calls) == 4 * B * N


def test_a_cell_of_keras_is_a_map_as_well():
    cell = keras.layers.SimpleRNNCell(N, dtype="float32")
    cell.build((None, 1))
    h = rng(18).normal(size=(B, N))

    def function(h):
        return cell(ops.zeros((*h.shape[:-1], 1)), [ops.convert_to_tensor(h, "float32")])[0]

    expected = ActivationDynamics(array(cell.recurrent_kernel)).jacobian(h)
    assert relative_error(FunctionDynamics(function).jacobian(h), expected) < PROMISED["float32"]
    # A result that hides its precision needs the step.
    hidden = FunctionDynamics(lambda h: array(function(h)).astype("float64"), step=5e-3)
    assert relative_error(hidden.jacobian(h), expected) < PROMISED["float32"]


def test_functions_and_layers_are_taken_as_dynamics():
    layer = keras.layers.SimpleRNN(N)
    layer.build((None, None, 1))
    kernel = array(layer.cell.recurrent_kernel)
    known = ActivationDynamics(kernel)
    h = rng(19).normal(size=(B, N))
    assert as_dynamics(known) is known
    for one in (layer, lambda h: np.tanh(h @ kernel.astype("float64"))):
        np.testing.assert_allclose(
            jacobian_norms_along(one, h), jacobian_norms_along(known, h), rtol=1e-6
        )
        found, expected = (lyapunov_exponents(each, h, steps=20) for each in (one, known))
        np.testing.assert_allclose(found.exponents, expected.exponents, rtol=1e-6)
    with pytest.raises(ValueError, match="`dynamics` must be Dynamics, a layer, or a function"):
        lyapunov_exponents(np.eye(3), h)


def test_a_function_that_is_no_map_is_refused():
    h = np.ones((B, N))
    with pytest.raises(ValueError, match=r"shape of its states.*float64 \(4,\) for \(4, 5\)"):
        FunctionDynamics(lambda h: h.sum(axis=-1))(h)
    with pytest.raises(ValueError, match=r"floating-point numbers.*int64"):
        FunctionDynamics(lambda h: h.astype("int64")).jacobian(h)
    for function in (lambda h: h / 0, lambda h: np.sqrt(1 - h)):
        with np.errstate(all="ignore"), pytest.raises(ValueError, match="must be finite"):
            FunctionDynamics(function).jacobian(h)
    with pytest.raises(ValueError, match="`jacobian` or `jacobian_product`"):
        FunctionDynamics(np.sin, np.cos, np.cos)
    with pytest.raises(ValueError, match="`step` must be"):
        FunctionDynamics(np.sin, step=0.0)


def test_what_has_no_such_dynamics_is_refused():
    lstm = keras.layers.LSTM(3)
    lstm.build((1, 2, 1))
    with pytest.raises(ValueError, match="GammaRNN, ARU, DrivenRNN or SimpleRNN"):
        dynamics_of(lstm)
    with pytest.raises(ValueError, match="built"):
        dynamics_of(GammaRNN(3))
    relu = built(DrivenRNN(N))
    with pytest.raises(ValueError, match="belong to GammaRNN and ARU"):
        dynamics_of(relu, 1.0, 0.0)
    with pytest.raises(ValueError, match="both `n` and `s`"):
        dynamics_of(built(GammaRNN(N)), n=1.0)
    with pytest.raises(ValueError, match="square matrix"):
        GammaDynamics(np.ones((2, 3)), 1.0, 0.0)
    with pytest.raises(ValueError, match="`n` must be finite"):
        GammaDynamics(np.eye(3), [1.0, np.nan, 1.0], 0.0)
    with pytest.raises(ValueError, match="last axis of 1 or 3"):
        GammaDynamics(np.eye(3), 1.0, [0.0, 0.0])
    with pytest.raises(ValueError, match="Did you mean 'tanh'"):
        ActivationDynamics(np.eye(3), "tahn")


@pytest.mark.parametrize("activation", ["gelu", abs], ids=["gelu", "function"])
def test_the_activation_of_a_layer_whose_slope_is_not_known(activation):
    layer = built(DrivenRNN(N, activation=activation))
    with pytest.raises(ValueError, match=r"`network` must have .*'relu'.*Give ActivationDynamics"):
        dynamics_of(layer)
