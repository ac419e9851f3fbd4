"""The controller alone, against the cell, and its principal components, against an own answer."""

import numpy as np
import pytest
from contract import CASES

from aru_keras import probing
from aru_keras.analysis.controller import (
    CONTROLLER_AMPLITUDES,
    Controller,
    portrait,
    principal_components,
)

RNG = np.random.default_rng(0)
SETTLED = Controller(  # g → 0 at a = 0; a shifts it along the kernel.
    np.array([[1.0, 2.0, 0.0]]), 0.5 * np.eye(3), np.zeros(3), np.eye(3)[:, :2], np.array([5.0, 0])
)


def test_states_and_read_outs_are_those_of_the_cell():
    layer = CASES[-1].make_layer()
    x = RNG.normal(size=(2, 7, 2)).astype("float32")
    known = probing.record(layer, x, ("a", "g", "n", "s"))
    controller = Controller.of_cell(layer.cell)
    a = np.moveaxis(known["a"], 1, 0)
    found = controller.states(a, np.zeros((*a.shape[1:], 3)))
    # The cell computes in float32.
    np.testing.assert_allclose(
        np.moveaxis(found, 0, 1).reshape(known["g"].shape), known["g"], atol=1e-5
    )
    parameters = np.moveaxis(controller.read_out(found), 0, 1)
    np.testing.assert_allclose(parameters[..., 0], known["n"], atol=1e-5)
    np.testing.assert_allclose(parameters[..., 1], known["s"], atol=1e-5)


def test_the_protocol_is_zero_and_then_a_constant():
    amplitudes = (0.5, 1.0, 3.0)
    found = portrait(SETTLED, amplitudes, settle=60, hold=80, draws=4)
    assert found.states.shape == (3, 140, 3) and found.settle == 60
    # Before the constant comes all are the same, and settle at 0; first states are N(0, 1).
    assert (found.states[0, :60] == found.states[2, :60]).all()
    assert np.abs(found.states[:, 59]).max() < 1e-12
    assert found.states[0, 59, 0] != found.states[0, 60, 0]
    # The end is the fixed point g = tanh(w·a + g/2), unit by unit.
    for a, end in zip(amplitudes, found.states[:, -1], strict=True):
        np.testing.assert_allclose(
            end, np.tanh(np.array([1.0, 2.0, 0.0]) * a + end / 2), atol=1e-12
        )
    np.testing.assert_allclose(found.parameters[:, -1, 0], 5 + found.states[:, -1, 0])
    np.testing.assert_array_equal(found.end_points, found.projected[:, -1])


def test_states_are_the_mean_over_draws():
    draws = np.random.default_rng(5).normal(size=(2, 3))
    found = portrait(SETTLED, (1.0, 2.0, 3.0), settle=1, hold=2, draws=2, seed=5)
    g = np.tanh(draws / 2)
    np.testing.assert_allclose(found.states[0, 0], g.mean(axis=0))
    g = np.tanh(np.array([2.0, 4.0, 0.0]) + g / 2)
    np.testing.assert_allclose(found.states[1, 1], g.mean(axis=0))


def test_components_are_those_of_the_covariance():
    points = RNG.normal(size=(4, 50, 3)) @ np.diag([3.0, 1.0, 0.3]) @ RNG.normal(size=(3, 3)) + 7
    projected, explained = principal_components(points)
    values, vectors = np.linalg.eigh(np.cov(points.reshape(-1, 3).T))
    np.testing.assert_allclose(explained, values[::-1][:2] / values.sum(), rtol=1e-10)
    known = (points - points.reshape(-1, 3).mean(axis=0)) @ vectors[:, ::-1][:, :2]
    signs = np.sign(np.sum(known * projected, axis=(0, 1)))
    np.testing.assert_allclose(projected, known * signs, atol=1e-10)


def test_a_line_and_a_circle_are_told_apart():
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    np.testing.assert_allclose(principal_components(circle)[1], [0.5, 0.5])
    line = angle[:, None] * np.array([1.0, -2.0, 0.5])
    assert principal_components(line, 1)[1][0] == pytest.approx(1)
    # A kernel of one entry moves g along one axis: end points on a line.
    one = Controller(np.array([[1.0, 0.0]]), np.eye(2) / 2, np.zeros(2), np.eye(2), np.zeros(2))
    found = portrait(one, settle=60, hold=80)
    assert found.line_share == pytest.approx(1) and found.curve_share == pytest.approx(1)
    bent = portrait(SETTLED, settle=60, hold=80)
    assert bent.line_share < 0.99 < bent.curve_share


def test_a_controller_that_oscillates_has_no_end_point():
    def pair(feedback):
        """One unit settles at tanh(a); the other, with −2 to itself, flips its sign for ever."""
        return Controller(
            [[1.0, 0.0]], [[0.0, 0.0], [0.0, feedback]], [0.0, 0.0], np.eye(2), np.zeros(2)
        )

    assert portrait(pair(0.5), draws=1).unsettled == pytest.approx(np.zeros(10), abs=1e-12)
    height = 0.957504  # The solution of g = tanh(2g).
    expected = height / np.tanh(CONTROLLER_AMPLITUDES).std()
    assert portrait(pair(-2.0), draws=1).unsettled == pytest.approx(np.full(10, expected), rel=1e-5)


def test_scattered_end_points_are_no_curve():
    # Weights this large make a chaotic network: it ends wherever it happens to be.
    weights = np.random.default_rng(1).normal(size=(8, 8))
    chaotic = Controller(0.1 * np.ones((1, 8)), weights, np.zeros(8), np.eye(8)[:, :2], np.zeros(2))
    assert portrait(chaotic, draws=1).curve_share < 0.3
    # From tanh(−w) over 0 to tanh(w) the way is straight.
    kernel = np.array([[1.0, 2.0]])
    straight = Controller(kernel, np.zeros((2, 2)), np.zeros(2), np.eye(2), np.zeros(2))
    found = portrait(straight, (-1, 0, 1), settle=0, hold=1)
    assert found.curve_share == pytest.approx(1, abs=0.01)


def test_what_does_not_fit_is_an_error():
    with pytest.raises(ValueError, match=r"`recurrent_kernel` must be .* \(3, 3\)"):
        Controller(np.ones((1, 3)), np.ones((2, 3)), np.zeros(3), np.ones((3, 2)), np.zeros(2))
    with pytest.raises(ValueError, match="`bias` must be finite"):
        Controller(np.ones((1, 1)), np.ones((1, 1)), [np.nan], np.ones((1, 2)), np.zeros(2))
    with pytest.raises(ValueError, match="three finite numbers"):
        portrait(SETTLED, (1.0, 3.0, 2.0))
    with pytest.raises(ValueError, match="`hold`"):
        portrait(SETTLED, hold=0)
    single = Controller([[1.0]], [[0.5]], [0.0], np.ones((1, 2)), np.zeros(2))
    with pytest.raises(ValueError, match="`controller` must have two units or more"):
        portrait(single)
    for still in (0.0, 0.5):
        unmoved = Controller(np.zeros((1, 2)), still * np.eye(2), np.zeros(2), np.eye(2), [5, 0])
        with pytest.raises(ValueError, match="`controller` must have states that depend on a"):
            portrait(unmoved)
    with pytest.raises(ValueError, match="not all the same"):
        principal_components(np.ones((5, 3)))
