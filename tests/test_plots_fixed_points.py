"""The figure of fixed points holds what it is given."""

import numpy as np
import pytest

from aru_keras.analysis import ActivationDynamics, FunctionDynamics, find_fixed_points
from aru_keras.plots import fixed_point_map

STARTS = np.random.default_rng(0).uniform(-2, 2, (30, 3))


def lines(axes):
    return {line.get_label(): line for line in axes.get_lines()}


def test_points_and_their_eigenvalues_are_drawn_by_kind():
    found = find_fixed_points(ActivationDynamics(np.diag([2.0, 0.5, 0.5]), "tanh"), STARTS)
    plane, circle = fixed_point_map(found, STARTS).axes
    assert list(lines(plane)) == ["visited states", "stable", "unstable"]
    points = lines(plane)["stable"].get_xydata()
    assert len(points) == found.stable.sum() == 2
    distance = np.linalg.norm(np.diff(points, axis=0))
    assert 0 < distance <= np.linalg.norm(np.diff(found.states[found.stable], axis=0)) + 1e-9
    unstable = lines(circle)["_eigenvalues, unstable"].get_xydata()
    np.testing.assert_allclose(unstable[:, 0], [2, 0.5, 0.5], atol=1e-6)


def test_slow_points_of_a_single_unit_are_drawn_without_visited_states():
    found = find_fixed_points(FunctionDynamics(lambda h: h + h**2 + 0.01), [[-0.1], [0.1]])
    plane, circle = fixed_point_map(found).axes
    assert len(lines(plane)["slow"].get_xydata()) == 1 and "stable" not in lines(plane)
    assert np.isfinite(lines(plane)["slow"].get_xydata()).all() and len(circle.get_lines()) == 2


def test_visited_states_of_another_system_are_refused():
    found = find_fixed_points(ActivationDynamics(np.eye(3) / 2, "tanh"), STARTS)
    with pytest.raises(ValueError, match=r"`visited` must be .* of shape \(M, 3\)"):
        fixed_point_map(found, STARTS[:, :2])
