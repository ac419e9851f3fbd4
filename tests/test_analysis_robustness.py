"""What an accuracy loses over the strength of a perturbation."""

import numpy as np
import pytest

from aru_keras.analysis.robustness import fractional_drop


def test_the_drop_is_the_area_above_the_curve():
    assert fractional_drop([0, 1, 4], [0.8, 0.8, 0.8]) == 0
    assert fractional_drop([0, 2], [0.5, 0.0]) == pytest.approx(0.5)
    # Areas .75 + .5 of 2, at uneven steps.
    assert fractional_drop([0, 1, 2], [1.0, 0.5, 0.5]) == pytest.approx(1 - 1.25 / 2)
    assert fractional_drop([0, 2, 3], [0.5, 0.25, 0.25]) == pytest.approx(1 - 1.0 / 1.5)


def test_a_guess_under_every_perturbation_has_lost_everything():
    # From .9 to chance at once, and half of the way: areas above chance .8·1, .4·1 of .8·2.
    assert fractional_drop([0, 1e-9, 2], [0.9, 0.1, 0.1], chance=0.1) == pytest.approx(1)
    assert fractional_drop([0, 1e-9, 2], [0.9, 0.1, 0.1]) == pytest.approx(0.8 / 0.9)
    assert fractional_drop([0, 1, 2], [0.9, 0.5, 0.5], chance=0.1) == pytest.approx(1 - 1.0 / 1.6)
    with pytest.raises(ValueError, match=r"above `chance`. Received: 0.1 and 0.1"):
        fractional_drop([0, 1], [0.1, 0.1], chance=0.1)


@pytest.mark.parametrize(
    ("amplitudes", "values", "message"),
    [
        ([0, 1, 1], [1, 1, 1], "increasing"),
        ([0, 1], [1, np.nan], "finite"),
        ([0], [1], "K ≥ 2"),
        ([0, 1], [0, 1], "first of `values` must be above `chance`. Received: 0.0 and 0.0"),
    ],
)
def test_a_curve_without_an_area_is_an_error(amplitudes, values, message):
    with pytest.raises(ValueError, match=message):
        fractional_drop(amplitudes, values)
