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


def _overflowing(tmp_path, conditions):
    slow = EXPERIMENTS["slow-drive"]
    arrays = measured(slow, network("gamma"), tmp_path)
    for condition in conditions:
        name = f"square_{condition}_100"
        arrays[name] = np.full_like(arrays[name], np.inf)
    return slow, arrays


def test_units_that_overflow_are_left_out_and_named(tmp_path):
    slow, broken = _overflowing(tmp_path, ["isolated"])
    arun = measured(slow, network("arun"), tmp_path)
    conclusion = slow.conclude(Results({"arun": [arun] * 2, "gamma": [arun, broken]}), PRESET)
    shown = ["ARUN, connected", "ARUN, isolated", "RNN+γ, connected"]
    assert [row[0] for row in conclusion.tables[1].rows] == shown
    assert conclusion.note.endswith("one of the seeds overflow: RNN+γ, isolated.")


def test_without_finite_responses_there_is_no_conclusion(tmp_path):
    slow, broken = _overflowing(tmp_path, ["connected", "isolated"])
    with pytest.raises(NetworkOverflowError, match=r"ARUN, connected; ARUN, isolated"):
        slow.conclude(Results({"arun": [broken] * 2}), PRESET)
