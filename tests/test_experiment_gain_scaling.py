"""Experiment 10: n and s under noise."""

import numpy as np
import pytest
from adapting import SCALING, TINY, exponential, holds, power_law, seeds, settled, untrained

from aru_keras.runners.experiments.results import Results


def test_the_noise_enters_in_three_places():
    made = untrained("arun")
    made.cell.kernel.assign(0 * made.cell.kernel.value)
    arrays = SCALING.measure(made, TINY)
    assert np.array_equal(arrays["input_input_spread"], arrays["drive_input_spread"])
    # Behind W_xh = 0 no input is heard, whatever its amplitude, to the last bits of float32; a
    # drive is.
    assert np.ptp(arrays["input_steady_n"]) < 1e-6
    assert min(np.ptp(arrays[f"{entry}_steady_n"]) for entry in ("units", "drive")) > 1e-3
    # On images of 64 steps, with the window of the paper's 784 scaled.
    assert arrays["units_n"].shape[2] == 64 and arrays["drive_n"].shape[2] == 600


@pytest.mark.parametrize(
    ("n", "s", "expected"),
    [
        (power_law, exponential, [True, True]),
        (lambda xi: -0.3 * xi**-0.5 + 5.4, exponential, [False, True]),  # It rises.
        (lambda xi: 0.3 * xi**0.5 + 5.4, exponential, [False, True]),
        (lambda xi: 0 * xi + 5, lambda xi: 0 * xi, [False, False]),  # No fits.
        (power_law, lambda xi: exponential(xi) + 0.001 * np.sin(7 * xi), [True, False]),  # R² .77.
    ],
)
def test_gain_scaling_is_judged_by_the_fits(n, s, expected):
    assert holds(SCALING, seeds(settled(n, s))) == expected


def test_a_fit_that_fails_gives_its_reason_and_seeds_that_differ_decide_nothing():
    flat = settled(lambda xi: 0 * xi + 5, exponential)
    claims = SCALING.conclude(seeds(flat), TINY).claims
    assert "the data are constant" in claims[0].evidence
    good = settled(power_law, exponential)
    claims = SCALING.conclude(Results({"arun": [flat, good, good]}), TINY)
    assert [claim.holds for claim in claims.claims] == [None, True]
