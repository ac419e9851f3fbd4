"""Fixed and slow points against maps whose points are known in closed form."""

import keras
import numpy as np
import pytest

from aru_keras import ARU, GammaRNN, models, tasks
from aru_keras.analysis import (
    ActivationDynamics,
    ARUDynamics,
    FunctionDynamics,
    GammaDynamics,
    find_fixed_points,
    network_dynamics,
    visited_states,
)

DRAWS = np.random.default_rng(0)


def starts(size, count=30, bound=2.0):
    return DRAWS.uniform(-bound, bound, (count, size))


def test_a_linear_map_has_one_point_and_the_eigenvalues_of_its_matrix():
    matrix = DRAWS.normal(size=(4, 4)) / 3
    offset = DRAWS.normal(size=4)
    found = find_fixed_points(ActivationDynamics(matrix, "linear", offset), starts(4))
    assert found.fixed.tolist() == [True] and found.counts.tolist() == [30] and found.lost == 0
    np.testing.assert_allclose(found.states[0], np.linalg.solve(np.eye(4) - matrix.T, offset))
    expected = np.linalg.eigvals(matrix.T)
    np.testing.assert_allclose(
        np.sort_complex(found.eigenvalues[0]), np.sort_complex(expected), rtol=1e-8
    )
    assert found.stable[0] == (np.abs(expected).max() < 1)


@pytest.mark.parametrize("gain", [2.0, 12.0])
def test_a_pair_of_sigmoids_has_the_points_of_its_closed_form(gain):
    # h = σ(n(h·w − w/2)) has the point ½ with the slope n·w/4; where that exceeds 1 it is
    # unstable, and there is a stable point on either side.
    weight = 1.0
    dynamics = GammaDynamics(np.eye(2) * weight, gain, 1.0, bias=-weight / 2)
    found = find_fixed_points(dynamics, starts(2, 80, 1.0) + 0.5)
    middle = np.abs(found.states - 0.5).max(axis=1) < 1e-9
    assert middle.sum() == 1
    np.testing.assert_allclose(found.eigenvalues[middle][0], gain * weight / 4, rtol=1e-9)
    assert len(found.states) == (1 if gain == 2 else 9) and found.fixed.all()
    assert found.stable[middle][0] == (gain == 2)
    if gain == 12:  # Each unit is at ½, or at one of two points around it.
        assert found.stable.sum() == 4 and found.unstable_directions[middle][0] == 2
        assert sorted(found.unstable_directions) == [0] * 4 + [1] * 4 + [2]


def test_where_points_have_just_vanished_there_is_a_slow_one():
    # h + h² + ε has the fixed points ±√−ε for ε < 0, and for ε > 0 only a slow point at 0.
    for epsilon, slow in ((-0.01, False), (0.01, True)):
        found = find_fixed_points(
            FunctionDynamics(lambda h, e=epsilon: h + h**2 + e), starts(1, 20, 0.5)
        )
        if slow:
            assert not found.fixed.any() and len(found.states) == 1
            np.testing.assert_allclose(found.speeds, 0.01, rtol=1e-6)
            np.testing.assert_allclose(found.states, 0, atol=1e-3)
        else:
            assert found.fixed.all() and sorted(found.states[:, 0]) == pytest.approx([-0.1, 0.1])
            assert found.stable[found.states[:, 0] < 0].all()


def adaptive(units=3):
    """A built ARU whose gain and saturation are constant: its units are a static network."""
    layer = ARU(units, 2)
    layer.build((None, None, 1))
    cell = layer.cell
    cell.readout_kernel.assign(np.zeros((2, 2)))
    cell.readout_bias.assign([2.0, 1.0])
    cell.controller_recurrent_kernel.assign(np.zeros((2, 2)))
    cell.recurrent_kernel.assign(0.5 * np.eye(units))
    cell.bias.assign(np.full(units, -0.25))
    return layer


def test_the_whole_adaptive_system_has_the_points_of_units_and_controllers():
    layer = adaptive()
    dynamics = network_dynamics(layer)
    assert isinstance(dynamics, ARUDynamics)
    found = find_fixed_points(dynamics, starts(9, 10, 1.0))
    # With n = 2 and s = 1, h = σ(2(h/2 − ¼)) = ½, so that a = 0 and g = tanh of the bias, 0.
    np.testing.assert_allclose(found.states, [[0.5] * 3 + [0.0] * 6], atol=1e-9)
    assert found.stable.all() and found.fixed.all()
    np.testing.assert_allclose(np.abs(found.eigenvalues[0, :3]), 0.25, atol=1e-9)


def test_a_constant_drive_and_input_move_the_point():
    layer = adaptive()
    layer.cell.kernel.assign(np.full((1, 3), 0.5))
    units = network_dynamics(layer, n=2.0, s=1.0, drive=0.5, x=[-1.0])
    np.testing.assert_allclose(find_fixed_points(units, starts(3)).states, [[0.5] * 3])
    driven = find_fixed_points(network_dynamics(layer, n=2.0, s=1.0, drive=1.0), starts(3)).states[
        0
    ]
    np.testing.assert_allclose(driven, 1 / (1 + np.exp(-2 * (0.5 * driven - 0.25 + 1))), rtol=1e-9)


def test_starts_are_visited_states_and_no_padding():
    x = [DRAWS.normal(size=(n, 1)) for n in (3, 7, 5, 6)]
    task = tasks.from_arrays((x, [0, 1, 0, 1]), (x, [0, 1, 0, 1]), (x, [0, 1, 0, 1]))
    model = models.network_for(task, "arun", units=4, controller_units=2)
    dynamics = network_dynamics(model)
    visited = visited_states(model, task.arrays("test")[0], dynamics, count=21, seed=1)
    assert visited.shape == (21, 4 + 8)
    assert len(np.unique(visited.round(6), axis=0)) == 21  # All of 3 + 7 + 5 + 6 steps, each once.
    again = visited_states(model, task.arrays("test")[0], dynamics, count=21, seed=1)
    np.testing.assert_array_equal(visited, again)
    assert visited_states(model, task.arrays("test")[0], count=3).shape == (3, 4)
    found = find_fixed_points(dynamics, visited[:5])
    assert found.counts.sum() + found.lost == 5


def test_a_model_of_one_step_is_consistent_with_its_dynamics():
    layer = GammaRNN(3)
    layer.build((None, None, 2))
    dynamics = network_dynamics(layer, x=[1.0, -1.0], drive=0.3)
    h = np.zeros((1, 3))
    stepped = layer(np.array([[[1.0, -1.0]]], "float32"), drive=0.3)
    np.testing.assert_allclose(dynamics(h), keras.ops.convert_to_numpy(stepped), rtol=1e-5)


def test_nothing_is_found_where_nothing_is_slow():
    found = find_fixed_points(FunctionDynamics(lambda h: h + 1.0), [[0.0], [3.0]])
    assert len(found.states) == 0 and found.lost == 2 and found.eigenvalues.shape == (0, 1)
    assert found.stable.shape == (0,)
