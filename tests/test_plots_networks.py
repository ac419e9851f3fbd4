"""Networks look the same in every figure, and each like no other."""

import numpy as np

from aru_keras.plots import changed_worlds, style


def test_networks_of_your_own_look_like_no_other():
    names = [*style.NETWORK_STYLES, *"abcdef"]
    looks = style.network_looks(names)
    assert {name: looks[name] for name in style.NETWORK_STYLES} == style.NETWORK_STYLES
    assert {look["color"] for look in looks.values()} <= set(style.UNIT_COLOURS)
    assert len({look["color"] for look in list(looks.values())[:8]}) == 8
    assert len({(look["color"], look["marker"]) for look in looks.values()}) == len(names)


def test_returns_of_a_network_of_your_own_are_not_drawn_in_the_colour_of_another():
    returns = {name: np.ones((1, 3)) for name in ("arun", "mine", "gru", "yours")}
    (axes,) = changed_worlds.return_curves(returns, [0, 1, 2], "drive ξ").axes
    colours = [line.get_color() for line in axes.get_lines()]
    assert len(set(colours)) == 4 and set(colours) <= set(style.UNIT_COLOURS)
    assert axes.get_legend_handles_labels()[1] == ["ARUN", "mine", "GRU", "yours"]
