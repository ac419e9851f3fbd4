"""Orders of fractional differentiation against signals of known order, and published biases."""

import numpy as np
import pytest

from aru_keras.analysis import fractional
from aru_keras.analysis.comparison import compared_steps
from aru_keras.analysis.fractional import fractional_derivative, fractional_order

T = 300
STEP = np.zeros(T)
STEP[102:202] = 1.0
ORDERS = np.array([-0.95, -0.613, -0.3, -0.05, 0.0, 0.17, 0.5, 0.88])


def grunwald_letnikov(signal, alpha):
    """D^α by its definition, one binomial weight after the other."""
    weights = [1.0]
    for k in range(1, len(signal)):
        weights.append(weights[-1] * (k - 1 - alpha) / k)
    return np.array([np.dot(weights[: t + 1], signal[t::-1]) for t in range(len(signal))])


def periodic_step(alpha, gain=1.0, rest=0.4):
    """gain·D^(−α)[step] + rest."""
    return gain * fractional_derivative(STEP, -alpha) + rest


def test_a_sine_is_shifted_and_scaled():
    frequency = 5 / T
    t = np.arange(T)
    sine = np.sin(2 * np.pi * frequency * t)
    for alpha in (-1.0, -0.4, 0.5, 1.0):
        expected = (2 * np.pi * frequency) ** alpha * np.sin(
            2 * np.pi * frequency * t + alpha * np.pi / 2
        )
        found = fractional_derivative(sine, alpha)
        np.testing.assert_allclose(found, expected - expected[0], atol=1e-12 / frequency)


def test_the_causal_derivative_is_the_sum_over_the_past():
    walk = np.cumsum(np.random.default_rng(0).normal(size=(T, 2)), axis=0)
    alpha = np.array([0.3, -0.7])
    found = fractional_derivative(walk, alpha, "causal")
    for unit in range(2):
        expected = grunwald_letnikov(walk[:, unit] - walk[0, unit], alpha[unit])
        np.testing.assert_allclose(found[:, unit], expected, atol=1e-9)


def test_whole_orders_of_the_causal_derivative_are_differences_and_sums():
    signal = np.random.default_rng(1).normal(size=T)
    signal[0] = 0
    found = fractional_derivative(signal, 1.0, "causal")
    np.testing.assert_allclose(found[1:], np.diff(signal), atol=1e-12)
    np.testing.assert_allclose(
        fractional_derivative(signal, -1.0, "causal"), np.cumsum(signal), atol=1e-11
    )


@pytest.mark.parametrize("free_gain", [False, True])
def test_an_order_is_recovered_beyond_the_step_of_the_grid(free_gain):
    responses = np.stack([periodic_step(alpha) for alpha in ORDERS], axis=1)
    found = fractional_order(responses, STEP, free_gain=free_gain)
    assert found.fitted.all() and not found.at_bound.any()
    # By golden section to 2e-8; the promise is 0.005.
    np.testing.assert_allclose(found.alpha, ORDERS, atol=1e-6)
    np.testing.assert_allclose(found.gain, 1, atol=1e-5)
    np.testing.assert_allclose(found.error, 0, atol=1e-10)


@pytest.mark.parametrize("gain", [0.2, 5.0])
def test_a_free_gain_leaves_the_order_alone(gain):
    responses = np.stack([periodic_step(alpha, gain) for alpha in ORDERS], axis=1)
    found = fractional_order(responses, STEP, free_gain=True)
    np.testing.assert_allclose(found.alpha, ORDERS, atol=1e-6)
    np.testing.assert_allclose(found.gain, 1 / gain, rtol=1e-5)


@pytest.mark.parametrize(("gain", "published"), [(0.2, -0.37), (5.0, 0.39), (1.0, 0.0)])
def test_a_plain_gain_reads_as_an_order_in_the_papers_estimate(gain, published):
    found = fractional_order(gain * STEP, STEP)
    assert abs(found.alpha[0] - published) < 0.005  # Published to two digits.


def test_the_drive_sets_the_scale():
    found = fractional_order(20 * periodic_step(0.4), 20 * STEP)
    assert abs(found.alpha[0] - 0.4) < 1e-6


def test_a_cumulative_sum_goes_round_in_the_periodic_estimate_alone():
    total = np.cumsum(STEP)
    assert abs(fractional_order(total, STEP).alpha[0] - 0.85) < 0.005
    causal = fractional_order(total, STEP, method="causal")
    assert causal.alpha[0] > 0.999 and causal.at_bound[0]


def test_the_periodic_estimate_is_biased_on_causal_responses_and_the_causal_one_is_not():
    orders = np.array([-0.9, -0.5, -0.3, -0.1, 0.1, 0.3, 0.5, 0.7, 0.9])
    responses = np.stack([grunwald_letnikov(STEP, -alpha) for alpha in orders], axis=1) + 0.7
    for free_gain in (False, True):
        causal = fractional_order(responses, STEP, method="causal", free_gain=free_gain)
        assert np.abs(causal.alpha - orders).max() < 1e-5
    bias = fractional_order(responses, STEP).alpha - orders
    # Measured; the largest, on integrators, is what the causal estimate is there for.
    expected = [0.003, -0.004, -0.010, -0.006, 0.012, 0.044, 0.066, 0.035, -0.074]
    np.testing.assert_allclose(bias, expected, atol=0.003)


