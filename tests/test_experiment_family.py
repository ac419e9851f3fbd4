"""Experiment 1: γ and its limits."""

import pytest
from adapting import FAMILY, TINY, holds
from matplotlib.figure import Figure

from aru_keras.runners.experiments import family
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.workspace import Workspace


def test_the_family_needs_no_network_and_reaches_its_limits(tmp_path):
    workspace = Workspace(tmp_path, TINY, say=pytest.fail)
    found = FAMILY.conclude(workspace.results(FAMILY, range(2)), TINY)
    assert found.verdict == "agrees" and len(found.claims) == 3
    # ln 2/n at n = 1000.
    assert found.claims[1].evidence.startswith("0.00069 ")
    assert isinstance(found.figures["curves"], Figure)


def test_a_limit_that_is_not_reached_is_a_claim_that_fails(monkeypatch):
    monkeypatch.setattr(family, "LARGE_GAIN", 100)  # ln 2/100 = 0.0069.
    assert holds(FAMILY, Results({})) == [True, False, True]
