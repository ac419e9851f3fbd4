"""The curves of robustness hold what they are given."""

import numpy as np
import pytest
from drawings import holds, line_labelled, scores
from figures import AMPLITUDES

from aru_keras.plots import robustness


def test_robustness_is_the_mean_over_seeds_with_a_band():
    networks = {"arun": [scores(5), scores(5)], "lstm": [scores(5)]}
    figure = robustness.robustness_curves(networks, AMPLITUDES)
    left, right = figure.axes
    for name, seeds in networks.items():
        assert holds(left, 100 * np.mean([one.accuracy for one in seeds], axis=0), AMPLITUDES)
        assert holds(right, np.mean([one.loss for one in seeds], axis=0), AMPLITUDES), name
    # A band of one standard error for two seeds, none for one.
    (band,) = left.collections
    pair = 100 * np.stack([one.accuracy for one in networks["arun"]])
    half = np.abs(pair[0] - pair[1]) / 2
    heights = band.get_paths()[0].vertices[:, 1]
    assert heights.max() == pytest.approx((pair.mean(axis=0) + half).max())


def test_networks_of_your_own_are_drawn_in_their_own_colours_by_their_names():
    networks = {name: [scores(5)] for name in ("mine", "arun", "yours")}
    left, _ = robustness.robustness_curves(networks, AMPLITUDES).axes
    lines = [line_labelled(left, label) for label in ("mine", "ARUN", "yours")]
    assert len({line.get_color() for line in lines}) == 3
