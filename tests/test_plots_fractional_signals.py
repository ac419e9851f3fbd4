"""The figure of integrals holds what it is given."""

import numpy as np
from drawings import line_labelled
from figures import responses

from aru_keras.analysis.fractional_signals import signal_integral
from aru_keras.plots import fractional_signals


def test_integrals_are_drawn_with_the_lines_that_could_be_fitted():
    found = signal_integral(responses(), "h", -1.0, method="causal")
    axes = fractional_signals.signal_integrals({"h": found}).axes[0]
    assert found.lines[0].failed
    dotted = [line for line in axes.get_lines() if line.get_linestyle() == ":"]
    assert len(dotted) == 2
    np.testing.assert_array_equal(line_labelled(axes, "ξ = 5").get_ydata(), found.traces[2])
