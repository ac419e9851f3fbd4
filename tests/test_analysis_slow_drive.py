"""Slow periodic drives, against responses whose phase and time constant are known."""

import numpy as np
import pytest

from aru_keras import ARU, models
from aru_keras.analysis import slow_drive
from aru_keras.analysis.fractional import fractional_derivative
from aru_keras.analysis.slow_drive import phase, relaxation, sinusoid, slow_responses, square_wave


@pytest.mark.parametrize("alpha", [-0.6, -0.2, 0.0, 0.3, 0.9])
@pytest.mark.parametrize("period", [10, 50])
def test_a_fractional_order_has_one_phase_at_every_period(alpha, period):
    drive = sinusoid(period, 3.0)
    found = phase(fractional_derivative(drive, -alpha), drive, period)
    assert found.lead == pytest.approx(-alpha * np.pi / 2, abs=1e-9)
    assert found.order == pytest.approx(alpha, abs=1e-9)
    assert found.gain == pytest.approx((2 * np.pi / period) ** -alpha)
    assert found.r_squared == pytest.approx(1)


def test_a_response_without_the_drives_period_is_not_explained():
    drive = sinusoid(20, 1.0)
    found = phase(np.sin(2 * np.pi * np.arange(80) / 5), drive, 20)
    assert found.gain == pytest.approx(0, abs=1e-12) and found.r_squared == pytest.approx(0)
    assert phase(np.ones(80), drive, 20).r_squared is None


@pytest.mark.parametrize("value", [0.1, 1.0, 0.0, -3.3])
def test_the_rounding_of_a_constant_response_is_no_response(value):
    found = phase(np.full(60, value), sinusoid(20, 4.0, 3), 20)
    assert (found.gain, found.lead, found.r_squared) == (0, 0, None)


def test_response_and_drive_have_the_same_steps():
    with pytest.raises(ValueError, match=r"`response` must .* Received: 40 and 60 steps"):
        phase(np.arange(40), sinusoid(20, 4.0, 3), 20)


def test_the_relaxation_is_that_of_the_steps_up():
    t = np.arange(40)
    cycle = np.where(t < 20, 7.0, 2 + 3 * np.exp(-(t - 20) / 6))
    start = np.random.default_rng(0).normal(size=40)  # The first cycle is not measured.
    fit = relaxation(np.concatenate([start, cycle, cycle]), 40)
    np.testing.assert_allclose([fit["a"], fit["tau"], fit["c"]], [3, 6, 2], rtol=1e-5)
    assert relaxation(np.ones(80), 40).failed


def test_the_waves_lie_between_nothing_and_their_amplitude():
    wave = square_wave(10, 4.0, cycles=2)
    np.testing.assert_array_equal(wave, np.tile([0] * 5 + [4] * 5, 2))
    wave = sinusoid(8, 4.0, cycles=3)
    assert len(wave) == 24 and wave.min() == pytest.approx(0) and wave.max() == pytest.approx(4)


def test_a_network_hears_the_drive_and_nothing_else():
    model = models.build_network("gamma", (64, 1), units=5, n=5.0, s=1.0)
    weights = model.get_layer("recurrent").cell.recurrent_kernel
    weights.assign(0 * weights.value)
    found = slow_responses(model, "sinusoid", 2.0, (10, 20), cycles=2)
    for period, response in found.items():
        # A sigmoid of n·ξ, at once.
        expected = 1 / (1 + np.exp(-5 * sinusoid(period, 2.0, cycles=2)))
        np.testing.assert_allclose(response, expected, rtol=1e-5)
    single = slow_drive.phases({20: found[20]}, 2.0, cycles=2)[20]
    assert single.lead == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sinusoid(2, 1.0), "`period` must be a whole number of at least 3"),
        (lambda: square_wave(10, np.nan), "`amplitude` must be a finite number"),
        (lambda: phase(np.ones(7), np.ones(7), 5), "whole periods of 5 steps"),
        (lambda: phase(np.full(10, np.nan), sinusoid(5, 1, 2), 5), "`response` must be finite"),
        (lambda: phase(np.ones(10), np.ones(10), 5), "`drive` must have the period 5"),
        (lambda: slow_responses(None, "triangle", 1.0), "`wave` must be one of sinusoid, square"),
        (
            lambda: slow_responses(ARU(3, 2), "square", 1.0, (5,)),
            "`network` must be built.*Call",
        ),
        (lambda: slow_responses(built(), "square", 1.0, (5,), cycles=1), "`cycles` must be"),
        (lambda: slow_responses(built(), "square", 1.0, (5,), signal="q"), "`signal` must be"),
    ],
)
def test_what_does_not_fit_is_an_error(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def built():
    layer = ARU(3, 2)
    layer.build((None, None, 1))
    return layer
