"""What the tests of figures look up in a figure."""

import numpy as np

from aru_keras.analysis.evaluation import Scores


def lies_beside(axes):
    """Whether the legend is outside the axes that it belongs to."""
    axes.figure.canvas.draw()
    return not axes.get_legend().get_window_extent().overlaps(axes.get_window_extent())


def line_labelled(axes, label):
    return next(line for line in axes.get_lines() if line.get_label() == label)


RNG = np.random.default_rng(0)


def drawn(axes):
    """The data of all lines with more than one point, (x, y)."""
    lines = [line.get_xydata().T for line in axes.get_lines()]
    return [line for line in lines if line.shape[1] > 1]


def holds(axes, y, x=None):
    """Whether some line has these values."""
    return any(
        len(line[1]) == len(y)
        and np.allclose(line[1], y, rtol=1e-9)
        and (x is None or np.allclose(line[0], x))
        for line in drawn(axes)
    )


def scores(shape):
    return Scores(loss=RNG.random(shape) + 0.5, accuracy=RNG.random(shape), n=10)
