"""Experiment 12b: slow periodic drives."""

import numpy as np
import pytest
from responding import PRESET, measured, network

from aru_keras._util.numerics import NetworkOverflowError
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.results import Results


def test_slow_drives_are_shown_for_both_networks(tmp_path):
    slow = EXPERIMENTS["slow-drive"]
    found = {name: [measured(slow, network(name), tmp_path)] * 2 for name in slow.trainings(PRESET)}
    conclusion = slow.conclude(Results(found), PRESET)
    assert conclusion.verdict == "shown" and set(conclusion.figures) == {"periods"}
    conclusion.figures["periods"].draw_without_rendering()
    assert [row[0] for row in conclusion.tables[0].rows] == [
        "ARUN, connected",
        "ARUN, isolated",
        "RNN+γ, connected",
        "RNN+γ, isolated",
    ]


def test_a_network_that_overflows_is_named(tmp_path):
    slow = EXPERIMENTS["slow-drive"]
    arrays = measured(slow, network("gamma"), tmp_path)
    arrays["square_connected_100"] = np.full_like(arrays["square_connected_100"], np.inf)
    results = Results({name: [arrays] * 2 for name in slow.trainings(PRESET)})
    with pytest.raises(NetworkOverflowError, match=r"connected units.* square of period 100"):
        slow.conclude(results, PRESET)
