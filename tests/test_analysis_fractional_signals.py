"""Fractional integrals of signals under a step."""

import dataclasses

import numpy as np
import pytest
from responding import made_responses

from aru_keras.analysis.fractional_signals import signal_integral


def test_the_integral_of_a_constant_change_rises_along_a_line():
    responses = made_responses(np.array([0.0, 0.0]))
    found = signal_integral(responses, "h", -1.0, method="causal")
    assert found.during == range(102, 202)
    for amplitude, fit in zip(found.drives[1:], found.lines[1:], strict=True):
        assert fit["slope"] == pytest.approx(amplitude) and fit.r_squared > 1 - 1e-9
    assert found.lines[0].failed  # Without a drive nothing rises.
    half = signal_integral(responses, "h", -0.5, method="causal")
    assert half.lines[2].r_squared < 0.99  # √t is no line.


@pytest.mark.parametrize("method", ["periodic", "causal"])
def test_a_drive_is_integrated_alike_alone_and_beside_others(method):
    responses = made_responses(np.array([0.0, 0.3]), drives=(0.0, 5.0))
    alone = made_responses(np.array([0.0, 0.3]), drives=(5.0,))
    both, one = (signal_integral(r, "h", -0.7, method=method) for r in (responses, alone))
    np.testing.assert_array_equal(one.traces[0], both.traces[1])


@pytest.mark.parametrize("value", [5.0, 0.2, 0.0])
@pytest.mark.parametrize("method", ["periodic", "causal"])
def test_the_rounding_of_a_constant_signal_is_no_line(value, method):
    responses = made_responses(np.array([0.0]))
    held = dataclasses.replace(responses, signals={"n": np.full_like(responses.of("h"), value)})
    found = signal_integral(held, "n", -1.0, method=method)
    assert not found.traces.any()
    assert all(line.failed and "constant" in line.reason for line in found.lines)
