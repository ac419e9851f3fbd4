"""Experiment 4: maps of robustness."""

import dataclasses

import numpy as np
import pytest
from perturbing import MAPS, TINY

from aru_keras.models import GATED
from aru_keras.runners.experiments.results import Results

SEARCHED = dataclasses.replace(TINY, networks=("arun", "gamma", "relu"))


def maps(losses, infinite=None, guessing=None, preset=SEARCHED, seeds=3):
    """Conclusion of maps with one loss for each network, and infinite entries of some."""
    found = {}
    for name, loss in losses.items():
        arrays = {"images": np.array(20), "durations": np.array([8, 33])}
        for kind, shape in (("step", (3, 2)), ("contrast", (2, 2))):
            if kind == "step" and name in GATED:
                continue
            values = np.full(shape, float(loss))
            accuracy = np.full(shape, 0.1 if name == guessing else 0.5)
            arrays |= {f"{kind}_loss": values, f"{kind}_accuracy": accuracy}
        if name not in GATED:
            arrays["step_loss"][0] = 0.5 * loss if np.isfinite(loss) else 1
            arrays["step_loss"].flat[6 - (infinite or {}).get(name, 0) :] = np.inf
        found[name] = [arrays] * seeds
    return MAPS.conclude(Results(found), preset)


@pytest.mark.parametrize(
    ("losses", "holds"),
    [
        ({"arun": 1, "gamma": 11, "relu": 30}, [True, True, True]),
        ({"arun": 1, "gamma": 9, "relu": 30}, [True, False, True]),
        ({"arun": 2, "gamma": 1, "relu": 30}, [False, False, False]),
        ({"arun": 1, "gamma": 9, "relu": 11}, [True, False, True]),
    ],
)
def test_the_maps_hold_arun_against_the_best_other_network(losses, holds):
    assert [claim.holds for claim in maps(losses).claims] == holds


def test_maps_decide_nothing_where_a_network_guesses():
    for name in ("arun", "gamma"):
        claims = maps({"arun": 1, "gamma": 11, "relu": 30}, guessing=name).claims
        assert [claim.holds for claim in claims] == [None] * 3
        assert all("only guesses" in claim.evidence for claim in claims)


def test_an_infinite_loss_in_a_map_is_never_to_the_advantage_of_arun():
    others = {"gamma": 20, "relu": 30}
    finite = maps({"arun": 1, **others})
    assert [claim.holds for claim in finite.claims] == [True, True, True]
    # Of RNN+γ it counts as 30, the largest finite loss: a lower bound.
    capped = maps({"arun": 4, "gamma": np.inf, "relu": 30})
    assert [claim.holds for claim in capped.claims] == [True, False, True]
    # A single one of ARUN's is the end, though 30 in its place would leave it below the others.
    ended = maps({"arun": 1, **others}, infinite={"arun": 1})
    assert [claim.holds for claim in ended.claims] == [False, False, True]
    assert "ARUN in 1/1/1, RNN+γ in 0/0/0" in ended.claims[0].evidence


def test_arun_is_not_worse_than_networks_that_overflow_as_often():
    losses = {"arun": 1, "gamma": 20, "relu": 30}
    found = maps(losses, infinite={"arun": 1, "gamma": 4, "relu": 4})
    assert [claim.holds for claim in found.claims] == [None, None, True]
    assert "ARUN in 1/1/1, RNN+γ in 4/4/4" in found.claims[0].evidence


@pytest.mark.parametrize("infinite", [{"arun": 1}, {"arun": 1, "gamma": 4, "relu": 4}])
def test_maps_of_one_seed_are_shown_also_where_networks_overflow(infinite):
    found = maps({"arun": 1, "gamma": 20, "relu": 30}, infinite=infinite, seeds=1)
    assert [claim.holds for claim in found.claims] == [None] * 3
    assert found.verdict == "shown"


def test_maps_decide_nothing_about_networks_whose_options_were_not_searched():
    losses = {"arun": 1, "gamma": 11, "relu": 30, "lstm": 20, "gru": 20}
    found = maps(losses, preset=TINY)
    assert [claim.holds for claim in found.claims] == [True, True, None, True]
    assert "chosen for other networks" in found.claims[2].evidence
    assert "lower than RNN+γ's and ReLU's" in found.claims[3].text
    searched = maps(losses, preset=dataclasses.replace(TINY, pilot_rates=(1e-3,)))
    assert [claim.holds for claim in searched.claims] == [True] * 3


def test_maps_of_some_networks_decide_no_claim_about_all():
    found = maps({"arun": 1, "lstm": 20}, preset=TINY)
    assert found.claims == () and found.verdict == "shown"