def test_an_order_of_noise_describes_nothing():
    noise = np.random.default_rng(0).normal(size=(T, 2000))
    found = fractional_order(noise, STEP)
    assert not found.adequate.any()
    # Two free parameters and integrals make a step of noise, once in a hundred.
    assert fractional_order(noise, STEP, free_gain=True).adequate.mean() < 0.02
    # A constant is as near to the drive as its mean: R² = 0.
    inside = STEP[80:220]
    assert found.variance == pytest.approx(np.mean((inside - inside.mean()) ** 2))
    exact = fractional_order(periodic_step(0.4), STEP)
    assert exact.r_squared == pytest.approx([1]) and exact.adequate.all()
    turned = fractional_order(-periodic_step(0.4), STEP, free_gain=True)
    assert turned.r_squared == pytest.approx([1]) and not turned.adequate.any()


def test_the_causal_estimate_does_not_see_what_was_before_the_baseline():
    response = grunwald_letnikov(STEP, -0.3) + 0.7
    response[:25] = np.linspace(5, 0, 25)
    found = fractional_order(response, STEP, method="causal")
    assert abs(found.alpha[0] - 0.3) < 1e-5


def test_units_are_estimated_as_if_alone():
    responses = np.random.default_rng(2).normal(size=(T, 3)) + 3 * STEP[:, None] * [1, 2, 0.5]
    together = fractional_order(responses, STEP)
    for unit in range(3):
        alone = fractional_order(responses[:, unit], STEP)
        np.testing.assert_allclose(together.alpha[unit], alone.alpha[0], atol=1e-9)


def test_a_constant_response_has_no_order():
    responses = np.stack([np.full(T, 0.3), periodic_step(0.4), np.zeros(T)], axis=1)
    for method in ("periodic", "causal"):
        found = fractional_order(responses, STEP, method=method)
        np.testing.assert_array_equal(found.fitted, [False, True, False])
        np.testing.assert_array_equal(np.isnan(found.alpha), ~found.fitted)
        assert found.integrating == 1.0 and found.differentiating == 0.0
    with pytest.raises(ValueError, match="All responses are constant"):
        _ = fractional_order(np.zeros(T), STEP).integrating


def test_shares_of_integrating_and_differentiating_units():
    responses = np.stack([periodic_step(alpha) for alpha in (-0.5, -0.2, -0.1, 0.3)], axis=1)
    found = fractional_order(responses, STEP)
    assert (found.integrating, found.differentiating) == (0.25, 0.75)


def test_the_comparison_follows_the_drive():
    assert compared_steps(STEP) == (fractional.FIT_WINDOW, fractional.BASELINE)
    assert compared_steps(np.roll(STEP, -100)) == ((0, 120), 0)
    assert compared_steps(np.ones(9)) == ((0, 9), 0)
    drive = np.zeros(900)
    drive[300:500] = 2.0
    h = fractional_derivative(drive, 0.3, "causal")
    assert fractional_order(h, drive, method="causal").alpha == pytest.approx(-0.3, abs=1e-6)
    assert fractional_order(h, drive, method="causal").r_squared == pytest.approx(1)


def test_input_without_an_answer_is_refused():
    with pytest.raises(ValueError, match="leave ξ = 0 out"):
        fractional_order(STEP, np.zeros(T))
    with pytest.raises(ValueError, match="`response` must be"):
        fractional_order(np.where(STEP > 0, np.nan, 0), STEP)
    with pytest.raises(ValueError, match="`drive` must be \\(300,\\)"):
        fractional_order(STEP, STEP[:-1])
    with pytest.raises(ValueError, match="`window`"):
        fractional_order(STEP[:150], STEP[:150], window=fractional.FIT_WINDOW)
    with pytest.raises(ValueError, match="`baseline` must be a step below"):
        fractional_order(STEP, STEP, baseline=300)
    with pytest.raises(ValueError, match="Did you mean 'periodic'"):
        fractional_derivative(STEP, 0.5, "periodical")


def test_errors_over_orders_are_least_at_the_order():
    h = np.stack([fractional_derivative(2 * STEP, -alpha) for alpha in (-0.4, 0.0, 0.5)], axis=1)
    errors = fractional.errors_over_orders(h, 2 * STEP)
    grid = np.array(fractional.ORDERS)
    assert errors.shape == (len(grid), 3)
    np.testing.assert_allclose(grid[errors.argmin(axis=0)], [-0.4, 0, 0.5], atol=1e-12)
    order = fractional_order(h, 2 * STEP)
    at_best = fractional.errors_over_orders(h, 2 * STEP, order.alpha[:1])
    assert at_best[0, 0] == pytest.approx(order.error[0], abs=1e-12)
    # D^0 is the response, but for its mean and its value at rest, which fall out together.
    error = fractional.errors_over_orders(3 * STEP, STEP, [0])[0, 0]
    assert error == pytest.approx(4 * STEP[80:220].mean())
