"""When a claim of the paper holds, and what verdict comes of several."""

from functools import partial

import pytest

from aru_keras.runners.experiments.experiment import (
    Claim,
    ClaimAbout,
    Conclusion,
    above,
    alike,
    decided,
    larger,
    undecided,
)
from aru_keras.runners.experiments.results import Results


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        (above("", [2.0, 2.1, 1.9], 1.0), True),
        (above("", [2.0, 2.1, 1.9], 3.0), False),
        (above("", [2.0, 2.1, 1.9], 2.05), None),
        # Fewer than three seeds never decide.
        (above("", [2.0], 1.0), None),
        (above("", [2.0, 2.01], 3.0), None),
        (above("", [2.0, 2.01, 2.02], 3.0), False),
        (larger("", [1.0, 2.0, 3.0], [0.5, 1.4, 2.6]), True),
        (larger("", [0.5, 1.4, 2.6], [1.0, 2.0, 3.0]), False),
        (larger("", [1.0, 2.0, 3.0], [1.5, 1.0, 3.2]), None),
        (larger("", [1.0], [1.0]), None),
        (alike("", [1.0, 2.0, 3.0], [1.5, 1.4, 3.2], margin=2.0), True),
        (alike("", [1.0, 2.0, 3.0], [1.5, 1.4, 3.2]), None),
        (alike("", [1.0, 2.0, 3.0], [0.5, 1.4, 2.6]), False),
        (alike("", [0.9, 0.91, 0.92], [0.905, 0.914, 0.926]), True),
        (alike("", [0.9, 0.91, 0.92], [0.92, 0.93, 0.94]), False),
        (alike("", [0.9, 0.91, 0.92], [0.905, 0.914, 0.935]), None),
        (alike("", [0.9, 0.91], [0.9, 0.91]), None),
        (alike("", [1.0], [1.0]), None),
    ],
)
def test_a_claim_is_decided_where_the_interval_over_seeds_decides_it(claim, holds):
    assert claim.holds is holds


@pytest.mark.parametrize("claim", [larger, alike])
def test_seeds_that_diverged_are_not_compared_with_others(claim):
    with pytest.raises(ValueError, match="3 and 1 seeds"):
        claim("", [1.0, 2.0, 3.0], [1.0])


@pytest.mark.parametrize(
    ("holds", "verdict"),
    [
        ([True, True], "agrees"),
        ([True, None], "agrees in part"),
        ([True, False], "agrees in part"),
        ([False, False], "disagrees"),
        ([False, None], "disagrees"),
        ([None], "undecided"),
        ([], "shown"),
    ],
)
def test_the_verdict_is_that_of_the_claims(holds, verdict):
    assert Conclusion(tuple(Claim("", one, "") for one in holds)).verdict == verdict


def test_claims_of_too_few_seeds_are_shown():
    few, enough = above("", [2.0, 2.1], 1.0), above("", [1.0, 3.0, 2.0], 2.0)
    assert few.few and not enough.few and enough.holds is None
    assert Conclusion((few,)).verdict == "shown"
    assert Conclusion((few, enough)).verdict == "undecided"


def test_a_claim_can_be_left_undecided_for_a_reason():
    (claim,) = undecided([above("a", [2.0, 2.1, 1.9], 1.0)], "an untrained one passes")
    assert claim.holds is None and claim.evidence.endswith("; an untrained one passes")


def test_a_claim_about_a_network_that_diverged_is_undecided():
    claim = ClaimAbout(("arun", "relu"), partial(larger, "a"), "a")
    measured = {"arun": [1.0, 2.0, 3.0]}
    assert decided([claim], measured) == ()
    results = Results({"arun": [{}] * 3, "relu": [None] * 3})
    (answer,) = decided([claim], measured, results=results)
    assert answer.text == "a" and answer.holds is None and not answer.few
    assert answer.evidence.endswith("diverged: relu")
    (answer,) = decided([ClaimAbout(("arun", "relu"), larger)], measured, results=results)
    assert answer.text == "The claims about arun, relu"
    one_seed = Results({"arun": [{}], "relu": [None]})
    assert Conclusion(decided([claim], measured, results=one_seed)).verdict == "shown"
