"""The figure of gradients holds what it is given."""

import numpy as np
from drawings import RNG, holds, line_labelled

from aru_keras.analysis.gradients import Propagation
from aru_keras.plots import gradients


def test_gradients_are_drawn_over_length_and_position():
    one = Propagation(RNG.random(6), RNG.random(6) + 0.1, np.zeros((2, 2)))
    length, position = gradients.gradient_norms({"arun": [one]}).axes
    assert holds(length, one.detached, [6, 5, 4, 3, 2, 1])
    assert holds(position, one.contributions[1:], [1, 2, 3, 4, 5])


def test_networks_of_your_own_are_drawn_in_their_own_colours_by_their_names():
    one = Propagation(RNG.random(6), RNG.random(6) + 0.1, np.zeros((2, 2)))
    length, _ = gradients.gradient_norms({"mine": [one], "arun": [one], "yours": [one]}).axes
    lines = [line_labelled(length, label) for label in ("mine", "ARUN", "yours")]
    assert len({line.get_color() for line in lines}) == 3
