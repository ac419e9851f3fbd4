"""Fractional integrals of signals under a step."""

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
