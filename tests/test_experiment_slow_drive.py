"""Experiment 12b: slow periodic drives."""

import numpy as np
import pytest
from responding import PRESET, measured, network

from aru_keras._util.numerics import NetworkOverflowError
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.results import Results

SLOW = EXPERIMENTS["slow-drive"]


@pytest.fixture(scope="module")
def arrays(tmp_path_factory):
    """What was measured of both networks."""
    folder = tmp_path_factory.mktemp("slow")
    return {name: measured(SLOW, network(name), folder) for name in SLOW.trainings(PRESET)}


def test_slow_drives_are_shown_for_both_networks(arrays):
    results = Results({name: [measurement] * 2 for name, measurement in arrays.items()})
    conclusion = SLOW.conclude(results, PRESET)
    assert conclusion.verdict == "shown" and set(conclusion.figures) == {"periods"}
    conclusion.figures["periods"].draw_without_rendering()
    assert [row[0] for row in conclusion.tables[0].rows] == [
        "ARUN, connected",
        "ARUN, isolated",
        "RNN+γ, connected",
        "RNN+γ, isolated",
    ]


def _overflowing(measurement, conditions):
    """A measurement in which the units under some conditions overflow."""
    names = [f"square_{condition}_100" for condition in conditions]
    return {**measurement, **{name: np.full_like(measurement[name], np.inf) for name in names}}


def test_units_that_overflow_are_left_out_and_named(arrays):
    broken = _overflowing(arrays["gamma"], ["isolated"])
    results = Results({"arun": [arrays["arun"]] * 2, "gamma": [arrays["gamma"], broken]})
    conclusion = SLOW.conclude(results, PRESET)
    shown = ["ARUN, connected", "ARUN, isolated", "RNN+γ, connected"]
    assert [row[0] for row in conclusion.tables[1].rows] == shown
    assert conclusion.note.endswith("one of the seeds overflow: RNN+γ, isolated.")


def test_without_finite_responses_there_is_no_conclusion(arrays):
    broken = _overflowing(arrays["arun"], ["connected", "isolated"])
    with pytest.raises(NetworkOverflowError, match=r"ARUN, connected; ARUN, isolated"):
        SLOW.conclude(Results({"arun": [broken] * 2}), PRESET)
