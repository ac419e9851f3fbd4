"""The figure of gradients holds what it is given."""

import numpy as np
from drawings import RNG, holds

from aru_keras.analysis.gradients import Propagation
from aru_keras.plots import gradients


def test_gradients_are_drawn_over_length_and_position():
    one = Propagation(RNG.random(6), RNG.random(6) + 0.1, np.zeros((2, 2)))
    length, position = gradients.gradient_norms({"arun": [one]}).axes
    assert holds(length, one.detached, [6, 5, 4, 3, 2, 1])
    assert holds(position, one.contributions[1:], [1, 2, 3, 4, 5])
