"""The figures of Lyapunov exponents hold what they are given."""

import numpy as np
import pytest
from drawings import lies_beside, line_labelled
from figures import rng

from aru_keras.analysis.lyapunov import AdaptedExponents, LyapunovExponents
from aru_keras.plots import lyapunov, style


def test_exponents_over_steps_are_means_over_seeds():
    found = [LyapunovExponents(rng(seed).normal(size=(2, 3, 4, 1)), 10) for seed in (0, 1)]
    axes = lyapunov.exponents_after_onset([0.0, 5.0], [0, 50, 150], found).axes[0]
    expected = np.mean([one.exponents[1].mean(axis=(1, 2)) for one in found], axis=0)
    line = line_labelled(axes, "ξ = 5")
    np.testing.assert_array_equal(line.get_xdata(), [0, 50, 150])
    np.testing.assert_allclose(line.get_ydata(), expected)


def test_adapted_and_frozen_exponents_are_drawn_in_order_of_the_drive():
    values = rng().normal(size=(2, 3, 4, 1))
    found = AdaptedExponents(
        np.array([5.0, 0.0, 1.0]), *(LyapunovExponents(one, 10) for one in values)
    )
    axes = lyapunov.adapted_and_frozen_exponents([found]).axes[0]
    line = line_labelled(axes, "frozen")
    np.testing.assert_array_equal(line.get_xdata(), [0, 1, 5])
    np.testing.assert_allclose(line.get_ydata(), values[1].mean(axis=(1, 2))[[1, 2, 0]])
    assert lies_beside(axes)


def test_spectra_of_drives_have_the_colours_of_drives():
    found = LyapunovExponents(np.array([[0.0, -1.0]]), 5)
    axes = lyapunov.exponent_spectra({30.0: found, "ReLU": found, 0.0: found}).axes[0]
    late, early = style.drive_colours([30.0, 0.0])
    assert line_labelled(axes, "ξ = 30").get_color() == late
    assert line_labelled(axes, "ξ = 0").get_color() == early
    assert line_labelled(axes, "ReLU").get_color() == style.UNIT_COLOURS[1]
    assert lies_beside(axes)


def test_exponents_of_minus_infinity_are_counted_or_refused():
    values = np.array([[0.0, -1.0, -np.inf], [0.1, -1.2, -np.inf]])
    axes = lyapunov.exponent_spectra({"ReLU": LyapunovExponents(values, 5)}).axes[0]
    line = line_labelled(axes, "ReLU (1 at −∞)")
    np.testing.assert_allclose(line.get_ydata(), [0.05, -1.1])
    np.testing.assert_allclose(line.get_xdata(), [1 / 3, 2 / 3])
    dead = LyapunovExponents(np.full((1, 1, 2, 1), -np.inf), 5)
    with pytest.raises(ValueError, match="1 of −inf"):
        lyapunov.exponents_after_onset([1.0], [0], [dead])
