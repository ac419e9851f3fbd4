"""The figure of an episode holds what it is given, and tells features from units."""

import numpy as np
import pytest
from drawings import RNG, holds

from aru_keras.plots import acting, style


def labels(legend):
    return [text.get_text() for text in legend.get_texts()]


@pytest.mark.parametrize(("features", "more"), [(2, []), (6, []), (9, ["+ 3 more"])])
def test_features_have_looks_and_a_legend_of_their_own(features, more):
    observations, h = RNG.normal(size=(7, features)), RNG.normal(size=(7, 5))
    figure = acting.agent_episode(observations, np.ones(7), {"h": h}, [4, 1])
    panel, drawn = figure.axes[0], min(features, 6)
    assert all(holds(panel, observations[:, k]) for k in range(drawn))
    lines = [line for line in panel.get_lines() if len(line.get_xdata())]
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == len(lines) == drawn
    assert not {line.get_color() for line in lines} & set(style.UNIT_COLOURS)
    of_features, of_units = sorted(figure.legends, key=lambda one: "unit 4" in labels(one))
    assert labels(of_features) == [f"feature {k}" for k in range(drawn)] + more
    assert labels(of_units) == ["unit 4", "unit 1"]


def test_the_legends_lie_beside_the_panels_and_apart():
    signals = {name: RNG.normal(size=(7, 12)) for name in "nsh"}
    figure = acting.agent_episode(RNG.normal(size=(7, 9)), np.ones(7), signals, range(10))
    figure.draw_without_rendering()
    first, second = (legend.get_window_extent() for legend in figure.legends)
    assert not first.overlaps(second)
    for axes in figure.axes:
        assert not any(one.overlaps(axes.get_window_extent()) for one in (first, second))


def test_an_episode_needs_the_outputs_of_its_units():
    with pytest.raises(ValueError, match=r"`signals` must hold h, by name.*Received: \['n'\]"):
        acting.agent_episode(np.ones((7, 2)), np.ones(7), {"n": np.ones((7, 5))})
