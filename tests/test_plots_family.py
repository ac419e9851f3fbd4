"""The figure of the family γ holds what it is given."""

from drawings import holds

from aru_keras.analysis.family import activation_family
from aru_keras.plots import family as family_plot


def test_the_family_shows_curves_slopes_and_limits():
    found = activation_family((1, 8), (0, 1))
    axes = family_plot.activation_curves(found).axes
    for column in range(2):
        for row in range(2):
            assert holds(axes[column], found.values[column, row], found.x)
            assert holds(axes[2 + column], found.slopes[column, row], found.x)
    assert holds(axes[0], found.limits["softplus"]) and holds(axes[0], found.limits["sigmoid"])
    assert holds(axes[1], found.limits["ReLU"])
