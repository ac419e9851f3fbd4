"""The figure of the controller holds what it is given."""

import numpy as np
from drawings import RNG, holds

from aru_keras.analysis.controller import Controller, portrait
from aru_keras.plots import controller


def test_the_controllers_end_points_are_joined():
    weights = Controller(
        RNG.normal(size=(1, 3)), 0.3 * np.eye(3), np.zeros(3), RNG.normal(size=(3, 2)), np.zeros(2)
    )
    found = portrait(weights, (0.5, 1, 2), settle=5, hold=9)
    plane, time, parameters = controller.controller_states(found).axes
    assert holds(plane, found.end_points[:, 1], found.end_points[:, 0])
    assert holds(plane, found.projected[2, 4:, 1], found.projected[2, 4:, 0])
    assert holds(time, found.parameters[1, :, 0])
    assert holds(parameters, found.parameters[:, -1, 1], found.parameters[:, -1, 0])
