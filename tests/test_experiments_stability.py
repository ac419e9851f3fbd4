"""Experiments 15 to 18: round trips of small networks."""

import numpy as np
import pytest
from stability import (
    BOUNDARY,
    LYAPUNOV,
    PRESET,
    SPECTRUM,
    STATIONARY,
    conclude,
    network,
    round_trip,
)

from aru_keras.perturbations import StepDrive
from aru_keras.probing import record
from aru_keras.runners.experiments import measured


@pytest.fixture(scope="module")
def arun():
    return network("arun")


@pytest.mark.parametrize("experiment", [BOUNDARY, STATIONARY, SPECTRUM, LYAPUNOV])
def test_a_network_goes_round(experiment, arun, tmp_path):
    arrays = round_trip(experiment, arun, tmp_path)
    found = conclude(experiment, {"arun": [arrays, arrays]})
    assert found.figures and found.tables and found.note
    with pytest.raises(ValueError, match=r"needs one of .*arun.*Received: lstm"):
        conclude(experiment, {"lstm": [{}]})


def test_recordings_under_drives_are_those_of_the_probe(arun):
    x = measured.recorded(arun, PRESET)
    steps = list(measured.later_half(64))
    kept = list(measured.under_drives(arun, PRESET, (0, 30), "h", measured.later_half))
    whole = record(arun.model, x, "h", StepDrive(30).drive([0], 64))["h"]
    # The window of T = 64 is 17 … 31.
    assert steps == list(range(24, 32)) and len(kept) == 2
    np.testing.assert_allclose(kept[1]["h"], whole[:, steps], rtol=1e-6)
