"""Fits find the curve behind the points, know how sure they are, and say when there is none."""

import numpy as np
import pytest

from aru_keras.analysis import fitting

AMPLITUDES = np.array([1, 2.5, 5, 10, 15, 20, 30.0])
TIME = np.arange(100.0)
# A fit, where it is measured, the parameters.
CASES = {
    "power law": (fitting.fit_power_law, AMPLITUDES, (0.3, 0.8, 5.4)),
    "growing power law": (fitting.fit_power_law, AMPLITUDES, (-0.1, -0.6, 2.0)),
    "exponential": (fitting.fit_exponential, AMPLITUDES, (0.01, 0.15, 0.002)),
    "growing exponential": (fitting.fit_exponential, np.linspace(0, 5, 30), (0.01, -1.0, 0.2)),
    "decay": (fitting.fit_decay, TIME, (1.0, 12.0, 3.0)),
    "decay upwards, late": (fitting.fit_decay, TIME + 201, (-3e6, 12.0, 3.0)),
    "line": (fitting.fit_line, AMPLITUDES, (2.0, 1.0)),
}
every_case = pytest.mark.parametrize(("fit", "x", "truth"), CASES.values(), ids=CASES)


def curve(fit, x, truth):
    return fitting.FORMULAS[fit(x, x + np.cos(x)).curve](x, *truth)


@every_case
def test_a_curve_without_noise_is_found(fit, x, truth):
    found = fit(x, curve(fit, x, truth))
    # A search for a minimum knows its place to the root of a float64's digits.
    np.testing.assert_allclose(found.values, truth, rtol=1e-6)
    np.testing.assert_allclose(found(x), curve(fit, x, truth), rtol=1e-6)
    assert found.r_squared == pytest.approx(1, abs=1e-9)


@every_case
def test_intervals_cover_the_truth_as_often_as_they_say(fit, x, truth):
    rng, draws = np.random.default_rng(0), 400
    y = curve(fit, x, truth)
    noise = 0.01 * np.ptp(y) * rng.normal(size=(draws, len(x)))
    fits = [fit(x, y + one) for one in noise]
    for name, value in zip(fits[0].names, truth, strict=True):
        inside = [low <= value <= high for low, high in (one.interval(name) for one in fits)]
        # Four standard deviations of a binomial: 4·√(.95·.05/400) = 0.044.
        assert np.mean(inside) == pytest.approx(0.95, abs=0.044), name


def test_a_line_has_the_errors_of_the_textbook():
    scipy_stats = pytest.importorskip("scipy.stats")
    y = 3 * AMPLITUDES + np.random.default_rng(1).normal(size=len(AMPLITUDES))
    found, known = fitting.fit_line(AMPLITUDES, y), scipy_stats.linregress(AMPLITUDES, y)
    np.testing.assert_allclose(found.values, [known.slope, known.intercept], rtol=1e-12)
    np.testing.assert_allclose(found.errors, [known.stderr, known.intercept_stderr], rtol=1e-12)
    assert found.r_squared == pytest.approx(known.rvalue**2, rel=1e-12)


@pytest.mark.parametrize("name", ["power law", "exponential", "decay"])
def test_values_and_errors_are_those_of_curve_fit(name):
    optimize = pytest.importorskip("scipy.optimize")
    fit, x, truth = CASES[name]
    y = curve(fit, x, truth)
    y = y + 0.02 * np.ptp(y) * np.random.default_rng(2).normal(size=len(x))
    found = fit(x, y)
    values, covariance = optimize.curve_fit(fitting.FORMULAS[found.curve], x, y, p0=truth)
    # What curve_fit's own stopping rule (1e-8 in the squares) and numerical Jacobian leave open.
    np.testing.assert_allclose(found.values, values, rtol=1e-3)
    np.testing.assert_allclose(found.errors, np.sqrt(np.diag(covariance)), rtol=1e-3)


@pytest.mark.parametrize(
    ("fit", "x", "y", "reason"),
    [
        (fitting.fit_line, TIME, 0 * TIME + 0.1, "constant"),
        (fitting.fit_decay, TIME, 0 * TIME + 0.1, "constant"),
        (fitting.fit_line, TIME[:2], TIME[:2], "more than 2 points"),
        (fitting.fit_exponential, TIME[:3], TIME[:3] ** 2, "more than 3 points"),
        (fitting.fit_exponential, TIME % 2, np.cos(TIME), "3 or more different x"),
        (fitting.fit_exponential, TIME, 3 * TIME, "line"),
        (fitting.fit_power_law, TIME + 1, np.log(TIME + 1), "line"),
        (fitting.fit_decay, TIME, np.exp(TIME / 30), "line"),
        (fitting.fit_decay, TIME, (TIME < 1) * 1.0, "jump"),
        (fitting.fit_power_law, TIME + 1, np.cos(TIME) * (TIME % 2), None),
    ],
)
def test_a_fit_that_fails_says_why_and_draws_nothing(fit, x, y, reason):
    found = fit(x, y)
    if reason is None:
        assert not found.failed and found.r_squared < 0.1
        return
    assert found.failed and reason in found.reason and reason in str(found)
    assert found.r_squared is None and not len(found.values) and not len(found.errors)
    for ask in (lambda: found(x), lambda: found[found.names[0]]):
        with pytest.raises(ValueError, match="no fit"):
            ask()


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (TIME, np.where(TIME == 3, np.nan, TIME), "`y` must be finite"),
        (np.where(TIME == 3, np.inf, TIME), TIME, "`[xt]` must be finite"),
        (TIME, TIME[:-1], r"shapes \(100,\) and \(99,\)"),
    ],
)
@pytest.mark.parametrize("fit", [fitting.fit_line, fitting.fit_exponential, fitting.fit_decay])
def test_what_cannot_be_fitted_is_an_error(fit, x, y, message):
    with pytest.raises(ValueError, match=message):
        fit(x, y)


def test_a_power_law_needs_positive_x():
    with pytest.raises(ValueError, match="must be positive"):
        fitting.fit_power_law(TIME, TIME)
