"""A small view of an episode, and what the tests of rendering share."""

import numpy as np

from aru_keras.envs.rendering import ReadingView

SIDE, T = 6, 36
ORDER = np.random.default_rng(2).permutation(T)
PIXELS = np.random.default_rng(3).random(T)


def view(**options):
    options = {"signals": ("n", "s", "h"), "units": (3, 11), **options}
    return ReadingView((SIDE, SIDE), T, ORDER, **options)


def values(t):
    """Signals of two units that leave their first limits upwards and downwards."""
    two = np.array([1.0, -1.0])
    return {"n": 5 + 0.01 * t * two, "s": 0.002 * t**2 * two, "h": np.exp(0.2 * t) * abs(two)}


def read(picture, stop, start=0):
    """`picture` after the steps start…stop − 1, none of them drawn."""
    for t in range(start, stop):
        drive = 5.0 if 10 < t < 20 else 0.0
        picture.show(t, PIXELS[t], drive, values(t) if picture.signals else None)
    return picture
